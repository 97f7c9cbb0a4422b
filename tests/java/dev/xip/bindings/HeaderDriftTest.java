package dev.xip.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.xip.host.Libxip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The bindings are what the headers of include/xip say, as the C compiler understands them. After a
 * change of a header: mvn -Pjextract generate-sources.
 */
class HeaderDriftTest {
  private static final List<BoundHeader> HEADERS = BoundHeader.ALL;

  @TempDir Path folder;

  @BeforeAll
  static void loadTheFunctions() {
    Libxip.get();
  }

  @ParameterizedTest
  @FieldSource("HEADERS")
  void aClassHasWhatItsHeaderDeclares(BoundHeader header) throws IOException {
    assertThat(header.drift(BoundHeader.INCLUDE)).isEmpty();
  }

  @Test
  void everyHeaderHasAClass() throws IOException {
    try (Stream<Path> files = Files.list(BoundHeader.INCLUDE.resolve("xip"))) {
      assertThat(files.map(file -> file.getFileName().toString()).filter(it -> it.endsWith(".h")))
          .containsExactlyInAnyOrderElementsOf(
              BoundHeader.ALL.stream().map(BoundHeader::name).toList());
    }
  }

  @Test
  void everyClassOfAStructOrPointerHasAHeader() throws IOException {
    List<String> declared = new ArrayList<>();
    for (BoundHeader each : BoundHeader.ALL) {
      CHeader header = CHeader.read(BoundHeader.INCLUDE, each.name());
      declared.addAll(header.structs.keySet());
      header.functions.stream()
          .filter(CHeader.Function::isType)
          .forEach(it -> declared.add(it.name()));
    }
    try (Stream<Path> files = Files.list(BoundHeader.SOURCES)) {
      assertThat(
              files
                  .map(file -> file.getFileName().toString().replace(".java", ""))
                  .filter(it -> it.startsWith("xip_")))
          .containsExactlyInAnyOrderElementsOf(declared);
    }
  }

  @Test
  void whatOnlyOneSideHasIsNamed() throws IOException {
    String more = "int xip_more(void);\nstruct xip_most { int all; };\n";
    changed(
        text ->
            text.replace("int xip_abi_version(void);", more)
                .replace("XIP_LEVEL_PTE 0", "XIP_LEVEL_ALL 0"));
    assertThat(new BoundHeader("xip.h", Xip.class).drift(folder))
        .contains(
            "XIP_LEVEL_ALL: xip.h has size 4, value 0, class Xip has nothing",
            "XIP_LEVEL_PTE: xip.h has nothing, class Xip has size 4, value 0",
            "xip_more: xip.h has 0 parameters, class Xip has nothing",
            "xip_abi_version: xip.h has nothing, class Xip has 0 parameters",
            "xip_most: xip.h has size 4, alignment 4, class Xip has nothing",
            "xip_most.all: xip.h has offset 0, size 4, class Xip has nothing");
  }

  private void changed(UnaryOperator<String> change) throws IOException {
    String text = Files.readString(BoundHeader.INCLUDE.resolve("xip/xip.h"));
    Files.writeString(
        Files.createDirectory(folder.resolve("xip")).resolve("xip.h"), change.apply(text));
  }

  /** Of these jextract would drop the first without a word. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "#define XIP_ROUND(x) ((x) + 1)",
        "extern int xip_variable;",
        "enum xip_state { XIP_ON };",
        "struct xip_pair { int a, b; };",
        "struct xip_bits { int a : 3; };"
      })
  void aDeclarationThatTheTestCannotReadIsRefused(String line) throws IOException {
    changed(text -> text + line);
    assertThatIOException()
        .isThrownBy(() -> new BoundHeader("xip.h", Xip.class).drift(folder))
        .withMessageContaining("xip.h: expected")
        .withMessageContaining("found:");
  }
}
