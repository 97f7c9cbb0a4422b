package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls of processes and signals do what they do on the host, which runs the same C program. */
class ProcessCallsTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fcntl.h>
      #include <poll.h>
      #include <setjmp.h>
      #include <signal.h>
      #include <sched.h>
      #include <spawn.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/select.h>
      #include <sys/syscall.h>
      #include <sys/wait.h>
      #include <time.h>
      #include <unistd.h>

      static sigjmp_buf back;
      static volatile sig_atomic_t count;
      static char *page;
      static char other[65536];

      static void set(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
        struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
        sigaction(sig, &act, NULL);
      }

      static void fault(int sig, siginfo_t *info, void *context) {
        char here;
        ucontext_t *uc = context;
        printf("%d code %d offset %ld cr2 %d stack %d\\n", sig, info->si_code,
               (long)((char *)info->si_addr - page),
               uc->uc_mcontext.gregs[REG_CR2] == (long)info->si_addr,
               &here >= other && &here < other + sizeof other);
        siglongjmp(back, 1);
      }

      static void note(int sig, siginfo_t *info, void *context) {
        count++;
        volatile double x = 7.0 * count;
        x = x / 3;
        if (sig == SIGCHLD) {
          printf("child %d code %d status %d\\n", info->si_pid != 0, info->si_code,
                 info->si_status);
        }
      }

      static void faults(void) {
        stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
        sigaltstack(&stack, NULL);
        page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(page + 4096, 4096);
        set(SIGSEGV, fault, SA_ONSTACK);
        set(SIGBUS, fault, 0);
        if (!sigsetjmp(back, 1)) page[5] = 1;
        if (!sigsetjmp(back, 1)) page[4096 + 7] = 1;
        page = 0;
        if (!sigsetjmp(back, 1)) *(volatile char *)8;
        FILE *self = fopen("/bin/dash", "r");
        fseek(self, 0, SEEK_END);
        long end = (ftell(self) + 4095) & -4096;
        page = mmap(NULL, end + 8192, PROT_READ, MAP_PRIVATE, fileno(self), 0);
        page += end;
        if (!sigsetjmp(back, 1)) *(volatile char *)(page + 9);
      }

      static void masks(void) {
        sigset_t set1, old, pend;
        set(SIGUSR1, note, 0);
        sigemptyset(&set1);
        sigaddset(&set1, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set1, &old);
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR1);
        sigpending(&pend);
        printf("blocked %d pending %d\\n", count, sigismember(&pend, SIGUSR1));
        int r = sigsuspend(&old);
        printf("suspend %d %d count %d\\n", r, errno == EINTR, count);
        sigprocmask(SIG_SETMASK, NULL, &pend);
        printf("blocked again %d\\n", sigismember(&pend, SIGUSR1));
        raise(SIGUSR1);
        sigprocmask(SIG_SETMASK, &old, NULL);
        printf("count %d\\n", count);
        set(SIGUSR2, note, SA_RESETHAND);
        raise(SIGUSR2);
        struct sigaction now;
        sigaction(SIGUSR2, NULL, &now);
        printf("reset %d\\n", now.sa_handler == SIG_DFL);
      }

      static void child(void) {
        double x = 1.5;
        set(SIGCHLD, note, 0);
        int p[2];
        char c;
        pipe2(p, O_CLOEXEC);
        if (fork() == 0) {
          usleep(20000);
          _exit(x * 2 == 3.0 ? 5 : 6);
        }
        long r = read(p[0], &c, 1);
        printf("read %ld %d\\n", r, errno == EINTR);
        int status;
        r = wait(&status);
        printf("wait %d %d\\n", r > 0, WEXITSTATUS(status));
        r = wait(&status);
        printf("none %ld %d\\n", r, errno == ECHILD);
        set(SIGUSR1, note, SA_RESTART);
        signal(SIGCHLD, SIG_DFL);
        pid_t parent = getpid();
        if (fork() == 0) {
          usleep(20000);
          kill(parent, SIGUSR1);
          usleep(20000);
          write(p[1], "z", 1);
          _exit(0);
        }
        r = read(p[0], &c, 1);
        printf("restarted %ld %c count %d\\n", r, c, count);
        wait(NULL);
        signal(SIGCHLD, SIG_IGN);
        if (fork() == 0) _exit(0);
        printf("ignored %d", wait(NULL) < 0 && errno == ECHILD);
      }

      static void floats(void) {
        set(SIGUSR1, note, 0);
        double a = 1, b = 3;
        pid_t self = getpid();
        for (int i = 0; i < 20; i++) {
          double c = a / b;
          asm volatile("syscall" : : "a"(62), "D"(self), "S"(SIGUSR1), "x"(c) : "rcx", "r11");
          a += c;
        }
        printf("%.17g %d\\n", a, count);
      }

      static void polls(void) {
        int p[2];
        char buf[8];
        pipe(p);
        struct pollfd fd[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}};
        printf("poll %d %d %d\\n", poll(fd, 2, 0), fd[0].revents, fd[1].revents);
        printf("time out %d\\n", poll(fd, 1, 10));
        if (fork() == 0) {
          usleep(10000);
          write(p[1], "abc", 3);
          _exit(0);
        }
        printf("poll %d %d\\n", poll(fd, 1, -1), fd[0].revents);
        fd_set in;
        FD_ZERO(&in);
        FD_SET(p[0], &in);
        struct timeval tv = {5, 0};
        printf("select %d %d\\n", select(p[0] + 1, &in, NULL, NULL, &tv), FD_ISSET(p[0], &in));
        printf("read %ld\\n", (long)read(p[0], buf, 8));
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        printf("empty %ld %d\\n", (long)read(p[0], buf, 8), errno == EAGAIN);
        wait(NULL);
        close(p[1]);
        printf("end %d %d\\n", poll(fd, 1, -1), fd[0].revents);
        pipe(p);
        close(p[0]);
        signal(SIGPIPE, SIG_IGN);
        printf("write %ld %d\\n", (long)write(p[1], "x", 1), errno == EPIPE);
        fd[0].fd = p[1];
        printf("error %d %d\\n", poll(fd, 1, 0), fd[0].revents);
        struct pollfd bad = {99, POLLIN, 0};
        printf("bad %d %d\\n", poll(&bad, 1, 0), bad.revents == POLLNVAL);
      }

      static void spawns(void) {
        extern char **environ;
        pid_t pid;
        int status;
        char *args[] = {"dash", "-c", "echo spawned; exit 3", NULL};
        int r = posix_spawn(&pid, "/bin/dash", NULL, NULL, args, environ);
        waitpid(pid, &status, 0);
        printf("spawn %d status %d\\n", r, WEXITSTATUS(status));
        printf("none %d\\n", posix_spawn(&pid, "/no/such", NULL, NULL, args, environ) == ENOENT);
        volatile int shared = 0;
        if ((pid = vfork()) == 0) {
          shared = 1;
          _exit(4);
        }
        waitpid(pid, &status, 0);
        printf("vfork %d %d\\n", shared, WEXITSTATUS(status));
        if ((pid = syscall(SYS_clone, SIGCHLD | CLONE_CHILD_SETTID | CLONE_PARENT_SETTID, 0, 8, 8))
            == 0) {
          _exit(2);
        }
        printf("clone %d\\n", waitpid(pid, &status, 0) == pid);
        printf("system %d\\n", WEXITSTATUS(system("exit 7")));
        if ((pid = fork()) == 0) {
          setpgid(0, 0);
          pause();
        }
        setpgid(pid, pid);
        printf("group %d own %d\\n", getpgid(pid) == pid, getpgrp() != pid);
        kill(-pid, SIGTERM);
        waitpid(-pid, &status, 0);
        printf("signal %d\\n", WTERMSIG(status));
        struct timespec t = {0, 1000000};
        printf("sleep %d\\n", nanosleep(&t, NULL));
      }

      static void memory(void) {
        char *a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        strcpy(a + 4000, "kept");
        char *b = mremap(a, 8192, 1 << 20, MREMAP_MAYMOVE);
        printf("moved %s %d\\n", b + 4000, b[(1 << 20) - 1]);
        char *same = mremap(b, 1 << 20, 4096, 0);
        printf("shrunk %d %s\\n", same == b, b + 4000);
        printf("fault %d\\n", mremap(b + (8 << 20), 4096, 8192, 0) == MAP_FAILED && errno);
        pid_t pid;
        int status;
        if ((pid = fork()) == 0) {
          strcpy(b + 4000, "child");
          _exit(madvise(b, 4096, MADV_DONTNEED) * 2 + b[4000]);
        }
        waitpid(pid, &status, 0);
        printf("copied %s %d\\n", b + 4000, WEXITSTATUS(status));
        printf("bad %d\\n", madvise(b, 4096, 77) < 0 && errno == EINVAL);
        int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (fork() == 0) {
          *shared = 42;
          _exit(0);
        }
        wait(NULL);
        printf("shared %d\\n", *shared);
        brk((char *)sbrk(0) + 100000);
        memset((char *)sbrk(0) - 100000, 1, 100000);
      }

      int main(int argc, char **argv) {
        setvbuf(stdout, NULL, _IONBF, 0);
        switch (argv[1][0]) {
        case 'f': faults(); break;
        case 'm': masks(); break;
        case 'c': child(); break;
        case 'd': floats(); break;
        case 'p': polls(); break;
        case 's': spawns(); break;
        case 'r': memory(); break;
        case 'n': *(volatile char *)16 = 1; break;
        case 'a': abort();
        case 'i': __builtin_trap();
        }
        return 0;
      }
      """;

  @TempDir Path folder;
  private ProgramsOfTheHost root;
  private Path program;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, List.of("/bin/dash", "/bin/sleep", "/bin/cat"));
    Files.createSymbolicLink(root.tree().resolve("bin/sh"), Path.of("dash"));
    Path source = Files.writeString(folder.resolve("signals.c"), SOURCE);
    program = root.tree().resolve("signals");
    Processes.run("gcc", "-O1", "-w", "-o", program.toString(), source.toString());
    root.boot();
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  private void isAsOnTheHost(String what) throws IOException {
    Processes.Output host = Processes.runAny(program.toString(), what);
    ProgramResult result = root.run("/signals", what);
    assertThat(root.output()).as(result.toString()).isEqualTo(host.out());
    assertThat(result.status()).as(result.toString()).isEqualTo(host.exit());
  }

  @Test
  void aFaultTellsItsAddressToAHandlerOnTheOtherStack() throws IOException {
    isAsOnTheHost("f");
    assertThat(root.output().lines()).hasSize(4);
  }

  @Test
  void blockedSignalsWait() throws IOException {
    isAsOnTheHost("m");
  }

  @Test
  void aCallThatWaitsEndsOrIsMadeAgain() throws IOException {
    isAsOnTheHost("c");
  }

  @Test
  void floatingPointSurvivesHandlers() throws IOException {
    isAsOnTheHost("d");
  }

  @Test
  void pollAndSelectWaitForPipes() throws IOException {
    isAsOnTheHost("p");
  }

  @Test
  void processesShareTheirParentsMemoryUntilExec() throws IOException {
    isAsOnTheHost("s");
  }

  @Test
  void memoryIsMovedAndCopied() throws IOException {
    isAsOnTheHost("r");
  }

  @Test
  void aSignalWithoutAHandlerEndsTheProgram() throws IOException {
    ProgramResult result = root.run("/signals", "n");
    assertThat(result.status()).isEqualTo(128 + 11);
    assertThat(result.reason()).contains("SIGSEGV at address 0x10");
    assertThat(root.run("/signals", "a").status()).isEqualTo(128 + 6);
    assertThat(root.run("/signals", "i").status()).isEqualTo(128 + 4);
  }

  @Test
  void aShellTrapsSignals() throws IOException {
    root.isAsOnTheHost("trap 'echo got' USR1; kill -USR1 $$; echo after; trap 'echo bye' EXIT");
    root.isAsOnTheHost("trap 'echo term; exit 3' TERM; { sleep 0.05; kill $$; } & wait; echo no");
    root.isAsOnTheHost("trap '' TERM; kill $$; echo alive; trap - TERM; kill $$; echo dead");
    root.isAsOnTheHost("(kill -9 $$) & wait; sleep 1; echo not reached");
    root.isAsOnTheHost("sleep 10 & kill $!; sleep 0.2; wait $!; echo $?");
  }
}
