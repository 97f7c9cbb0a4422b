package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that want all that there is end, and the others go on. */
class HostileProgramTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/wait.h>
      #include <unistd.h>

      static char *take(long bytes) {
        char *a = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (long i = 0; i < bytes; i += 4096) a[i] = 1;
        return a;
      }

      int main(int argc, char **argv) {
        int status, p[2];
        setvbuf(stdout, NULL, _IONBF, 0);
        switch (argv[1][0]) {
        case 'l': /* A large process waits; a small one asks for a page after the other. */
          pipe(p);
          if (fork() == 0) {
            take(80 << 20);
            write(p[1], "x", 1);
            pause();
          }
          read(p[0], p, 1);
          if (fork() == 0) {
            char *small = take(60 << 20);
            printf("small %d\\n", small[0]);
            _exit(7);
          }
          for (int i = 0; i < 2; i++) {
            wait(&status);
            printf("status %x\\n", status);
          }
          break;
        case 'p': { /* Each process makes pipes until it may not. */
          volatile int *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
          for (int i = 0; i < 3; i++) {
            if (fork() == 0) {
              while (pipe(p) == 0) write(p[1], "x", 1);
              printf("%s\\n", strerrorname_np(errno));
              ++*done;
              pause();
            }
            while (*done == i) usleep(1000);
          }
          return 7;
        }
        case 'a': /* It alone takes all. */
          for (;;) take(1 << 20);
        case 'f': /* Children that each take memory: the parent goes on. */
          for (int i = 0; i < 3; i++) {
            if (fork() == 0) {
              for (;;) take(1 << 20);
            }
          }
          for (int i = 0; i < 3; i++) {
            wait(&status);
            printf("killed %d\\n", WTERMSIG(status));
          }
          break;
        case 'r': /* A read into memory that is used up. */
          pipe(p);
          if (fork() == 0) {
            take(90 << 20);
            write(p[1], "x", 1);
            pause();
          }
          read(p[0], p, 1);
          char *to = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          pipe(p);
          if (fork() == 0) {
            for (int i = 0; i < 1024; i++) write(p[1], to, 65536);
            _exit(0);
          }
          close(p[1]);
          long sum = 0, n;
          while ((n = read(p[0], to + sum, 1 << 20)) > 0) sum += n;
          printf("read %ld\\n", sum);
          kill(0, 0);
          break;
        case 'b': /* All processes that can be. */
          for (;;) fork();
        case 'e':
          for (;;) continue;
        }
        return 0;
      }
      """;

  @TempDir Path folder;
  private ProgramsOfTheHost root;
  private final List<String> trace = Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, List.of("/bin/dash", "/bin/sleep"));
    Path source = Files.writeString(folder.resolve("hostile.c"), SOURCE);
    Processes.run(
        "gcc", "-O1", "-w", "-static", "-o", root.tree().resolve("hostile") + "", source + "");
    root.boot();
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  @Test
  void theLargestTaskIsKilledAndNotTheOneThatFaults() throws IOException {
    root.trace(trace::add);
    ProgramResult result = root.run("/hostile", "l");
    assertThat(root.output()).isEqualTo("status 9\nsmall 1\nstatus 700\n");
    assertThat(result.status()).isZero();
    assertThat(result.killedForMemory())
        .singleElement()
        .asString()
        .matches("process 3 \\(hostile\\) with 8\\d{4} KiB: memory is used up");
    assertThat(trace)
        .anyMatch(line -> line.startsWith("    3 +++ killed: process 3 (hostile) with "));
  }

  @Test
  void aProgramThatTakesAllIsKilled() throws IOException {
    ProgramResult result = root.run("/hostile", "a");
    assertThat(result.status()).isEqualTo(128 + Signal.SIGKILL);
    assertThat(result.reason()).contains("memory is used up");
    root.isAsOnTheHost("echo alive");
  }

  @Test
  void theParentOfProcessesThatTakeAllGoesOn() throws IOException {
    ProgramResult result = root.run("/hostile", "f");
    assertThat(root.output()).isEqualTo("killed 9\nkilled 9\nkilled 9\n");
    assertThat(result.killedForMemory()).hasSize(3);
  }

  @Test
  void aReadGoesOnWhenMemoryIsFreed() throws IOException {
    ProgramResult result = root.run("/hostile", "r");
    assertThat(root.output()).isEqualTo("read %d\n".formatted(64 << 20));
    assertThat(result.killedForMemory()).hasSize(1);
  }

  @Test
  void pipesOfAllProcessesHaveALimitBesideThatOfEach() throws IOException {
    ProgramResult result = root.run("/hostile", "p");
    assertThat(root.output()).isEqualTo("EMFILE\nEMFILE\nENFILE\n");
    assertThat(result.status()).isEqualTo(7);
  }

  @Test
  void anEndlessLoopAndAForkBombEndByAnInterrupt() throws Exception {
    for (String what : List.of("e", "b")) {
      Thread runner = Thread.currentThread();
      Thread interrupter =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      Thread.sleep(Duration.ofMillis(1500));
                      runner.interrupt();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                  });
      ProgramResult result = root.run("/hostile", what);
      interrupter.join();
      assertThat(result.status()).as(what).isEqualTo(128 + Signal.SIGINT);
    }
    root.isAsOnTheHost("echo alive");
  }

  @Test
  void aForkBombOfAShellEndsWithItsFirstProcess() throws IOException {
    ProgramResult result = root.run("/bin/dash", "-c", "f() { f | f & }; f; sleep 1; echo still");
    assertThat(root.output()).isEqualTo("still\n");
    assertThat(result.processes()).isGreaterThan(2);
    root.isAsOnTheHost("echo alive");
  }
}
