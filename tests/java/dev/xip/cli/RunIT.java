package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.BufferedReader;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code xip run} runs programs of an image as a shell runs those of the host. */
class RunIT {
  @TempDir Path folder;
  private Path image;

  @BeforeEach
  void pack() throws Exception {
    Judge.kvm();
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.createDirectory(tree.resolve("bin"));
    Files.copy(Judge.program("busybox"), tree.resolve("bin/busybox"));
    for (String name : new String[] {"sh", "cat", "wc", "sleep", "env"}) {
      Files.createSymbolicLink(tree.resolve("bin/" + name), Path.of("busybox"));
    }
    image = Images.ext2(tree);
  }

  @Test
  void theStreamsAndTheStatusAreTheProgramsOwn() throws Exception {
    Xip.Result result =
        Xip.run(
            "run", image, "/bin/sh", "-c", "echo a | cat | wc -c; echo oops >&2; exit 5", "--json");
    assertThat(result.out()).isEqualTo("2\n");
    assertThat(result.err()).isEqualTo("oops\n");
    assertThat(result.exit()).isEqualTo(5);
    assertThat(Xip.run("run", image, "/bin/sh", "-c", "kill -9 $$").exit()).isEqualTo(137);
  }

  @ParameterizedTest
  @CsvSource({"--chunksize=4096, true", "-zlz4, false"})
  void aProgramOfAnErofsImageRunsInPlaceIfItsBytesLieSo(String option, boolean inPlace)
      throws Exception {
    Judge.program("mkfs.erofs");
    Path tree = image.resolveSibling("tree");
    Path erofs = Images.erofs(tree, folder.resolve("erofs"), option);
    Xip.run("segment", "define", "E", "--from", erofs, "--store", folder.resolve("store")).isDone();
    for (String each : new String[] {erofs.toString(), "segment:E"}) {
      Xip.Result result =
          Xip.run(
              "run",
              "--stats",
              "--json",
              "--store",
              folder.resolve("store"),
              each,
              "/bin/sh",
              "-c",
              "echo a | cat | wc -c");
      assertThat(result.out()).as(each).isEqualTo("2\n");
      assertThat(result.exit()).as(each).isZero();
      JsonNode account = Xip.STRICT_JSON.readTree(result.err());
      assertThat(account.get("textFrames").asLong() == 0).as(result.err()).isEqualTo(inPlace);
    }
  }

