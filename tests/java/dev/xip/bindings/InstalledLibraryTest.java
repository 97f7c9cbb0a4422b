package dev.xip.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What make install gives a programmer in C or C++. */
class InstalledLibraryTest {
  private static final String SONAME = "libxip.so." + Xip.XIP_ABI_VERSION();
  private static final String WARNINGS = "-Wall -Wextra -pedantic -Werror";

  @TempDir Path folder;
  private Path prefix;

  @BeforeEach
  void nameThePrefix() {
    prefix = folder.resolve("a prefix, für C");
  }

  private Processes.Output make(String target, String prefix, String destination)
      throws IOException {
    return Processes.runAny(
        "sh",
        "-c",
        "umask 077; exec make -s --no-print-directory -C native \"$@\"",
        "make",
        target,
        "OUT=../target/native",
        "PREFIX=" + prefix,
        "DESTDIR=" + destination);
  }

  private void install() throws IOException {
    assertThat(make("install", prefix.toString(), "")).isEqualTo(new Processes.Output(0, "", ""));
  }

  /** Each file with its mode, and each link with its target. */
  private static Map<String, String> files(Path root) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.filter(it -> !Files.isDirectory(it)).toList()) {
        files.put(
            root.relativize(path).toString(),
            Files.isSymbolicLink(path)
                ? Files.readSymbolicLink(path).toString()
                : PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
      }
    }
    return files;
  }

  private static List<CHeader.Function> functions() throws IOException {
    List<CHeader.Function> functions = new ArrayList<>();
    for (BoundHeader each : BoundHeader.ALL) {
      functions.addAll(CHeader.read(BoundHeader.INCLUDE, each.name()).functions);
    }
    functions.removeIf(CHeader.Function::isType);
    return functions;
  }

  @Test
  void aStagedInstallationIsReadableForAllAndComplete() throws IOException {
    Path stage = folder.resolve("a stage");
    assertThat(make("install", "/opt/for C", stage.toString()).exit()).isZero();
    Map<String, String> expected = new TreeMap<>();
    for (BoundHeader each : BoundHeader.ALL) {
      expected.put("include/xip/" + each.name(), "rw-r--r--");
    }
    expected.put("lib/" + SONAME, "rwxr-xr-x");
    expected.put("lib/libxip.so", SONAME);
    expected.put("lib/pkgconfig/xip.pc", "rw-r--r--");
    expected.put("share/man/man3/xip.3", "rw-r--r--");
    functions()
        .forEach(each -> expected.put("share/man/man3/%s.3".formatted(each.name()), "xip.3"));
    assertThat(files(stage.resolve("opt/for C"))).isEqualTo(expected);
    try (Stream<Path> folders = Files.walk(stage).filter(Files::isDirectory)) {
      assertThat(folders)
          .allSatisfy(
              each ->
                  assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(each)))
                      .isEqualTo("rwxr-xr-x"));
    }
  }

  @Test
  void aSecondInstallationChangesNothingAndUninstallLeavesNoFile() throws IOException {
    install();
    Map<String, String> first = files(prefix);
    install();
    assertThat(files(prefix)).isEqualTo(first);
    Path other = Files.createFile(prefix.resolve("include/xip/other.h"));
    for (int i = 0; i < 2; i++) {
      assertThat(make("uninstall", prefix.toString(), "").exit()).isZero();
      assertThat(files(prefix)).containsOnlyKeys("include/xip/other.h");
    }
    Files.delete(other);
    assertThat(make("uninstall", prefix.toString(), "").exit()).isZero();
    assertThat(prefix.resolve("include/xip")).doesNotExist();
  }

  @Test
  void aPrefixThatIsNoAbsolutePathIsRefused() throws IOException {
    Processes.Output output = make("install", "here", folder.toString());
    assertThat(output.exit()).isNotZero();
    assertThat(output.err()).contains("PREFIX=here: expected an absolute path");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void pkgConfigKnowsTheRelease() throws IOException {
    install();
    String version = pkgConfig("--modversion xip").text().strip();
    assertThat(Files.readString(Path.of("pom.xml")))
        .contains("<artifactId>xip</artifactId>\n  <version>%s</version>".formatted(version));
  }

  private Processes.Output pkgConfig(String arguments) throws IOException {
    Judge.program("pkg-config");
    return Processes.run(
        "env",
        "PKG_CONFIG_PATH=" + prefix.resolve("lib/pkgconfig"),
        "sh",
        "-c",
        "exec pkg-config " + arguments);
  }

  /** The build itself needs gcc. */
  private static void require(String compiler) {
    if (!compiler.equals("gcc")) {
      Judge.program(compiler);
    }
  }

  /** Compiles against the installation alone and runs the program on a segment of one page. */
  private String compiledAndRun(String compiler, Path source, int runs) throws IOException {
    require(compiler.split(" ")[0]);
    Judge.program("pkg-config");
    install();
    Path program = folder.resolve("program");
    String command = "%s %s -o \"$1\" \"$0\"".formatted(compiler, WARNINGS);
    Processes.Output compiled =
        Processes.runAny(
            "env",
            "PKG_CONFIG_PATH=" + prefix.resolve("lib/pkgconfig"),
            "sh",
            "-c",
            "flags=$(pkg-config --cflags --libs xip) && eval exec '%s' \"$flags\""
                .formatted(command),
            source.toString(),
            program.toString());
    assertThat(compiled).isEqualTo(new Processes.Output(0, "", ""));
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    store.define(SegmentName.of("COUNT"), SegmentType.SW, 16 * Pages.SIZE, SegmentSource.zeros());
    String output = "";
    for (int i = 0; i < runs; i++) {
      String library = "LD_LIBRARY_PATH=" + prefix.resolve("lib");
      output =
          Processes.run("env", library, program.toString(), store.folder().toString(), "count")
              .text();
    }
    return output;
  }

  @ParameterizedTest
  @ValueSource(strings = {"gcc -std=c11", "clang -std=c11", "g++ -std=c++11 -x c++"})
  void theProgramOfTheReadmeCountsItsRuns(String compiler) throws IOException {
    List<String> lines = Files.readAllLines(Path.of("README.md"));
    int start = lines.lastIndexOf("```c") + 1; // after the ten lines of ReadmeIT
    int length = lines.subList(start, lines.size()).indexOf("```");
    assertThat(length).isBetween(1, 20);
    Path source = Files.write(folder.resolve("count.c"), lines.subList(start, start + length));
    assertThat(compiledAndRun(compiler, source, 2)).isEqualTo("run 2 on COUNT, 65536 bytes\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"g++ -std=c++11", "g++ -std=c++20"})
  void aCppProgramLoadsGuardsAndWalks(String compiler) throws IOException {
    assertThat(compiledAndRun(compiler, Path.of("tests/native/installed.cpp"), 1))
        .isEqualTo("pa 0x5008, special 1\nlost 0\n");
  }

  @Test
  void cppLinksEveryFunction() throws IOException {
    StringBuilder text = new StringBuilder();
    BoundHeader.ALL.forEach(each -> text.append("#include <xip/%s>\n".formatted(each.name())));
    text.append("static const void *all[] = {");
    functions().forEach(each -> text.append("(void *)%s,\n".formatted(each.name())));
    text.append("};\nint main() { for (const void *each : all) if (!each) return 1; return 0; }\n");
    Path source = Files.writeString(folder.resolve("all.cpp"), text);
    assertThat(compiledAndRun("g++ -std=c++11 -Wno-address", source, 1)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "gcc, c, c99",
    "gcc, c, c11",
    "gcc, c, c2x",
    "clang, c, c99",
    "clang, c, c17",
    "g++, c++, c++98",
    "g++, c++, c++11",
    "g++, c++, c++20",
    "clang, c++, c++17"
  })
  void eachHeaderStandsAlone(String compiler, String language, String standard) throws IOException {
    require(compiler);
    List<String> command = new ArrayList<>(List.of(compiler, "-fsyntax-only", "-std=" + standard));
    command.addAll(List.of((WARNINGS + " -Wshadow -Wundef -I include -x " + language).split(" ")));
    for (BoundHeader each : BoundHeader.ALL) {
      String line = "#include \"xip/%s\"\n".formatted(each.name());
      Path source = folder.resolve(each.name() + ".source");
      command.add(Files.writeString(source, line + line + "extern int used;\n").toString());
    }
    assertThat(Processes.runAny(command.toArray(String[]::new)))
        .isEqualTo(new Processes.Output(0, "", ""));
  }

  @Test
  void theLibraryExportsWhatTheHeadersDeclareAndWhatTheJvmCalls() throws Exception {
    List<String> expected = new ArrayList<>(List.of("JNI_OnLoad"));
    functions().forEach(each -> expected.add(each.name()));
    try (Stream<Path> classes = Files.list(Path.of("target/classes/dev/xip/host"))) {
      for (Path each : classes.toList()) {
        String name = each.getFileName().toString().replace(".class", "");
        Class<?> type = Class.forName("dev.xip.host." + name, false, getClass().getClassLoader());
        for (Method method : type.getDeclaredMethods()) {
          if (Modifier.isNative(method.getModifiers())) {
            expected.add("Java_dev_xip_host_%s_%s".formatted(name, method.getName()));
          }
        }
      }
    }
    Judge.program("nm");
    String symbols =
        Processes.run("nm", "-D", "--defined-only", System.getProperty("xip.library")).text();
    assertThat(symbols.lines().map(line -> line.replaceFirst("\\w+ T ", "")))
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void theLibraryIsNamedByItsAbi() throws IOException {
    Judge.program("readelf");
    assertThat(Processes.run("readelf", "-d", System.getProperty("xip.library")).text())
        .contains("Library soname: [%s]".formatted(SONAME));
  }

  /** The synopsis is C: once the headers are included, the compiler refuses another declaration. */
  @Test
  void theManPageDeclaresEachFunctionAsTheHeadersDo() throws IOException {
    String page = Files.readString(Path.of("native/xip.3"));
    String synopsis =
        page.substring(page.indexOf(".EX") + 3, page.indexOf(".EE")).replace("\\-", "-");
    Path source = folder.resolve("synopsis.c");
    Files.writeString(
        source,
        synopsis.lines().filter(line -> line.startsWith("#")).collect(Collectors.joining("\n"))
            + synopsis);
    assertThat(
            Processes.runAny("gcc", "-Wall", "-fsyntax-only", "-I", "include", source.toString()))
        .isEqualTo(new Processes.Output(0, "", ""));
    assertThat(functions())
        .allSatisfy(
            each ->
                assertThat(page).contains(each.name() + "(", ".BR %s ()".formatted(each.name())));
  }

  @Test
  void theManPageHasNoMistakesForGroff() throws IOException {
    Judge.program("groff");
    assertThat(Processes.runAny("groff", "-man", "-ww", "-z", "native/xip.3"))
        .isEqualTo(new Processes.Output(0, "", ""));
  }
}
