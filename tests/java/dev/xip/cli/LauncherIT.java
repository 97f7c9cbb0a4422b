package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher finds a JDK or says where it looked; help is complete, and wrong usage is 2. */
class LauncherIT {
  @TempDir Path folder;

  @Test
  void theVersionIsOneLine() throws Exception {
    assertThat(Xip.run("--version").isDone().out()).matches("xip \\d+\\.\\d+\\.\\d+\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "demo",
        "history",
        "bench",
        "maps",
        "pagetable",
        "pack",
        "ls",
        "cat",
        "stat",
        "cp",
        "check",
        "segment",
        "segment define",
        "segment list",
        "segment load",
        "segment modify",
        "segment save",
        "segment unload",
        "segment remove",
        "segment check",
        "completion"
      })
  void helpOfEachCommandHasUsageAndExamples(String command) throws Exception {
    Object[] arguments = (command + " --help").strip().split(" ");
    assertThat(Xip.run(arguments).isDone().out())
        .contains("Usage: xip " + (command.isEmpty() ? "[" : command))
        .contains("Examples:")
        .contains("--verbose")
        .doesNotContain("DEFAULT-VALUE", "$/");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "frobnicate",
        "ls",
        "ls --frobnicate x",
        "cat x",
        "segment",
        "pack a",
        "help frobnicate",
        "segment frobnicate"
      })
  void wrongUsageIsCodeTwoAndOneLine(String command) throws Exception {
    Object[] arguments = command.isEmpty() ? new Object[0] : command.split(" ");
    Xip.Result result = Xip.run(arguments);
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("xip: ").contains("--help").hasLineCount(1);
  }

  @Test
  void aFirstWordThatIsNotACommandIsNamed() throws Exception {
    for (String command :
        new String[] {"frobnicate", "help frobnicate", "--verbose frobnicate ls x /"}) {
      assertThat(Xip.run((Object[]) command.split(" ")).err())
          .startsWith("xip: unknown command: 'frobnicate' (see xip --help)");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "chekc x,              check",
    "lst,                  ls",
    "sgement list,         segment",
    "segment laod A,       load",
    "help segment remvoe,  remove",
    "ls --jsn x,           --json",
    "segment load A --exlusive, --exclusive"
  })
  void aWordThatResemblesOneIsAnsweredWithIt(String command, String meant) throws Exception {
    Xip.Result result = Xip.run((Object[]) command.split(" "));
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).contains("; did you mean " + meant + "? (see xip ").hasLineCount(1);
  }

  @Test
  void helpOfACommandIsThatOfItsOption() throws Exception {
    for (String command : new String[] {"", "ls", "run", "segment", "segment load", "help"}) {
      Object[] words = ("help " + command).strip().split(" ");
      assertThat(Xip.run(words).isDone().out())
          .as(command)
          .isEqualTo(Xip.run((Object[]) (command + " --help").strip().split(" ")).isDone().out());
    }
  }

  @Test
  void anEmptyArgumentIsNotAPath() throws Exception {
    Path image = folder.resolve("image");
    for (List<String> command :
        List.of(
            List.of("pack", "", image.toString()),
            List.of("pack", folder.toString(), ""),
            List.of("ls", ""),
            List.of("cat", "", "/f"),
            List.of("ls", image.toString(), ""),
            List.of("cp", image.toString(), "/f", ""),
            List.of("segment", "list", "--store", ""),
            List.of("segment", "define", "A", "--from", ""))) {
      Xip.Result result = Xip.run(command.toArray());
      assertThat(result.exit()).as("%s", command).isEqualTo(2);
      assertThat(result.err()).contains("expected a path, found an empty argument").hasLineCount(1);
    }
  }

  @Test
  void aLinkToItFromAnyFolderWorks() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("first"), Xip.launcher().toRealPath());
    Files.createSymbolicLink(folder.resolve("second"), link.getFileName());
    ProcessBuilder builder = new ProcessBuilder("./second", "--version").directory(folder.toFile());
    assertThat(Xip.run(builder).isDone().out()).startsWith("xip ");
  }

  @Test
  void theClassArchiveIsUsed() throws Exception {
    ProcessBuilder builder = Xip.builder("--version");
    builder.environment().put("XIP_JAVA_OPTS", "-Xshare:on -Xlog:class+load:stdout");
    assertThat(Xip.run(builder).out()).contains("dev.xip.cli.Main source: shared objects file\n");
  }

  @Test
  void aStaleClassArchiveIsPassedOverWithoutAWord() throws Exception {
    Path copy = copyOfTheInstallation("stale");
    Files.writeString(copy.resolve("xip.jsa"), "no archive");
    assertThat(
            Xip.run(new ProcessBuilder(copy.resolve("xip").toString(), "--version")).isDone().out())
        .startsWith("xip ");
  }

  @Test
  void optionsForTheJvmArePassedOn() throws Exception {
    ProcessBuilder builder = Xip.builder("--version");
    builder.environment().put("XIP_JAVA_OPTS", "-XshowSettings:properties -Dxip.told=yes");
    assertThat(Xip.run(builder).err()).contains("xip.told = yes");
  }

  @Test
  void withoutAJdkItSaysWhatItLookedForAndExits127() throws Exception {
    Path launcher = withoutJdks("empty", folder.resolve("nothing"));
    assertThat(run(launcher, Map.of("PATH", "")).exit()).isEqualTo(127);
    assertThat(run(launcher, Map.of("PATH", "", "JAVA_HOME", "/no/such")).err())
        .startsWith("xip: no JDK 25 or newer")
        .contains("XIP_JAVA_HOME (not set)", "JAVA_HOME (/no/such)", "PATH (none)")
        .hasLineCount(1);
  }

  @Test
  void aJdkThatIsTooOldIsPassedOver() throws Exception {
    Path old = jdk(folder.resolve("old"), "24.0.2");
    Path launcher = withoutJdks("old-only", folder.resolve("nothing"));
    assertThat(run(launcher, Map.of("PATH", "", "JAVA_HOME", old.toString())).exit())
        .isEqualTo(127);
    Path newer = jdk(folder.resolve("newer"), "26");
    Map<String, String> both =
        Map.of("PATH", newer.resolve("bin") + ":/bin", "JAVA_HOME", old.toString());
    assertThat(run(launcher, both).out()).startsWith(newer + " ");
  }

  @Test
  void theJdkThatIsAskedForIsTakenOrNone() throws Exception {
    Path old = jdk(folder.resolve("old"), "24.0.2");
    Path newer = jdk(folder.resolve("newer"), "26");
    Path nothing = Files.createDirectory(folder.resolve("nothing at all"));
    Path unnamed = jdk(folder.resolve("unnamed"), "26");
    Files.delete(unnamed.resolve("release"));
    Path launcher = withoutJdks("asked", folder.resolve("nothing"));
    for (Map.Entry<Path, String> each :
        Map.of(
                old, "version \"24.0.2\"",
                nothing, "no bin/java",
                unnamed, "no file release with its version")
            .entrySet()) {
      Map<String, String> asked =
          Map.of(
              "PATH", "",
              "XIP_JAVA_HOME", each.getKey().toString(),
              "JAVA_HOME", newer.toString());
      Xip.Result result = run(launcher, asked);
      assertThat(result.exit()).isEqualTo(127);
      assertThat(result.err())
          .isEqualTo(
              "xip: XIP_JAVA_HOME: %s: expected a JDK 25 or newer, found %s\n"
                  .formatted(each.getKey(), each.getValue()));
    }
  }

  @Test
  void aCopiedLauncherSaysWhatIsMissingAndWhereItLooked() throws Exception {
    Path copy = Files.createDirectory(folder.resolve("a bin")).resolve("xip");
    Files.copy(Xip.launcher(), copy, StandardCopyOption.COPY_ATTRIBUTES);
    for (String missing : new String[] {"xip.jar", "lib"}) {
      Xip.Result result = Xip.run(new ProcessBuilder(copy.toString(), "--version"));
      assertThat(result.exit()).isEqualTo(127);
      assertThat(result.err())
          .startsWith(
              "xip: %s: expected %s beside it in %s, found none"
                  .formatted(copy.toRealPath(), missing, copy.getParent().toRealPath()))
          .hasLineCount(1);
      Files.createFile(copy.resolveSibling(missing));
    }
  }

  @Test
  void jdksAreTakenInOrder() throws Exception {
    Path first = jdk(folder.resolve("first-jdk"), "25.0.3");
    Path second = jdk(folder.resolve("second-jdk"), "25.0.3");
    Path third = jdk(folder.resolve("jvms/third"), "25");
    Path fourth = jdk(folder.resolve("fourth"), "30.1");
    Path launcher = withoutJdks("order", folder.resolve("jvms"));
    String path = fourth.resolve("bin") + ":/usr/bin:/bin";
    String one = first.toString();
    String two = second.toString();
    assertThat(run(launcher, Map.of("PATH", path, "XIP_JAVA_HOME", one, "JAVA_HOME", two)).out())
        .startsWith(first + " ");
    assertThat(run(launcher, Map.of("PATH", path, "JAVA_HOME", two)).out())
        .startsWith(second + " ");
    assertThat(run(launcher, Map.of("PATH", path)).out()).startsWith(third + " ");
    Path bare = withoutJdks("bare", folder.resolve("nothing"));
    assertThat(run(bare, Map.of("PATH", path)).out()).startsWith(fourth + " ");
  }

  @Test
  void onlyLongCommandsGetTheSecondCompiler() throws Exception {
    Path jdk = jdk(folder.resolve("jdk"), "25");
    Path launcher = withoutJdks("tiers", folder.resolve("nothing"));
    Map<String, String> environment = Map.of("PATH", "", "JAVA_HOME", jdk.toString());
    assertThat(run(launcher, environment, "ls", "demo").out()).contains("TieredStopAtLevel=1");
    assertThat(run(launcher, environment, "--verbose", "demo").out())
        .doesNotContain("TieredStopAtLevel");
  }

  /** Makes a fake JDK that prints its home and its arguments. */
  private static Path jdk(Path home, String version) throws IOException {
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(
        home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"%s\"\n".formatted(version));
    Path java = home.resolve("bin/java");
    Files.writeString(java, "#!/bin/sh\necho '%s' \"$@\"\n".formatted(home));
    assertThat(java.toFile().setExecutable(true)).isTrue();
    return home;
  }

  /** A launcher that remembers no JDK and looks for them in another folder. */
  private Path withoutJdks(String name, Path jdkFolder) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name)).resolve("xip");
    String script = Files.readString(Xip.launcher());
    String changed =
        script
            .replaceFirst("(?m)^built_with=.*$", "built_with=/none")
            .replaceFirst("(?m)^jdk_folder=.*$", "jdk_folder='" + jdkFolder + "'");
    assertThat(changed).contains("built_with=/none\n").contains("jdk_folder='");
    Files.writeString(copy, changed);
    assertThat(copy.toFile().setExecutable(true)).isTrue();
    for (String each : new String[] {"xip.jar", "lib"}) {
      Files.createSymbolicLink(copy.resolveSibling(each), Xip.launcher().resolveSibling(each));
    }
    return copy;
  }

  private Path copyOfTheInstallation(String name) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name));
    Path home = Xip.launcher().toRealPath().getParent();
    for (String each : new String[] {"lib", "native"}) {
      Files.createSymbolicLink(copy.resolve(each), home.resolve(each));
    }
    Files.copy(home.resolve("xip.jar"), copy.resolve("xip.jar"));
    Path launcher =
        Files.copy(home.resolve("xip"), copy.resolve("xip"), StandardCopyOption.COPY_ATTRIBUTES);
    assertThat(launcher).isExecutable();
    return copy;
  }

  private static Xip.Result run(Path launcher, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(launcher.toString());
    builder.command().addAll(List.of(arguments));
    builder.environment().clear();
    builder.environment().putAll(environment);
    return Xip.run(builder);
  }
}
