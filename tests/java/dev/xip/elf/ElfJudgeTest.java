package dev.xip.elf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The headers of this host's own programs and libraries are what readelf says they are. */
class ElfJudgeTest {
  /** A line of readelf -lW: type, offset, address, physical address, sizes, flags, alignment. */
  private static final Pattern HEADER =
      Pattern.compile(
          "^  (\\S+) +0x(\\w+) 0x(\\w+) 0x\\w+ 0x(\\w+) 0x(\\w+) ([R ][W ][E ]) (?:0x)?(\\w+)$",
          Pattern.MULTILINE);

  private static String readelf(Path file) throws IOException {
    return Processes.run("readelf", "-hlW", file.toString()).out();
  }

  private static String one(String text, String regex) {
    Matcher matcher = Pattern.compile(regex).matcher(text);
    assertThat(matcher.find()).as("readelf says %s", regex).isTrue();
    return matcher.group(1);
  }

  static List<Path> files() {
    return HostElfs.all().toList();
  }

  @ParameterizedTest
  @MethodSource("files")
  void theHeaderIsWhatReadelfSays(Path file) throws IOException {
    String judge = readelf(file);
    ElfImage image = ElfImage.read("elf", MemorySegment.ofArray(Files.readAllBytes(file)));
    assertThat(image.entry()).isEqualTo(Long.parseLong(one(judge, "Entry point.* 0x(\\w+)"), 16));
    assertThat(image.type() == ElfType.EXECUTABLE).isEqualTo(judge.contains("EXEC (Executable"));
    assertThat(one(judge, "Machine: +(.+)"))
        .isEqualTo(
            switch (image.machine()) {
              case X86_64 -> "Advanced Micro Devices X86-64";
              case AARCH64 -> "AArch64";
              case RISCV -> "RISC-V";
            });
    Matcher stack = Pattern.compile("GNU_STACK.* ([R ][W ][E ]) ").matcher(judge);
    assertThat(image.executableStack()).isEqualTo(!stack.find() || stack.group(1).contains("E"));
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyProgramHeaderIsWhatReadelfSays(Path file) throws IOException {
    List<String> judged = new ArrayList<>();
    Matcher line = HEADER.matcher(readelf(file));
    while (line.find()) {
      judged.add(
          "%b %x %x %x %x %s %x"
              .formatted(
                  line.group(1).equals("LOAD"),
                  hex(line, 2),
                  hex(line, 3),
                  hex(line, 4),
                  hex(line, 5),
                  line.group(6).replace(' ', '-').replace('E', 'x').toLowerCase(),
                  hex(line, 7)));
    }
    ElfImage image = ElfImage.read("elf", MemorySegment.ofArray(Files.readAllBytes(file)));
    assertThat(image.headers())
        .extracting(
            h ->
                "%b %x %x %x %x %s %x"
                    .formatted(
                        h.isLoadable(),
                        h.offset(),
                        h.address(),
                        h.fileSize(),
                        h.memorySize(),
                        h.access(),
                        h.alignment()))
        .containsExactlyElementsOf(judged);
    assertThat(image.segments())
        .hasSize((int) judged.stream().filter(h -> h.startsWith("true")).count());
  }

  private static long hex(Matcher line, int group) {
    return Long.parseUnsignedLong(line.group(group), 16);
  }
}
