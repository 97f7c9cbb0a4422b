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

/** Tasks stop and go on as processes of the host do, which runs the same C program. */
class StoppedTaskTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fcntl.h>
      #include <poll.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/ioctl.h>
      #include <sys/wait.h>
      #include <termios.h>
      #include <time.h>
      #include <unistd.h>

      static volatile sig_atomic_t told, code, status, continued, hung;

      static void child(int sig, siginfo_t *info, void *context) {
        told++;
        code = info->si_code;
        status = info->si_status;
      }

      static void count(int sig) {
        if (sig == SIGCONT) continued++;
        else hung++;
      }

      static void on(int sig, int flags) {
        struct sigaction act = {.sa_sigaction = child, .sa_flags = SA_SIGINFO | SA_RESTART | flags};
        sigaction(sig, &act, NULL);
      }

      static void waits(pid_t pid, int options) {
        int st = 0;
        pid_t r = waitpid(pid, &st, options);
        printf("wait %d", r == pid ? 1 : (int)r);
        if (r == pid) {
          if (WIFSTOPPED(st)) printf(" stopped %d", WSTOPSIG(st));
          if (WIFCONTINUED(st)) printf(" continued");
          if (WIFEXITED(st)) printf(" exited %d", WEXITSTATUS(st));
          if (WIFSIGNALED(st)) printf(" killed %d", WTERMSIG(st));
        }
        printf("\\n");
      }

      static void tells(void) {
        on(SIGCHLD, 0);
        pid_t pid = fork();
        if (pid == 0) {
          setpgid(0, 0);
          while (1) pause();
        }
        int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
        setpgid(pid, pid);
        for (int i = 0; i < 4; i++) {
          kill(pid, stops[i]);
          waits(pid, WUNTRACED);
          usleep(20000);
          printf("told %d code %d status %d\\n", told, code, status);
          waits(pid, WUNTRACED | WNOHANG);
          kill(pid, SIGCONT);
          waits(pid, WCONTINUED);
          usleep(20000);
          printf("code %d status %d\\n", code, status);
          waits(pid, WCONTINUED | WUNTRACED | WNOHANG);
        }
        on(SIGCHLD, SA_NOCLDSTOP);
        told = 0;
        kill(pid, SIGSTOP);
        waits(pid, WUNTRACED);
        usleep(20000);
        printf("told %d\\n", told);
        kill(pid, SIGTERM);
        usleep(20000);
        waits(pid, WNOHANG);
        kill(pid, SIGCONT);
        waits(pid, 0);
        printf("told %d code %d status %d\\n", told, code, status);
        if ((pid = fork()) == 0) {
          raise(SIGSTOP);
          _exit(7);
        }
        waits(pid, WUNTRACED);
        kill(pid, SIGKILL);
        waits(pid, 0);
        printf("none %d %d\\n", waitpid(-1, NULL, WUNTRACED), errno == ECHILD);
      }

      static void waitsOn(void) {
        int p[2];
        pipe(p);
        pid_t pid = fork();
        if (pid == 0) {
          setpgid(0, 0);
          struct timespec t = {0, 300000000}, a, b;
          clock_gettime(CLOCK_MONOTONIC, &a);
          printf("slept %d\\n", nanosleep(&t, NULL));
          clock_gettime(CLOCK_MONOTONIC, &b);
          printf("long %d\\n", (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 480);
          struct pollfd f = {p[0], POLLIN, 0};
          printf("poll %d\\n", poll(&f, 1, 300));
          char c;
          printf("read %d\\n", (int)read(p[0], &c, 1));
          struct sigaction act = {.sa_handler = count};
          sigaction(SIGCONT, &act, NULL);
          t.tv_sec = 5;
          int r = nanosleep(&t, NULL);
          printf("handler %d %d %d\\n", r, errno == EINTR, continued);
          _exit(0);
        }
        setpgid(pid, pid);
        usleep(100000);
        kill(pid, SIGSTOP);
        usleep(100000);
        kill(pid, SIGCONT);
        usleep(250000);
        kill(pid, SIGSTOP);
        usleep(50000);
        kill(pid, SIGCONT);
        usleep(350000);
        kill(pid, SIGTSTP);
        waits(pid, WUNTRACED);
        write(p[1], "x", 1);
        kill(pid, SIGCONT);
        usleep(150000);
        kill(pid, SIGSTOP);
        waits(pid, WUNTRACED);
        kill(pid, SIGCONT);
        waits(pid, 0);
      }

      static void pending(void) {
        sigset_t set, now;
        sigemptyset(&set);
        sigaddset(&set, SIGTSTP);
        sigaddset(&set, SIGCONT);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(SIGCONT, count);
        raise(SIGTSTP);
        sigpending(&now);
        printf("stop %d cont %d\\n", sigismember(&now, SIGTSTP), sigismember(&now, SIGCONT));
        raise(SIGCONT);
        sigpending(&now);
        printf("stop %d cont %d\\n", sigismember(&now, SIGTSTP), sigismember(&now, SIGCONT));
        raise(SIGTSTP);
        sigpending(&now);
        printf("stop %d cont %d\\n", sigismember(&now, SIGTSTP), sigismember(&now, SIGCONT));
        raise(SIGCONT);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        printf("continued %d\\n", continued);
        signal(SIGTSTP, SIG_IGN);
        raise(SIGTSTP);
        printf("ignored\\n");
      }

      static void orphans(void) {
        int p[2];
        char c;
        pipe(p);
        if (fork() == 0) {
          setsid();
          pid_t pid = fork();
          if (pid == 0) {
            setpgid(0, 0);
            signal(SIGHUP, count);
            signal(SIGCONT, count);
            printf("stops\\n");
            raise(SIGTSTP);
            while (!hung) pause();
            printf("hung %d continued %d\\n", hung, continued);
            raise(SIGTSTP);
            raise(SIGTTIN);
            printf("an orphan goes on\\n");
            write(p[1], "x", 1);
            _exit(0);
          }
          setpgid(pid, pid);
          waits(pid, WUNTRACED);
          _exit(0);
        }
        read(p[0], &c, 1);
        wait(NULL);
      }

      static void requests(void) {
        int p[2], n = -1, one = 1, r;
        struct termios t;
        struct winsize w;
        pipe(p);
        write(p[1], "abc", 3);
        r = ioctl(p[0], FIONREAD, &n);
        printf("bytes %d %d\\n", r, n);
        r = ioctl(p[0], TCGETS, &t);
        printf("settings %d %d\\n", r, errno == ENOTTY);
        r = ioctl(0, TIOCGWINSZ, &w);
        printf("window %d %d\\n", r, errno == ENOTTY);
        r = ioctl(77, TCGETS, &t);
        printf("closed %d %d\\n", r, errno == EBADF);
        r = tcgetpgrp(p[0]);
        printf("group %d %d\\n", r, errno == ENOTTY);
        read(p[0], &t, 3);
        r = ioctl(p[0], FIONREAD, &n);
        printf("empty %d %d\\n", r, n);
        printf("wait not %d\\n", ioctl(p[0], FIONBIO, &one));
        r = (int)read(p[0], &t, 3);
        printf("read %d %d\\n", r, errno == EAGAIN);
        printf("exec %d", ioctl(p[0], FIOCLEX));
        printf(" %d", fcntl(p[0], F_GETFD));
        printf(" %d", ioctl(p[0], FIONCLEX));
        printf(" %d\\n", fcntl(p[0], F_GETFD));
        r = ioctl(p[0], FIONREAD, (void *)8);
        printf("fault %d %d\\n", r, errno == EFAULT);
      }

      int main(int argc, char **argv) {
        setvbuf(stdout, NULL, _IONBF, 0);
        switch (argv[1][0]) {
        case 't': tells(); break;
        case 'w': waitsOn(); break;
        case 'p': pending(); break;
        case 'o': orphans(); break;
        case 'r': requests(); break;
        }
        return 0;
      }
      """;

  @TempDir Path folder;
  private ProgramsOfTheHost root;
  private Path program;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, List.of("/bin/dash", "/bin/sleep"));
    Path source = Files.writeString(folder.resolve("stops.c"), SOURCE);
    program = root.tree().resolve("stops");
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
    ProgramResult result = root.run("/stops", what);
    assertThat(root.output()).as(result.toString()).isEqualTo(host.out()).isNotEmpty();
    assertThat(result.status()).as(result.toString()).isEqualTo(host.exit());
  }

  @Test
  void aParentIsToldOfStopsAndContinuations() throws IOException {
    isAsOnTheHost("t");
  }

  @Test
  void aCallThatWaitsGoesOnAfterAStop() throws IOException {
    isAsOnTheHost("w");
  }

  @Test
  void aStopRemovesAPendingContinuationAndTheReverse() throws IOException {
    isAsOnTheHost("p");
  }

  @Test
  void anOrphanedGroupIsContinuedAndStopsNoMore() throws IOException {
    isAsOnTheHost("o");
  }

  @Test
  void requestsOfFilesThatAreNoTerminalAreAsOnTheHost() throws IOException {
    isAsOnTheHost("r");
  }

  @Test
  void aShellWaitsForAJobThatWasStopped() throws IOException {
    root.isAsOnTheHost("sleep 0.2 & kill -STOP $!; kill -CONT $!; wait $!; echo $?");
    root.isAsOnTheHost(
        "exec 2>/dev/null; sleep 9 & kill -STOP $!; kill $!; kill -CONT $!; wait $!; echo $?");
    root.isAsOnTheHost("(sleep 0.2; kill -CONT $$) & kill -STOP $$; echo on");
  }
}
