package dev.xip.vm;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The floors of the memory manager: Mm, the operations on it, the facade above them. */
class VmFloorsTest {
  /** A program's accesses, what prints or counts a space from outside, and what makes spaces. */
  private static final Set<String> FACADE =
      Set.of(
          "AddressSpace",
          "AddressReader",
          "AddressWriter",
          "Census",
          "DumpPages",
          "MemoryManager",
          "PageTableDump",
          "SpaceMaps");

  private static final Set<String> GROUND =
      Set.of(
          "AnonMemory",
          "Epoch",
          "FileMappings",
          "HugeLeaves",
          "LeafTables",
          "Mm",
          "MmuGather",
          "ReverseMap",
          "SpaceCounters",
          "SparsePage",
          "Vma",
          "VmaList",
          "Zapper");

  private static final Set<String> OPERATIONS =
      Set.of(
          "AnonymousFault",
          "CopyOnWrite",
          "DeviceMap",
          "FaultHandler",
          "FileFault",
          "FollowedPfn",
          "Forker",
          "GetUserPages",
          "GuardRegions",
          "Insertion",
          "LeafMover",
          "MappingCalls",
          "Populate",
          "RangeCalls",
          "RemapCall",
          "StackGrowth",
          "Translator",
          "UnmapCall",
          "Verifier");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.xip.vm");

  /** A class or one nested in it. */
  private static DescribedPredicate<JavaClass> oneOf(Set<String> names) {
    return new DescribedPredicate<>("are one of " + names) {
      @Override
      public boolean test(JavaClass each) {
        String[] parts = each.getName().split("[.$]");
        return each.getPackageName().equals("dev.xip.vm") && names.contains(parts[3]);
      }
    };
  }

  private static ArchRule onlyTheseUse(Set<String> users, Set<String> used) {
    return noClasses()
        .that(DescribedPredicate.not(oneOf(users)))
        .should()
        .dependOnClassesThat(oneOf(used));
  }

  @Test
  void belowTheFacadeNoClassNamesTheAddressSpace() {
    onlyTheseUse(FACADE, Set.of("AddressSpace")).check(CLASSES);
  }

  @Test
  void theGroundFloorNamesNoOperation() {
    noClasses().that(oneOf(GROUND)).should().dependOnClassesThat(oneOf(OPERATIONS)).check(CLASSES);
  }

  @Test
  void everyClassSaysWhichLockItsCallerHolds() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/xip/vm"))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
        assertThat(Files.readString(file)).as("%s", file).contains("Lock held by the caller");
      }
    }
  }

  @Test
  void aClassThatNamesTheAddressSpaceIsFound() {
    assertThat(
            onlyTheseUse(Set.of("AddressSpace"), Set.of("AddressSpace"))
                .evaluate(CLASSES)
                .getFailureReport()
                .toString())
        .contains("dev.xip.vm.AddressReader");
  }
}