  @Test
  void standardInputReachesTheProgram() throws Exception {
    Path input = Files.writeString(folder.resolve("input"), "line\n".repeat(100_000));
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh",
            "-c",
            "\"$0\" run \"$1\" /bin/cat < \"$2\" | sha256sum; sha256sum < \"$2\"",
            Xip.launcher().toString(),
            image.toString(),
            input.toString());
    List<String> sums = Xip.run(builder).isDone().out().lines().toList();
    assertThat(sums).hasSize(2);
    assertThat(sums.get(0)).isEqualTo(sums.get(1));
  }

  @Test
  void theRestOfStandardInputIsForTheNextProgramOfTheHost() throws Exception {
    Path input = Files.writeString(folder.resolve("input"), "first\nsecond\nthird\n");
    String script = "{ \"$0\" run \"$1\" /bin/sh -c 'read line; echo got $line'; cat; }";
    for (String each : List.of(script + " < \"$2\"", "cat \"$2\" | " + script)) {
      ProcessBuilder builder = new ProcessBuilder("sh", "-c", each, Xip.launcher().toString());
      builder.command().addAll(List.of(image.toString(), input.toString()));
      assertThat(Xip.run(builder).isDone().out()).as(each).isEqualTo("got first\nsecond\nthird\n");
    }
  }

  @Test
  void aProgramWaitsForStandardInputWithEpoll() throws Exception {
    String source =
        """
        #include <stdio.h>
        #include <sys/epoll.h>

        int main(void) {
          struct epoll_event event = {EPOLLIN | EPOLLET}, got;
          int set = epoll_create1(0);
          epoll_ctl(set, EPOLL_CTL_ADD, 0, &event);
          puts("waits");
          fflush(stdout);
          printf("%d", epoll_wait(set, &got, 1, -1));
          printf(" %d", epoll_wait(set, &got, 1, 10));
          printf(" %c\\n", getchar());
        }
        """;
    Path bound = Files.createDirectory(folder.resolve("epoll"));
    Files.writeString(bound.resolve("epoll.c"), source);
    Processes.run(
        "gcc", "-static", "-o", bound.resolve("wait") + "", bound.resolve("epoll.c") + "");
    Process process =
        Xip.builder("run", "--timeout", "10", "--bind", bound + ":/bound", image, "/bound/wait")
            .start();
    try (BufferedReader output = process.inputReader();
        Writer input = process.outputWriter()) {
      assertThat(output.readLine()).isEqualTo("waits");
      Thread.sleep(200);
      input.write("x");
      input.flush();
      assertThat(output.readLine()).isEqualTo("1 0 x");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aWriterToAPipeOfTheHostThatIsClosedIsEnded() throws Exception {
    String script =
        "\"$0\" run \"$1\" /bin/sh -c 'while :; do echo y; done' | head -1;"
            + " echo ${PIPESTATUS[0]}";
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", script, Xip.launcher().toString());
    builder.command().add(image.toString());
    assertThat(Xip.run(builder).isDone().out()).isEqualTo("y\n141\n");
  }

  @Test
  void theEnvironmentIsNotTheHosts() throws Exception {
    ProcessBuilder builder =
        Xip.builder("run", "--env", "A=b c", "--env", "HOME=/x", image, "/bin/env");
    builder.environment().put("SECRET", "of the host");
    assertThat(Xip.run(builder).isDone().out())
        .contains("A=b c\n", "HOME=/x\n", "PATH=/")
        .doesNotContain("SECRET", "HOME=/\n");
  }

  @Test
  void aFolderAndAFileOfTheHostAreBound() throws Exception {
    Path host = Files.createDirectory(folder.resolve("host"));
    Files.writeString(host.resolve("in"), "from the host\n");
    Xip.Result result =
        Xip.run(
            "run",
            "--bind",
            host + ":/host/here",
            "--bind",
            host.resolve("in") + ":/etc/one:ro",
            image,
            "/bin/sh",
            "-c",
            "cat /host/here/in /etc/one; echo out > /host/here/out; echo no > /etc/one");
    assertThat(result.out()).isEqualTo("from the host\nfrom the host\n");
    assertThat(result.err()).contains("/etc/one: Read-only file system");
    assertThat(host.resolve("out")).hasContent("out\n");
    assertThat(host.resolve("in")).hasContent("from the host\n");
    assertThat(Xip.run("run", "--bind", "nowhere", image, "/bin/sh").exit()).isEqualTo(2);
    assertThat(Xip.run("run", "--bind", "/no/such:/x", image, "/bin/sh").err())
        .startsWith("xip: ")
        .contains("/no/such");
  }

  @Test
  void aTraceGoesToStandardError() throws Exception {
    Xip.Result result = Xip.run("run", "--trace", image, "/bin/sh", "-c", "echo x");
    assertThat(result.out()).isEqualTo("x\n");
    assertThat(result.err())
        .contains("write(1, 0x", "exit_group(0)", "+++ exit status 0 +++")
        .doesNotContain("missing system calls");
  }

  @Test
  void anInterruptReachesTheProgram() throws Exception {
    Path out = folder.resolve("out");
    Process process =
        Xip.interruptible(
                "run",
                image,
                "/bin/sh",
                "-c",
                "trap 'echo int; exit 9' INT; echo ready; while :; do :; done")
            .redirectOutput(out.toFile())
            .start();
    try {
      for (int i = 0; i < 3_000 && process.isAlive() && Files.size(out) == 0; i++) {
        Thread.sleep(10);
      }
      Processes.run("kill", "-INT", Long.toString(process.pid()));
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      assertThat(process.exitValue()).isEqualTo(9);
      assertThat(Files.readString(out)).isEqualTo("ready\nint\n");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void theStatusOfWhatCannotRunIsThatOfAShell() throws Exception {
    assertThat(fails(127, "run", image, "/bin/none")).contains("/bin/none: No such file or dir");
    assertThat(fails(127, "run", image, "/bin/cat/x")).contains("/bin/cat");
    assertThat(fails(126, "run", image, "/bin")).contains("/bin: expected a file that may be ex");
    assertThat(fails(1, "run", "--workdir", "/none", image, "/bin/sh")).contains("/none: No such");
    assertThat(fails(1, "run", "--workdir", "/bin/cat", image, "/bin/sh")).contains("/bin/cat: No");
    assertThat(fails(1, "run", "/etc/passwd", "/bin/sh")).contains("/etc/passwd");
  }

  /** The one line on standard error. */
  private static String fails(int status, Object... arguments) throws Exception {
    Xip.Result result = Xip.run(arguments);
    assertThat(result.err()).startsWith("xip: ").endsWith("\n").hasLineCount(1);
    assertThat(result.exit()).as(result.err()).isEqualTo(status);
    return result.err();
  }

  @Test
  void optionsThatDoNotFitAreWrongUsage() throws Exception {
    assertThat(fails(2, "run", "--memory", "1", image, "/bin/sh")).contains("16 to 2048");
    assertThat(fails(2, "run", "--env", "x", image, "/bin/sh")).contains("NAME=VALUE");
    assertThat(fails(2, "run", "--json", image, "/bin/sh")).contains("--stats");
    assertThat(fails(2, "run", "--era", "1.0", image, "/bin/sh")).contains("2.6.24");
    assertThat(fails(2, "run", "--strategy", "guess", image, "/bin/sh")).contains("special-bit");
    assertThat(fails(2, "run", "--era", "3.19", "--strategy", "flat", image, "/bin/sh"))
        .contains("special-bit");
  }

  @Test
  void aProgramWhoseTimeIsUpEndsWithAllThatItStarted() throws Exception {
    assertThat(
            fails(
                124, "run", "--timeout", "0.5", image, "/bin/sh", "-c", "sleep 1000 & sleep 1000"))
        .contains("/bin/sh: ended after 0.5 seconds");
    assertThat(fails(124, "run", "--timeout", "0.5", image, "/bin/sh", "-c", "while :; do :; done"))
        .contains("--timeout");
  }

  @Test
  void aProcessThatIsKilledForMemoryIsNamed() throws Exception {
    Xip.Result result =
        Xip.run(
            "run",
            "--memory",
            "16",
            image,
            "/bin/sh",
            "-c",
            "x=0123456789abcdef; while :; do x=$x$x; done");
    assertThat(result.err()).matches("xip: killed: process 2 \\(sh\\) with [0-9]+ KiB: .*\n");
    assertThat(result.exit()).isEqualTo(137);
  }

  @Test
  void filesThatFillRamLeaveRoomForPrograms() throws Exception {
    String script =
        "cat /dev/zero > /big; echo $?; echo x > /more; rm /big; echo y > /more; cat /more";
    Xip.Result result = Xip.run("run", "--memory", "16", image, "/bin/sh", "-c", script);
    assertThat(result.out()).isEqualTo("1\ny\n");
    assertThat(result.err()).contains("No space left on device").doesNotContain("killed");
  }

  @Test
  void anImageThatIsCutWhileAProgramRunsIsNamed() throws Exception {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    String script = "echo ready; read x; cat /bin/busybox | wc -c";
    Process process =
        Xip.interruptible("run", image, "/bin/sh", "-c", script)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    try {
      for (int i = 0; i < 3_000 && process.isAlive() && Files.size(out) == 0; i++) {
        Thread.sleep(10);
      }
      try (FileChannel cut = FileChannel.open(image, StandardOpenOption.WRITE)) {
        cut.truncate(4096);
      }
      process.getOutputStream().close();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      assertThat(process.exitValue()).isEqualTo(135);
    } finally {
      process.destroyForcibly();
    }
    assertThat(err)
        .content()
        .startsWith("xip: ")
        .hasLineCount(1)
        .contains("truncated while in use");
  }

  @Test
  void theWorkingDirectoryIsAPathInTheImage() throws Exception {
    assertThat(Xip.run("run", "--workdir", "/bin", image, "./busybox", "pwd").isDone().out())
        .isEqualTo("/bin\n");
  }

  @ParameterizedTest
  @CsvSource({
    "xip, special-bit",
    "2.6.24, mem-segs-spin-lock",
    "2.6.24, refcount-pte-pfn-valid",
    "2.6.32, special-bit",
    "3.19, special-bit",
    "6.19, special-bit",
    "xip, flat-if-mixed"
  })
  void noTextHasAFrameInAnyEra(String era, String strategy) throws Exception {
    Xip.Result result =
        Xip.run(
            "run",
            "--stats",
            "--json",
            "--era",
            era,
            "--strategy",
            strategy,
            image,
            "/bin/sh",
            "-c",
            "echo a | cat; exit 4");
    assertThat(result.out()).isEqualTo("a\n");
    assertThat(result.exit()).as(result.err()).isEqualTo(4);
    JsonNode account = Xip.STRICT_JSON.readTree(result.err());
    assertThat(account.get("specialTextPages").asLong()).isPositive();
    assertThat(account.get("textFrames").asLong(-1)).isZero();
    assertThat(account.get("framesAtMost").get("all").asLong()).isPositive();
    assertThat(account.get("framesAtEnd").get("all").asLong(-1)).isZero();
    assertThat(account.get("wrong")).isEmpty();
    assertThat(account.get("questions").asLong() > 0).isEqualTo(!strategy.equals("special-bit"));
  }

  @Test
  void throughThePageCacheTextTakesFrames() throws Exception {
    Xip.Result result =
        Xip.run("run", "--stats", "--json", "--page-cache", image, "/bin/sh", "-c", "echo a | cat");
    assertThat(result.out()).isEqualTo("a\n");
    assertThat(result.exit()).as(result.err()).isZero();
    JsonNode account = Xip.STRICT_JSON.readTree(result.err());
    assertThat(account.get("specialPages").asLong(-1)).isZero();
    assertThat(account.get("textFrames").asLong()).isPositive();
    assertThat(account.get("framesAtMost").get("pageCache").asLong())
        .isGreaterThanOrEqualTo(account.get("textFrames").asLong());
    assertThat(account.get("wrong")).isEmpty();
  }

  @Test
  void thePatchAsPostedStopsTheFirstExec() throws Exception {
    assertThat(fails(1, "run", "--strategy", "mem-segs-posted", image, "/bin/sh"))
        .contains("strategy mem-segs-posted: BUG: sleeping function called from invalid context");
  }

  @Test
  void theAccountGoesWhereItIsWanted() throws Exception {
    Xip.Result table = Xip.run("run", "--stats", image, "/bin/sh", "-c", "echo x");
    assertThat(table.out()).isEqualTo("x\n");
    assertThat(table.err())
        .startsWith("/bin/sh: status 0\n")
        .containsPattern("frames for text +0\n")
        .doesNotContain("WRONG");
    Path file = folder.resolve("account");
    Xip.run("run", "--maps", "--stats", "--trace", "--output", file, image, "/bin/sh", "-c", "exit")
        .isDone();
    assertThat(Files.readString(file))
        .contains("exit_group(0)", "/bin/sh: status 0\n")
        .containsPattern(
            "r-xp [0-9a-f]+ /bin/busybox\n"
                + "Size: +[0-9]+ kB\n"
                + "Rss: +0 kB\n"
                + "Pss: +0 kB\n"
                + "Special: +[1-9]");
  }

  @Test
  void aUserWithoutTheRightToKvmIsToldInOneLine() throws Exception {
    Path device = Path.of("/dev/kvm");
    Judge.needs(
        !Files.getPosixFilePermissions(device).contains(PosixFilePermission.OTHERS_WRITE),
        "/dev/kvm that not every user may open");
    for (Path each : new Path[] {folder, image}) {
      Processes.run("chmod", "755", each.toString());
    }
    Path command = Files.createDirectory(folder.resolve("command"));
    assertThat(Xip.run(Xip.builderAsNobody(command, "run", image, "/bin/sh")).failsWithOneLine())
        .contains("no right to open /dev/kvm", "usermod -aG kvm");
  }

  @Test
  void aHostWithoutKvmIsOneLine() throws Exception {
    ProcessBuilder builder = Xip.builder("run", image, "/bin/sh");
    List<String> words = new ArrayList<>(Judge.inMountNamespace());
    words.addAll(
        List.of("sh", "-c", "mount -t tmpfs none /dev && exec \"$@\" 2>&1 >/proc/self/fd/1", "sh"));
    builder.command().addAll(0, words);
    Xip.Result result = Xip.run(builder);
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.out()).hasLineCount(1).startsWith("xip: no virtual processors: ");
  }
}
