package dev.xip;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Strace;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The project tests/consumer, built by Maven with the installed artifact alone and run as the
 * README says: on the class path, on the module path, and on a host without this checkout.
 */
class ConsumerIT {
  /** Keeps a JVM from calls into libraries that its user has not allowed. */
  private static final String DENY = "--illegal-native-access=deny";

  private static final String TEXT = "in place, page by page\n";

  @TempDir static Path folder;

  private static Path program;
  private static List<Path> libraries;
  private static Path image;

  @BeforeAll
  static void build() throws IOException {
    Path installed = Path.of(System.getProperty("xip.launcher")).resolveSibling("repository");
    Path repository = folder.resolve("repository");
    Path project = folder.resolve("consumer");
    Processes.run("cp", "-r", installed.toString(), repository.toString());
    Processes.run("cp", "-r", "tests/consumer", project.toString());
    Path settings = folder.resolve("settings.xml");
    Files.writeString(settings, settings(Path.of(System.getProperty("xip.maven.repository"))));
    Processes.Output built =
        Processes.runAny(
            "env",
            "JAVA_HOME=" + System.getProperty("java.home"),
            Path.of(System.getProperty("xip.maven.home"), "bin/mvn").toString(),
            "--batch-mode",
            "--no-transfer-progress",
            "--settings=" + settings,
            "--file=" + project.resolve("pom.xml"),
            "-Dmaven.repo.local=" + repository,
            "package");
    assertThat(built.exit()).as(built.text() + built.err()).isZero();
    program = project.resolve("target/consumer-1.jar");
    try (JarFile jar = new JarFile(program.toFile())) {
      String inherited = jar.getManifest().getMainAttributes().getValue("Class-Path");
      libraries = Stream.of(inherited.split(" ")).map(repository::resolve).toList();
    }
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), TEXT.repeat(1000));
    image = Images.ext2(tree);
  }

  /** Takes all plugins and libraries from a local repository, without the network. */
  private static String settings(Path repository) {
    String place =
        """
        <id>central</id>
        <url>%s</url>
        <releases><checksumPolicy>ignore</checksumPolicy></releases>
        """
            .formatted(repository.toUri());
    return """
    <settings>
      <profiles><profile>
        <id>host</id>
        <repositories><repository>%s</repository></repositories>
        <pluginRepositories><pluginRepository>%s</pluginRepository></pluginRepositories>
      </profile></profiles>
      <activeProfiles><activeProfile>host</activeProfile></activeProfiles>
    </settings>
    """
        .formatted(place, place);
  }

  private static String path() {
    List<String> all = new ArrayList<>(List.of(program.toString()));
    libraries.forEach(each -> all.add(each.toString()));
    return String.join(File.pathSeparator, all);
  }

  private static List<String> onTheClassPath(Path image) {
    return java(image, "--enable-native-access=ALL-UNNAMED", "-cp", path(), "consumer.Sum");
  }

  private static List<String> onTheModulePath(Path image) {
    String main = "consumer/consumer.Sum";
    return java(image, "--enable-native-access=dev.xip", "-p", path(), "-m", main);
  }

  private static List<String> java(Path image, String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    // Without a file of counters in /tmp.
    command.addAll(List.of("-XX:-UsePerfData", DENY));
    command.addAll(List.of(options));
    command.addAll(List.of(image.toString(), "/file"));
    return command;
  }

  private static void assertSums(List<String> command) throws IOException {
    assertSums(Processes.runAny(command.toArray(String[]::new)));
  }

  private static void assertSums(Processes.Output output) {
    String sum = Long.toString(TEXT.chars().asLongStream().sum() * 1000);
    assertThat(output.err()).isEmpty();
    assertThat(output.out().lines()).containsExactly("IN_PLACE", sum, sum);
  }

  @Test
  void theProgramInheritsNoLibraryOfTheCommand() {
    assertThat(libraries)
        .extracting(each -> each.getFileName().toString().replaceFirst("-[0-9.]+jar$", ""))
        .containsExactlyInAnyOrder(
            "xip", "commons-compress", "commons-codec", "commons-io", "commons-lang3");
  }

  @Test
  void itRunsOnTheClassPath() throws IOException {
    assertSums(onTheClassPath(image));
  }

  @Test
  void itRunsOnTheModulePath() throws IOException {
    assertSums(onTheModulePath(image));
  }

  @Test
  void compressedFilesAreReadOnBothPaths() throws IOException {
    Path erofs = folder.resolve("erofs.img");
    Images.erofs(folder.resolve("tree"), erofs, "-zlz4");
    String sum = Long.toString(TEXT.chars().asLongStream().sum() * 1000);
    for (List<String> command : List.of(onTheClassPath(erofs), onTheModulePath(erofs))) {
      Processes.Output output = Processes.run(command.toArray(String[]::new));
      assertThat(output.out().lines()).containsExactly("COMPRESSED_LZ4", sum);
    }
  }

  @Test
  void withoutTheFlagTheJvmWarnsAndNamesIt() throws IOException {
    for (List<String> command : List.of(onTheClassPath(image), onTheModulePath(image))) {
      command.remove(DENY);
      String flag =
          command.stream().filter(each -> each.startsWith("--enable-native")).findAny().get();
      command.remove(flag);
      assertThat(Processes.run(command.toArray(String[]::new)).err()).contains("Use " + flag);
    }
  }

  @Test
  void itRunsOnAHostWithoutTheCheckout() throws IOException {
    List<String> command = new ArrayList<>(Judge.inMountNamespace());
    String hide = "mount -t tmpfs none \"$0\" && ! [ -e \"$0/target\" ] && exec \"$@\"";
    command.addAll(List.of("sh", "-c", hide, Path.of("").toAbsolutePath().toString()));
    command.addAll(onTheModulePath(image));
    assertSums(command);
  }

  @Test
  void libxipComesOutOfTheJarWithoutAFile() throws IOException {
    Strace.require();
    Path log = folder.resolve("strace.log");
    List<String> command =
        new ArrayList<>(List.of("strace", "-f", "-o", log.toString(), "-e", "trace=%file,%desc"));
    command.addAll(onTheClassPath(image));
    assertSums(command);
    List<String> calls = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
    assertThat(calls).filteredOn(each -> each.contains("memfd_create(\"libxip.so\"")).hasSize(1);
    assertThat(calls)
        .filteredOn(each -> each.matches(".*(O_CREAT|O_TMPFILE| creat| mk|link(at)?\\(| rename).*"))
        .filteredOn(each -> !each.contains("readlink"))
        .isEmpty();
  }

  @Test
  void anOldKernelMakesTheMemfdWithOldFlags() throws IOException {
    assertSums(straced("inject=memfd_create:error=EINVAL:when=1"));
  }

  @Test
  void aMemfdThatTheSystemRefusesIsNamedWithTheRemedy() throws IOException {
    List<String> command = straced("inject=memfd_create:error=EPERM");
    assertThat(Processes.runAny(command.toArray(String[]::new)).err())
        .contains("xip-0.1.0.jar!/META-INF/native/linux-" + System.getProperty("os.arch"))
        .contains("libxip.so, in a memfd: memfd_create(name=libxip.so")
        .contains("EPERM")
        .contains("-Dxip.library=FILE");
  }

  private static List<String> straced(String injection) throws IOException {
    Strace.require();
    List<String> command =
        new ArrayList<>(List.of("strace", "-f", "-o", "/dev/null", "-e", "trace=memfd_create"));
    command.addAll(List.of("-e", injection));
    command.addAll(onTheClassPath(image));
    return command;
  }

  @Test
  void aSystemThatForbidsExecutableMemfdsRunsIt() throws IOException {
    Judge.root();
    Path setting = Path.of("/proc/sys/vm/memfd_noexec");
    Judge.needs(Files.exists(setting), "root on Linux 6.3 or newer");
    List<String> command =
        new ArrayList<>(List.of(Judge.program("unshare").toString(), "--pid", "--fork"));
    String forbid = "echo 2 >" + setting + " && exec \"$@\"";
    command.addAll(List.of("--mount-proc", "sh", "-c", forbid, "sh"));
    command.addAll(onTheClassPath(image));
    assertSums(command);
  }
}
