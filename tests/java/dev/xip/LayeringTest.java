package dev.xip;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The layers: which package may use which. The table is the design; this keeps the code to it. */
public class LayeringTest {
  private static final String ROOT = "dev.xip";

  /**
   * Readers of formats are for the mount, which picks one by the magic number. It loads segments
   * into a physical memory of its own, and rewires fragmented files: phys and mapping.
   */
  private static final Set<String> MOUNT =
      Set.of(
          "base",
          "host",
          "phys",
          "mapping",
          "segment",
          "disk",
          "image",
          "image.ext",
          "image.erofs",
          "file");

  private static final Set<String> MACHINE =
      with(MOUNT, "pagetable", "vm", "elf", "mount", "process");

  private static final Set<String> MEASURE =
      with(
          MACHINE,
          "",
          "nio",
          "extract",
          "pack",
          "pack.ext",
          "hold",
          "machine",
          "cpu",
          "vfs",
          "linux",
          "scenario");

  /** Package to the packages that it may use. Sub-packages are listed by themselves. */
  private static final Map<String, Set<String>> MAY_USE =
      Map.ofEntries(
          Map.entry("base", Set.of()),
          Map.entry("bindings", Set.of()),
          Map.entry("host", Set.of("base", "bindings")),
          Map.entry("phys", Set.of("base", "host")),
          // Of the bindings only PteBits, the constants of include/xip/pte.h: see below.
          Map.entry("pagetable", Set.of("base", "bindings")),
          Map.entry("mapping", Set.of("base")),
          Map.entry("segment", Set.of("base", "host", "phys", "mapping")),
          Map.entry("vm", Set.of("base", "phys", "pagetable", "mapping")),
          Map.entry("disk", Set.of("base")),
          Map.entry("image", Set.of("base")),
          Map.entry("image.ext", Set.of("base", "image")),
          Map.entry("image.erofs", Set.of("base", "image")),
          Map.entry("elf", Set.of("base")),
          Map.entry("file", Set.of("base", "phys", "image", "mapping")),
          Map.entry("mount", MOUNT),
          Map.entry("process", Set.of("base", "vm", "elf", "image", "file")),
          Map.entry("nio", Set.of("base", "image", "mount")),
          // The package dev.xip itself. A file as memory is what mount returns: a type of file.
          Map.entry("", Set.of("base", "image", "file", "mount")),
          Map.entry("extract", Set.of("base", "host", "image", "mount")),
          // What a packed image replaces, and how, is the same question as for a file copied out.
          Map.entry(
              "pack", Set.of("base", "host", "disk", "image", "mount", "extract", "pack.ext")),
          // Writes the layout that image.ext reads, so both take its constants from one place.
          Map.entry("pack.ext", Set.of("base", "image", "image.ext")),
          // A held segment is loaded into a physical memory of its own.
          Map.entry("hold", Set.of("base", "host", "phys", "segment")),
          Map.entry("machine", MACHINE),
          Map.entry("cpu", Set.of("base", "host", "phys", "pagetable", "vm")),
          Map.entry("vfs", Set.of("base", "image", "mapping", "file")),
          Map.entry("bind", Set.of("base", "host", "image", "mapping", "file", "vfs")),
          Map.entry("linux", with(MACHINE, "machine", "cpu", "vfs")),
          Map.entry("scenario", with(MACHINE, "machine")),
          Map.entry("measure", MEASURE),
          Map.entry("demo", with(MEASURE, "measure")),
          Map.entry("history", with(MEASURE, "measure")),
          Map.entry("cli", with(MEASURE, "measure", "demo", "history", "bind")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  private static Set<String> with(Set<String> below, String... more) {
    Set<String> all = new TreeSet<>(below);
    all.addAll(Set.of(more));
    return all;
  }

  @TestFactory
  Stream<DynamicTest> aPackageUsesOnlyTheLayersBelowIt() {
    return MAY_USE.entrySet().stream()
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row.getKey() + " uses only " + below(row.getKey()),
                    () -> check(ruleOf(row.getKey()))));
  }

  /** The rule of one package. */
  public static ArchRule ruleOf(String name) {
    String[] forbidden =
        MAY_USE.keySet().stream()
            .filter(p -> !p.equals(name))
            .filter(p -> !MAY_USE.get(name).contains(p))
            .map(LayeringTest::packageOf)
            .toArray(String[]::new);
    return noClasses()
        .that()
        .resideInAPackage(packageOf(name))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(forbidden);
  }

  private static String packageOf(String name) {
    return name.isEmpty() ? ROOT : ROOT + "." + name;
  }

  /** The packages that one may use, in alphabetical order. */
  public static Set<String> below(String name) {
    return new TreeSet<>(MAY_USE.get(name));
  }

  @Test
  void everyPackageIsInTheTable() {
    Set<String> unknown = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      String name = each.getPackageName();
      if (!MAY_USE.containsKey(name.substring(Math.min(name.length(), ROOT.length() + 1)))) {
        unknown.add(name);
      }
    }
    org.assertj.core.api.Assertions.assertThat(unknown).isEmpty();
  }

  @Test
  void noPackagesFormACycle() {
    check(slices().matching(ROOT + ".(**)").should().beFreeOfCycles());
  }

  @Test
  void pageTablesTakeOnlyTheEntryBitsFromTheBindings() {
    check(
        noClasses()
            .that()
            .resideInAPackage(ROOT + ".pagetable")
            .should()
            .dependOnClassesThat(
                new com.tngtech.archunit.base.DescribedPredicate<JavaClass>("are not PteBits") {
                  @Override
                  public boolean test(JavaClass used) {
                    return used.getPackageName().equals(ROOT + ".bindings")
                        && !used.getSimpleName().startsWith("PteBits");
                  }
                }));
  }

  @Test
  void onlyTheNativeFenceMakesRestrictedCalls() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + ".host", ROOT + ".bindings")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.Linker")
            .orShould()
            .callMethodWhere(
                com.tngtech.archunit.core.domain.JavaCall.Predicates.target(
                    com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching(
                        "reinterpret|libraryLookup|restrictedNativeAccess")))
            .orShould()
            .callMethod(System.class, "load", String.class)
            .orShould()
            .callMethod(System.class, "loadLibrary", String.class));
  }

  @Test
  void onlyTheCommandLineExits() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + ".cli", ROOT + ".bindings")
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class));
  }

  /** Only dev.xip.cli prints, and it through the place that knows what a terminal obeys. */
  @Test
  void nothingIsPrintedPastTheOutputOfTheCommandLine() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".bindings")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(Throwable.class, "printStackTrace"));
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(CLASSES);
  }
}
