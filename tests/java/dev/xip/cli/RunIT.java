package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
  void theEnvironmentIsNotTheHosts() throws Exception {
    ProcessBuilder builder =
        Xip.builder("run", "--env", "A=b c", "--env", "HOME=/x", image, "/bin/env");
    builder.environment().put("SECRET", "of the host");
    assertThat(Xip.run(builder).isDone().out())
        .contains("A=b c\n", "HOME=/x\n", "PATH=/")
        .doesNotContain("SECRET", "HOME=/\n");
  }

  @Test
  void aTraceGoesToStandardError() throws Exception {
    Xip.Result result = Xip.run("run", "--trace", image, "/bin/sh", "-c", "echo x");
    assertThat(result.out()).isEqualTo("x\n");
    assertThat(result.err())
        .contains("write(1, 0x", "exit_group(0)", "+++ exit status 0 +++", "missing system calls");
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
  void whatCannotRunIsOneLine() throws Exception {
    assertThat(Xip.run("run", image, "/bin/none").failsWithOneLine())
        .contains("/bin/none: No such file or directory");
    assertThat(Xip.run("run", image, "/bin").failsWithOneLine()).contains("may be executed");
    assertThat(Xip.run("run", "/etc/passwd", "/bin/sh").failsWithOneLine()).contains("/etc/passwd");
    assertThat(Xip.run("run", "--memory", "1", image, "/bin/sh").exit()).isEqualTo(2);
    assertThat(Xip.run("run", "--env", "x", image, "/bin/sh").exit()).isEqualTo(2);
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
