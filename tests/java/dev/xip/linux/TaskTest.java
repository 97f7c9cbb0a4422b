package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several processes run out of one image at once; the host runs the same commands. */
class TaskTest {
  private static final List<String> PROGRAMS =
      List.of(
          "/bin/dash",
          "/bin/cat",
          "/bin/ls",
          "/bin/true",
          "/bin/false",
          "/bin/sleep",
          "/usr/bin/wc",
          "/usr/bin/seq",
          "/usr/bin/head",
          "/usr/bin/sort",
          "/usr/bin/tr",
          "/usr/bin/yes",
          "/usr/bin/env",
          "/usr/bin/expr");

  @TempDir Path folder;
  private ProgramsOfTheHost root;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, PROGRAMS);
    script("script", "#!/bin/dash\necho \"$0: $# $1\"; exit 4\n");
    script("traced", "#!/bin/dash -e\nfalse\necho not reached\n");
    script("outer", "#!/script x\n");
    script("lost", "#!/no/such/interpreter\n");
    folders();
    root.boot();
  }

  /** The host judges with chroot in the same tree. */
  @Test
  void directoriesAreChangedAndListed() throws IOException {
    root.isAsUnderChroot("cd /usr/bin && pwd && cd .. && pwd; cd /no; ls -d *; echo /*/sl*");
    root.isAsUnderChroot("cd links/deep && pwd -P && ls; cat below; cd -P .. && pwd; ./tool a b");
    root.isAsUnderChroot("ls -la /folder/ | wc -l; ls /folder | sort | head -n 3; ls -i /no");
    root.isAsUnderChroot("umask; umask 027; umask; (umask 0; umask); ./script 1 || echo $?");
    root.isAsUnderChroot("cat /folder/$(printf 'n\\351') /folder/n*");
  }

  private void script(String name, String text) throws IOException {
    Path file = Files.writeString(root.tree().resolve(name), text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private void folders() throws IOException {
    Path folder = Files.createDirectory(root.tree().resolve("folder"));
    for (int i = 0; i < 300; i++) {
      Files.createFile(folder.resolve("a-name-that-fills-its-directory-" + i));
    }
    Path deep = Files.createDirectory(folder.resolve("deep"));
    Files.writeString(deep.resolve("below"), "found below\n");
    Files.createSymbolicLink(root.tree().resolve("links"), Path.of("folder/./"));
    script("folder/tool", "#!/bin/dash\necho \"$0 $*\"\n");
    Processes.run(
        "/bin/dash", "-c", "echo bytes > \"$1/$(printf 'n\\351')\"", "dash", folder.toString());
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  @Test
  void aShellStartsProgramsAndTakesTheirStatus() throws IOException {
    ProgramResult result =
        root.isAsOnTheHost("/bin/true && echo yes; /bin/false || echo no $?; (exit 9); echo $?");
    assertThat(result.processes()).isEqualTo(4);
    root.isAsOnTheHost("x=$(expr 6 '*' 7); echo $x; y=`echo a; echo b`; echo \"$y\"; exit 5");
  }

  @Test
  void aPipelineMovesBytesBetweenProcesses() throws IOException {
    root.isAsOnTheHost("echo a | cat | wc -c");
    root.isAsOnTheHost("seq 1 50000 | cat | tr 0-9 a-j | sort -r | wc");
    root.isAsOnTheHost("seq 1 9 | while read i; do echo \"<$i>\"; done | tr '\\n' ' '");
  }

  @Test
  void aWriterWithoutAReaderIsEnded() throws IOException {
    root.isAsOnTheHost("yes | head -n 3; { yes; echo $? >&2; } | head -n 1");
  }

  @Test
  void childrenRunAtOnceAndAreWaitedFor() throws IOException {
    root.isAsOnTheHost(
        "{ sleep 0.2; echo late; } & { echo early; } & wait; (exit 3) & wait $!; echo $?");
    root.isAsOnTheHost("sleep 0.05 & sleep 0.1 & sleep 0.01 & wait; jobs; echo done");
  }

  @Test
  void descriptorsAreCopiedAndRedirected() throws IOException {
    root.isAsOnTheHost(
        "exec 3>&1; { echo three >&3; echo two >&2; } 2>&1 | cat; exec 3>&-; echo x >&3");
    root.isAsOnTheHost("cat <<END\nhere $((1+1))\nEND\ncat /no/such 2>/dev/null; echo $?");
  }

  @Test
  void environmentAndArgumentsReachTheProgram() throws IOException {
    root.run("/bin/dash", "-c", "A=1 B='two words' env; env -i C=3 env");
    assertThat(root.output().lines()).contains("A=1", "B=two words", "C=3", "PATH=/usr/bin:/bin");
  }

  @Test
  void aScriptRunsByItsInterpreter() throws IOException {
    assertThat(root.run("/script", "one", "two").status()).isEqualTo(4);
    assertThat(root.output()).isEqualTo("/script: 2 one\n");
    assertThat(root.run("/traced").status()).isEqualTo(1);
    assertThat(root.run("/bin/dash", "-c", "/outer arg").status()).isEqualTo(4);
    assertThat(root.output()).isEqualTo("/script: 3 x\n");
  }

  @Test
  void whatCannotBeExecutedIsSaid() throws IOException {
    root.isAsOnTheHost("/no/such/program; echo $?; /usr; echo $?");
    assertThat(root.run("/bin/dash", "-c", "/lost").status()).isEqualTo(127);
    assertThat(root.errors()).contains("not found");
  }

  @Test
  void tasksThatAreLeftEndWithTheFirst() throws IOException {
    long start = System.nanoTime();
    assertThat(root.run("/bin/dash", "-c", "sleep 100 & yes >/dev/null & exit 6").status())
        .isEqualTo(6);
    assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
  }

  @Test
  void aForkBombIsBounded() throws IOException {
    ProgramResult result =
        root.run("/bin/dash", "-c", "i=0; while [ $i -lt 200 ]; do sleep 50 & i=$((i+1)); done");
    assertThat(root.errors()).contains("Cannot fork");
    assertThat(result.processes()).isEqualTo(Kernel.MOST_TASKS);
  }

  @Test
  void aTraceHasALineForEachCall() throws IOException {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    root.trace(lines::add);
    root.run("/bin/dash", "-c", "/bin/false; cat /no/such; exit 3");
    assertThat(lines)
        .anyMatch(line -> line.contains("execve(\"/bin/false\", 0x"))
        .anyMatch(line -> line.contains("openat(-100, \"/no/such\", 0x0, 00) = -1 ENOENT"))
        .anyMatch(line -> line.contains("rseq(...) = -1 ENOSYS"))
        .contains("    2 +++ exit status 3 +++", "    3 +++ exit status 1 +++");
  }
}
