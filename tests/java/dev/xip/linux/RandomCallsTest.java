package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** System calls with numbers and arguments at random. */
class RandomCallsTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/syscall.h>
      #include <sys/wait.h>
      #include <unistd.h>

      static unsigned long long state;
      static char *page;

      static unsigned next(void) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state >> 11;
      }

      static long argument(void) {
        static const long odd[] = {
          0, -1, 1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 17, 64, 255, 256, 1024, 4095, 4096, 65536,
          0x7fffffff, 0x80000000, -2147483648L, 0xffffffff, 1L << 32, 1L << 40, ~(1UL << 63),
          1UL << 63, 0x7fffffffe000, 0x800000000000, 0xffff800000000000, 0xffffffff80000000,
          -100, -4096, 0x1000};
        switch (next() % 8) {
        case 0: case 1: return (long)page + next() % 4096;
        case 2: return (long)page + next() % 64 * 64;
        case 3: return (long)page + 4090 + next() % 12;
        case 4: return next();
        case 5: return next() % 16;
        default: return odd[next() % (sizeof odd / sizeof *odd)];
        }
      }

      static void calls(int count) {
        static const char *paths[] = {"/tmp/f", "/proc/self/fd/1", "/dev/zero", "/proc/self/maps"};
        page = mmap(NULL, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(page + 4096, 4096);
        for (int i = 0; i < count; i++) {
          for (int k = 0; k < 64; k++) ((long *)page)[next() % 512] = argument();
          if (next() % 3 == 0) strcpy(page + next() % 64 * 64, paths[next() % 4]);
          int number = next() % 452;
          switch (number) {
          case SYS_exit: case SYS_exit_group: case SYS_pause: case SYS_rt_sigreturn: case SYS_kill:
          case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_write: case SYS_writev:
            continue;
          }
          alarm(1);
          long r = syscall(number, argument(), argument(), argument(), argument(), argument(),
                           argument());
          if (r == 0 && (number >= SYS_clone && number <= SYS_vfork || number == SYS_clone3)) _exit(0);
        }
      }

      int main(int argc, char **argv) {
        for (int child = 0; child < 60; child++) {
          pid_t pid = fork();
          if (pid == 0) {
            state = (strtoull(argv[1], 0, 0) + child) * 0x9E3779B97F4A7C15 | 1;
            calls(60);
            _exit(0);
          }
          for (int tries = 0; waitpid(pid, NULL, WNOHANG) == 0; tries++) {
            usleep(10000);
            if (tries == 100) kill(pid, SIGKILL);
          }
        }
        printf("done\\n");
        return 0;
      }
      """;

  @TempDir Path folder;

  @Test
  void anyCallWithAnyArgumentsHarmsNothingButItsProgram() throws IOException {
    String seed = Long.toString(Long.getLong("xip.seed", System.nanoTime() & 0xff_ffff));
    try (ProgramsOfTheHost root = new ProgramsOfTheHost(folder, List.of("/bin/dash"))) {
      Files.createDirectory(root.tree().resolve("tmp"));
      Path source = Files.writeString(folder.resolve("calls.c"), SOURCE);
      Processes.run(
          "gcc", "-O1", "-w", "-static", "-o", root.tree().resolve("calls") + "", source + "");
      root.boot();
      ProgramResult result = root.run("/calls", seed);
      assertThat(root.output()).as("seed %s: %s", seed, result).endsWith("done\n");
      root.isAsOnTheHost("echo alive");
    }
  }
}
