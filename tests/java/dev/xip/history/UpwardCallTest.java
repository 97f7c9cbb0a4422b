package dev.xip.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.xip.LayeringTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Objection c: the layer rules refuse a pfn_valid that asks a list of a higher layer. */
class UpwardCallTest {
  private static final String CLASS = "dev.xip.phys.UpwardCall";

  @Test
  void theLayerRulesRefuseTheImport() throws ClassNotFoundException {
    JavaClasses posted = new ClassFileImporter().importClasses(Class.forName(CLASS));
    assertThatThrownBy(() -> LayeringTest.ruleOf("phys").check(posted))
        .isInstanceOf(AssertionError.class)
        .hasMessageContainingAll(CLASS, "pfnValid", "dev.xip.segment.SegmentLoader");
  }

  @Test
  void theStoryPrintsTheImportAndTheRuleThatAreTested() throws IOException {
    Path source = Path.of("tests/java").resolve(CLASS.replace('.', '/') + ".java");
    assertThat(Files.readAllLines(source)).contains(ObjectionC.IMPORT);
    assertThat(ObjectionC.RULE).isEqualTo("phys uses only " + LayeringTest.below("phys"));
  }
}
