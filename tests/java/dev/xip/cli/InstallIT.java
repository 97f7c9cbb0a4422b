package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Judge;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An installed command runs without the build, with its pages for man and its completion. */
class InstallIT {
  private static final Path SCRIPT = Path.of("src/main/launcher/install").toAbsolutePath();

  @TempDir static Path folder;

  private static Path prefix;

  @BeforeAll
  static void install() throws Exception {
    prefix = folder.resolve("a root/opt/x");
    run("umask 077; DESTDIR=\"$PWD/a root\" \"$S\" \"${X%/*}\" /opt/x").isDone();
  }

  private static Xip.Result run(String script) throws Exception {
    return Shell.bash(folder, "S='" + SCRIPT.toString().replace("'", "'\\''") + "'; " + script);
  }

  @Test
  void theCommandRunsFromItsPrefixWithItsClassArchive() throws Exception {
    Path moved = folder.resolve("elsewhere");
    run("cp -a 'a root/opt/x' elsewhere").isDone();
    for (Path each : List.of(prefix, moved)) {
      ProcessBuilder builder = new ProcessBuilder(each.resolve("bin/xip").toString(), "--version");
      builder.environment().put("XIP_JAVA_OPTS", "-Xlog:class+load:stdout");
      assertThat(Xip.run(builder).isDone().out())
          .contains("dev.xip.cli.Main source: shared objects file\n")
          .containsPattern("(?m)^xip \\d");
    }
  }

  @Test
  void othersMayReadAndRunIt() throws Exception {
    assertThat(run("find 'a root' ! -type l ! -perm -004 -o -type d ! -perm -005").isDone().out())
        .isEmpty();
    assertThat(prefix.resolve("bin/xip")).isSymbolicLink().isExecutable();
  }

  @Test
  void nothingOfAnOlderInstallationStays() throws Exception {
    Path old = Files.createFile(prefix.resolve("lib/xip/lib/old.jar"));
    Path page = Files.createFile(prefix.resolve("share/man/man1/xip-old.1"));
    run("DESTDIR=\"$PWD/a root\" \"$S\" \"${X%/*}\" /opt/x").isDone();
    assertThat(old).doesNotExist();
    assertThat(page).doesNotExist();
  }

  @Test
  void aPrefixIsAbsolute() throws Exception {
    Xip.Result result = run("\"$S\" \"${X%/*}\" opt");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).contains("expected an absolute path as prefix, found opt");
  }

  @Test
  void theCompletionIsTheOneThatIsPrinted() throws Exception {
    assertThat(prefix.resolve("share/bash-completion/completions/xip"))
        .hasContent(Xip.run("completion").isDone().out());
  }

  @Test
  void eachCommandHasAPageThatGroffSetsWithoutAWord() throws Exception {
    Judge.program("groff");
    Path pages = prefix.resolve("share/man/man1");
    try (Stream<Path> all = Files.list(pages)) {
      assertThat(all.map(each -> each.getFileName().toString()))
          .contains("xip.1", "xip-ls.1", "xip-segment.1", "xip-segment-read.1")
          .doesNotContain("xip-paths.1", "xip-man.1");
    }
    String set =
        "for each in 'a root'/opt/x/share/man/man1/*; do groff -man -ww -z \"$each\"; done";
    assertThat(run(set).isDone().out()).isEmpty();
    String page = "groff -man -Tutf8 -P-cbou 'a root/opt/x/share/man/man1/xip-segment-load.1'";
    assertThat(run(page).isDone().text())
        .contains("xip-segment-load - Load a segment, print its address, and hold it")
        .contains("NAME [COMMAND...]")
        .contains("XIP_SEGMENT_FILE")
        .contains("--timeout=SECONDS");
  }
}
