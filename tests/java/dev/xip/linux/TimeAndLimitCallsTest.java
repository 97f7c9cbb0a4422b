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

/** Calls about time, limits, users and scheduling do what they do on the host. */
class TimeAndLimitCallsTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fcntl.h>
      #include <linux/capability.h>
      #include <linux/futex.h>
      #include <sched.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/epoll.h>
      #include <sys/eventfd.h>
      #include <sys/mman.h>
      #include <sys/personality.h>
      #include <sys/prctl.h>
      #include <sys/ptrace.h>
      #include <sys/resource.h>
      #include <sys/socket.h>
      #include <sys/syscall.h>
      #include <sys/time.h>
      #include <sys/times.h>
      #include <sys/uio.h>
      #include <sys/wait.h>
      #include <time.h>
      #include <unistd.h>

      static volatile sig_atomic_t count;

      static void note(int sig) { count++; }

      static long say(const char *what, long r) {
        printf("%s %ld %d\\n", what, r, r < 0 ? errno : 0);
        return r;
      }

      static double now(clockid_t clock) {
        struct timespec t;
        clock_gettime(clock, &t);
        return t.tv_sec + t.tv_nsec / 1e9;
      }

      static void burn(double seconds) {
        double end = now(CLOCK_PROCESS_CPUTIME_ID) + seconds;
        while (now(CLOCK_PROCESS_CPUTIME_ID) < end)
          for (volatile int i = 0; i < 100000; i++) continue;
      }

      static void timers(void) {
        struct sigaction act = {.sa_handler = note};
        sigaction(SIGALRM, &act, NULL);
        sigaction(SIGPROF, &act, NULL);
        say("none", alarm(100));
        say("left", alarm(0));
        say("none", alarm(0));
        struct itimerval t = {{0, 20000}, {0, 20000}}, old;
        double start = now(CLOCK_MONOTONIC);
        setitimer(ITIMER_REAL, &t, NULL);
        while (count < 3) pause();
        double took = now(CLOCK_MONOTONIC) - start;
        printf("three %d\\n", took > 0.05 && took < 5);
        getitimer(ITIMER_REAL, &old);
        printf("every %ld left %d\\n", old.it_interval.tv_usec,
               old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 20000);
        memset(&t, 0, sizeof t);
        setitimer(ITIMER_REAL, &t, &old);
        count = 0;
        usleep(50000);
        printf("stopped %d\\n", count);
        say("bad", setitimer(7, &t, NULL));
        t.it_value.tv_usec = 1000000;
        say("bad", setitimer(ITIMER_REAL, &t, NULL));
        t.it_value.tv_usec = 30000;
        setitimer(ITIMER_PROF, &t, NULL);
        usleep(60000);
        int slept = count;
        burn(0.1);
        printf("slept %d burned %d\\n", slept, count);
        timer_t timer;
        struct sigevent event = {.sigev_signo = SIGALRM, .sigev_notify = SIGEV_SIGNAL};
        struct itimerspec spec = {{0, 0}, {0, 10000000}};
        count = 0;
        say("create", timer_create(CLOCK_MONOTONIC, &event, &timer));
        say("set", timer_settime(timer, 0, &spec, NULL));
        while (!count) pause();
        say("overrun", timer_getoverrun(timer));
        say("delete", timer_delete(timer));
        say("again", syscall(SYS_timer_delete, 5));
        say("clock", timer_create(77, NULL, &timer));
        if (fork() == 0) {
          alarm(1);
          signal(SIGALRM, SIG_DFL);
          for (;;) continue;
        }
        int status;
        wait(&status);
        printf("ended by %d\\n", WTERMSIG(status));
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        struct timespec brief = {0, 10000000};
        say("no signal", sigtimedwait(&set, NULL, &brief));
        union sigval value = {.sival_int = 42};
        sigqueue(getpid(), SIGUSR1, value);
        siginfo_t info;
        say("signal", sigwaitinfo(&set, &info));
        printf("code %d value %d own %d\\n", info.si_code, info.si_value.sival_int,
               info.si_pid == getpid());
      }

      static void times_(void) {
        struct rusage self, children;
        double before = now(CLOCK_PROCESS_CPUTIME_ID);
        burn(0.05);
        double used = now(CLOCK_PROCESS_CPUTIME_ID) - before;
        printf("burned %d\\n", used >= 0.05 && used < 2);
        usleep(300000);
        printf("slept %d\\n", now(CLOCK_PROCESS_CPUTIME_ID) - before < used + 0.25);
        getrusage(RUSAGE_SELF, &self);
        printf("self %d rss %d faults %d\\n", self.ru_utime.tv_sec * 1000000 + self.ru_utime.tv_usec
               + self.ru_stime.tv_sec * 1000000 + self.ru_stime.tv_usec >= 50000,
               self.ru_maxrss > 0, self.ru_minflt > 0);
        int status;
        pid_t pid = fork();
        if (pid == 0) {
          burn(0.1);
          _exit(0);
        }
        getrusage(RUSAGE_CHILDREN, &children);
        printf("not waited %ld\\n", children.ru_utime.tv_sec * 1000000 + children.ru_utime.tv_usec);
        wait4(pid, &status, 0, &self);
        getrusage(RUSAGE_CHILDREN, &children);
        printf("child %d children %d\\n",
               self.ru_utime.tv_usec + self.ru_stime.tv_usec + self.ru_utime.tv_sec * 1000000 > 80000,
               children.ru_utime.tv_usec + children.ru_stime.tv_usec
               + children.ru_utime.tv_sec * 1000000 > 80000);
        struct tms t;
        times(&t);
        printf("times %d %d\\n", t.tms_utime + t.tms_stime >= 4,
               t.tms_cutime + t.tms_cstime >= 8);
        struct timespec res;
        clock_getres(CLOCK_MONOTONIC, &res);
        printf("resolution %ld %ld\\n", res.tv_sec, res.tv_nsec);
        say("bad clock", clock_gettime(99, &res));
        say("bad usage", getrusage(5, &self));
        clockid_t clock;
        clock_getcpuclockid(getpid(), &clock);
        printf("own clock %d\\n", now(clock) > 0.05);
        printf("real %d\\n", now(CLOCK_REALTIME) > 1e9);
      }

      static void limits(void) {
        struct rlimit r, old;
        getrlimit(RLIMIT_STACK, &r);
        r.rlim_cur = 16 << 20;
        say("stack", setrlimit(RLIMIT_STACK, &r));
        getrlimit(RLIMIT_STACK, &old);
        printf("stack %ld\\n", (long)old.rlim_cur);
        r = (struct rlimit){20, 20};
        say("files", setrlimit(RLIMIT_NOFILE, &r));
        int fd, last = -1;
        while ((fd = dup(0)) >= 0) last = fd;
        printf("last %d %d\\n", last, errno == EMFILE);
        say("dup2", dup2(0, 20));
        if (fork() == 0) {
          close(19);
          _exit(dup(0) == 19 && dup(0) < 0 ? 3 : 4);
        }
        int status;
        wait(&status);
        printf("inherited %d\\n", WEXITSTATUS(status));
        r = (struct rlimit){30, 10};
        say("soft over hard", setrlimit(RLIMIT_NOFILE, &r));
        say("unknown", syscall(SYS_prlimit64, 0, 99, NULL, &r));
        say("none", syscall(SYS_prlimit64, 12345678, 1, NULL, &r));
        if (fork() == 0) {
          r = (struct rlimit){1, 5};
          setrlimit(RLIMIT_CPU, &r);
          for (;;) continue;
        }
        wait(&status);
        printf("used up %d\\n", WTERMSIG(status));
        r = (struct rlimit){64 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_AS, &r);
        printf("memory %d %d\\n", malloc(128 << 20) == NULL, malloc(1 << 20) != NULL);
        say("heap", brk((char *)sbrk(0) + (100 << 20)));
      }

      static void deep(int left) {
        volatile char page[4096];
        page[0] = left;
        if (left > 0) deep(left - 1);
        page[1] = page[0];
      }

      static void stack(char *self) {
        struct rlimit r = {32 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_STACK, &r);
        deep(5000);
        printf("deep\\n");
        r.rlim_cur = 2 << 20;
        setrlimit(RLIMIT_STACK, &r);
        if (fork() == 0) {
          char *args[] = {"program", "S", NULL};
          execv(self, args);
          _exit(9);
        }
        int status;
        wait(&status);
        printf("too deep %d\\n", WTERMSIG(status));
      }

      static void users(void) {
        uid_t a, b, c;
        printf("%d %d %d %d\\n", getuid(), geteuid(), getgid(), getegid());
        gid_t groups[3] = {5, 6, 7}, got[8];
        say("groups", setgroups(3, groups));
        printf("groups %d %d\\n", getgroups(8, got), got[2]);
        say("room", getgroups(2, got));
        say("group", setresgid(10, 11, 12));
        printf("%d %d\\n", getgid(), getegid());
        struct { unsigned v; int pid; } head = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct { unsigned e, p, i; } caps[2];
        say("capget", syscall(SYS_capget, &head, caps));
        printf("setuid %d\\n", caps[0].e >> CAP_SETUID & 1);
        say("seteuid", seteuid(1000));
        syscall(SYS_capget, &head, caps);
        printf("setuid %d %d\\n", caps[0].e >> CAP_SETUID & 1, caps[0].p >> CAP_SETUID & 1);
        say("refused", setuid(7));
        say("back", seteuid(0));
        say("for files", syscall(SYS_setfsuid, 3));
        say("for files", syscall(SYS_setfsuid, -1));
        say("user", setresuid(1000, 1001, 1002));
        getresuid(&a, &b, &c);
        printf("%d %d %d\\n", a, b, c);
        syscall(SYS_capget, &head, caps);
        printf("setuid %d %d\\n", caps[0].e >> CAP_SETUID & 1, caps[0].p >> CAP_SETUID & 1);
        say("root", setuid(0));
        say("saved", setuid(1002));
        say("swap", setreuid(1002, 1000));
        say("groups", setgroups(1, groups));
        if (fork() == 0) _exit(getuid() == 1002 && geteuid() == 1000 ? 3 : 4);
        int status;
        wait(&status);
        printf("child %d\\n", WEXITSTATUS(status));
      }

      static void scheduling(void) {
        struct sched_param p = {0};
        cpu_set_t set;
        say("nice", setpriority(PRIO_PROCESS, 0, 18));
        say("priority", getpriority(PRIO_PROCESS, 0));
        say("limit", setpriority(PRIO_PROCESS, 0, 99));
        say("priority", getpriority(PRIO_PROCESS, getpid()));
        say("none", setpriority(PRIO_PROCESS, 12345678, 1));
        say("kind", getpriority(9, 0));
        say("policy", sched_getscheduler(0));
        say("batch", sched_setscheduler(0, SCHED_BATCH, &p));
        say("policy", sched_getscheduler(0));
        p.sched_priority = 5;
        say("bad", sched_setscheduler(0, SCHED_OTHER, &p));
        say("bad", sched_setscheduler(0, 42, &p));
        say("param", sched_getparam(0, &p));
        say("max", sched_get_priority_max(SCHED_FIFO));
        say("min", sched_get_priority_min(SCHED_RR));
        say("max", sched_get_priority_max(SCHED_OTHER));
        say("bad", sched_get_priority_max(42));
        say("yield", sched_yield());
        sched_getaffinity(0, sizeof set, &set);
        printf("some %d\\n", CPU_COUNT(&set) > 0);
        CPU_ZERO(&set);
        say("no processor", sched_setaffinity(0, sizeof set, &set));
        CPU_SET(0, &set);
        say("first", sched_setaffinity(0, sizeof set, &set));
        sched_getaffinity(0, sizeof set, &set);
        printf("one %d, now %d\\n", CPU_COUNT(&set), sched_getcpu());
        say("name", prctl(PR_SET_NAME, "renamed-for-the-test"));
        char name[16];
        prctl(PR_GET_NAME, name);
        printf("%s\\n", name);
        say("dumpable", prctl(PR_GET_DUMPABLE));
        say("no new", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        say("no new", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        say("unknown", prctl(123456));
        say("personality", personality(0xffffffff));
        say("personality", personality(ADDR_NO_RANDOMIZE));
        say("personality", personality(0xffffffff));
        say("random", syscall(SYS_getrandom, name, 16, 0));
        say("random", syscall(SYS_getrandom, name, 16, 8));
        int status;
        if (fork() == 0) {
          prctl(PR_SET_PDEATHSIG, SIGTERM);
          if (fork() == 0) _exit(0);
          wait(NULL);
          _exit(1);
        }
        wait(&status);
        printf("parent %d\\n", WEXITSTATUS(status));
      }

      static void memory(void) {
        char *a = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        unsigned char in[4] = {9, 9, 9, 9};
        a[4096] = 1;
        say("mincore", mincore(a, 16384, in));
        printf("%d%d%d%d\\n", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
        say("unaligned", mincore(a + 1, 4096, in));
        say("lock", mlock(a, 8192));
        mincore(a, 16384, in);
        printf("%d%d%d%d\\n", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
        say("unlock", munlock(a + 5, 100));
        say("sync", msync(a, 16384, MS_SYNC));
        say("both", msync(a, 16384, MS_SYNC | MS_ASYNC));
        say("unknown", msync(a, 16384, 64));
        munmap(a + 4096, 4096);
        say("gap", msync(a, 16384, MS_ASYNC));
        say("gap", mincore(a, 16384, in));
        say("gap", mlock(a, 16384));
        say("barrier", syscall(SYS_membarrier, 0, 0, 0) > 0);
        say("barrier", syscall(SYS_membarrier, 3, 0, 0));
        say("barrier", syscall(SYS_membarrier, 0, 9, 0));
      }

      static void futexes(void) {
        int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct timespec brief = {0, 10000000};
        say("wake", syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
        say("other", syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0));
        say("time", syscall(SYS_futex, word, FUTEX_WAIT, 0, &brief, NULL, 0));
        say("time", syscall(SYS_futex, word, FUTEX_WAIT_BITSET, 0, &brief, NULL, -1));
        say("bits", syscall(SYS_futex, word, FUTEX_WAIT_BITSET, 0, &brief, NULL, 0));
        say("unaligned", syscall(SYS_futex, (char *)word + 1, FUTEX_WAKE, 1, NULL, NULL, 0));
        brief.tv_nsec = 1000000000;
        say("bad", syscall(SYS_futex, word, FUTEX_WAIT, 0, &brief, NULL, 0));
        say("address", syscall(SYS_futex, 0x1000, FUTEX_WAIT, 0, NULL, NULL, 0));
        if (fork() == 0) {
          usleep(50000);
          *word = 1;
          _exit(syscall(SYS_futex, word, FUTEX_WAKE, 5, NULL, NULL, 0));
        }
        long r = 0;
        while (*word == 0) r = syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
        int status;
        wait(&status);
        printf("woken %ld %d\\n", r, WEXITSTATUS(status));
        struct sigaction act = {.sa_handler = note};
        sigaction(SIGALRM, &act, NULL);
        struct itimerval t = {{0, 0}, {0, 20000}};
        setitimer(ITIMER_REAL, &t, NULL);
        say("signal", syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
      }

      static void sockets(void) {
        int s[2];
        char buf[8] = "";
        say("none", socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT ? 0 : 0);
        say("pair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
        say("send", send(s[0], "abc", 3, 0));
        say("write", write(s[1], "wxyz", 4));
        say("receive", recv(s[1], buf, 8, 0));
        say("read", read(s[0], buf, 8));
        printf("%s\\n", buf);
        if (fork() == 0) {
          close(s[0]);
          write(s[1], "child", 5);
          _exit(0);
        }
        close(s[1]);
        say("child", read(s[0], buf, 8));
        wait(NULL);
        say("end", read(s[0], buf, 8));
        signal(SIGPIPE, SIG_IGN);
        say("gone", write(s[0], "x", 1));
        say("no socket", send(0, "x", 1, 0));
        say("no descriptor", send(99, "x", 1, 0));
        say("ptrace", ptrace(PTRACE_ATTACH, 12345678, 0, 0) < 0 ? 0 : 1);
      }

      static void clones(void) {
        struct { unsigned long flags, pidfd, child, parent, signal, stack, size, tls; } args = {0};
        args.signal = SIGCHLD;
        int status;
        long pid = syscall(SYS_clone3, &args, sizeof args);
        if (pid == 0) _exit(5);
        waitpid(pid, &status, 0);
        printf("clone3 %d\\n", WEXITSTATUS(status));
        say("small", syscall(SYS_clone3, &args, 8));
        args.signal = 100;
        say("signal", syscall(SYS_clone3, &args, sizeof args));
        args.signal = SIGCHLD;
        args.size = 4096;
        say("no stack", syscall(SYS_clone3, &args, sizeof args));
        say("list", syscall(SYS_set_robust_list, &args, 5));
        pid = fork();
        if (pid == 0) {
          execl("/bin/sleep", "sleep", "5", NULL);
        }
        usleep(300000);
        say("has execed", setpgid(pid, pid));
        siginfo_t info = {0};
        say("runs", waitid(P_PID, pid, &info, WEXITED | WNOHANG));
        printf("%d\\n", info.si_pid);
        say("nothing", waitid(P_PID, pid, &info, WNOHANG));
        say("kind", waitid(9, pid, &info, WEXITED));
        say("none", waitid(P_PID, 12345678, &info, WEXITED));
        kill(pid, SIGSTOP);
        say("stops", waitid(P_PID, pid, &info, WSTOPPED));
        printf("%d %d %d %d\\n", info.si_signo, info.si_code, info.si_status, info.si_pid == pid);
        kill(pid, SIGTERM);
        kill(pid, SIGCONT);
        say("ends", waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
        printf("%d %d %d\\n", info.si_code, info.si_status, info.si_pid == pid);
        say("again", waitid(P_PGID, getpgrp(), &info, WEXITED));
        say("gone", waitid(P_ALL, 0, &info, WEXITED));
        pid = fork();
        if (pid == 0) pause();
        kill(pid, SIGKILL);
        wait(NULL);
        say("none", setpgid(12345678, 0));
        say("negative", setpgid(0, -1));
        say("thread", syscall(SYS_tgkill, getpid(), getpid(), 0));
        say("thread", syscall(SYS_tgkill, getpid(), 0, 0));
        say("thread", syscall(SYS_tgkill, getpid(), 1234567, 0));
      }

      static void events(void) {
        int e = epoll_create1(EPOLL_CLOEXEC), p[2];
        struct epoll_event ev = {EPOLLIN, {.u64 = 42}}, got[4];
        pipe(p);
        say("add", epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
        say("twice", epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev));
        say("none", epoll_wait(e, got, 4, 10));
        if (fork() == 0) {
          usleep(20000);
          write(p[1], "x", 1);
          _exit(0);
        }
        say("ready", epoll_wait(e, got, 4, -1));
        printf("%d %d\\n", got[0].events, (int)got[0].data.u64);
        say("still", epoll_wait(e, got, 4, 0));
        ev.events = EPOLLIN | EPOLLET;
        say("edge", epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev));
        say("once", epoll_wait(e, got, 4, 0));
        say("no more", epoll_wait(e, got, 4, 0));
        ev.events = EPOLLIN | EPOLLONESHOT;
        say("one shot", epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev));
        say("once", epoll_wait(e, got, 4, 0));
        say("no more", epoll_wait(e, got, 4, 0));
        say("delete", epoll_ctl(e, EPOLL_CTL_DEL, p[0], &ev));
        say("gone", epoll_ctl(e, EPOLL_CTL_DEL, p[0], &ev));
        say("no set", epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev));
        say("no descriptor", epoll_ctl(e, EPOLL_CTL_ADD, 99, &ev));
        say("no room", epoll_wait(e, got, 0, 0));
        int c = eventfd(3, EFD_NONBLOCK);
        unsigned long v = 4;
        say("event", epoll_ctl(e, EPOLL_CTL_ADD, c, &ev));
        say("write", write(c, &v, 8));
        say("ready", epoll_wait(e, got, 4, -1));
        say("read", read(c, &v, 8));
        printf("%ld\\n", v);
        say("empty", read(c, &v, 8));
        say("short", read(c, &v, 7));
        v = -1;
        say("too much", write(c, &v, 8));
        v = -2;
        say("all", write(c, &v, 8));
        v = 1;
        say("full", write(c, &v, 8));
        c = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
        say("one", read(c, &v, 8));
        say("two", read(c, &v, 8));
        say("three", read(c, &v, 8));
        wait(NULL);
      }

      static void stopped(void) {
        int e = epoll_create1(0);
        struct epoll_event got[1];
        pid_t pid = fork();
        if (pid == 0) {
          say("stopped", epoll_wait(e, got, 1, 2000));
          _exit(0);
        }
        usleep(300000);
        kill(pid, SIGSTOP);
        usleep(20000);
        kill(pid, SIGCONT);
        wait(NULL);
      }

      static void refused(void) {
        struct iovec none = {"x", 0}, bad[2] = {{"ab", 2}, {"c", -1}};
        struct timespec before = {-1, 0}, many = {0, 1000000000};
        struct timeval second = {0, 1000001}, negative = {0, -1}, past = {-1, 0};
        char buf[8];
        int p[2];
        pipe(p);
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        say("no file", readv(99, &none, 0));
        say("other end", writev(p[0], &none, 1));
        say("no parts", writev(p[1], &none, 0));
        say("no bytes", writev(p[1], &none, 1));
        say("no length", writev(p[1], bad, 2));
        say("no array", writev(p[1], (void *)8, 2));
        say("no position", preadv(p[0], &none, 0, -1));
        say("nothing written", read(p[0], buf, 8));
        say("ppoll", syscall(SYS_ppoll, 0, 0, &before, 0, 8));
        say("pselect", syscall(SYS_pselect6, 0, 0, 0, 0, &many, 0));
        say("more than a second", syscall(SYS_select, 0, 0, 0, 0, &second));
        say("select", syscall(SYS_select, 0, 0, 0, 0, &negative));
        say("select", syscall(SYS_select, 0, 0, 0, 0, &past));
        say("epoll", syscall(441, epoll_create1(0), buf, 1, &many, 0, 8));
        say("access", syscall(439, AT_FDCWD, "/", 0, 0x200));
        say("access", syscall(439, AT_FDCWD, "/", 0, 0x8000));
        say("owner", fchownat(AT_FDCWD, "/", -1, -1, 0x8000));
      }

      int main(int argc, char **argv) {
        setvbuf(stdout, NULL, _IONBF, 0);
        switch (argv[1][0]) {
        case 't': timers(); break;
        case 'c': times_(); break;
        case 'l': limits(); break;
        case 'S': deep(1000); break;
        case 's': stack(argv[0]); break;
        case 'u': users(); break;
        case 'p': scheduling(); break;
        case 'm': memory(); break;
        case 'f': futexes(); break;
        case 'o': sockets(); break;
        case 'k': clones(); break;
        case 'e': events(); break;
        case 'z': stopped(); break;
        case 'r': refused(); break;
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
    Path source = Files.writeString(folder.resolve("calls.c"), SOURCE);
    program = root.tree().resolve("calls");
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
    ProgramResult result = root.run("/calls", what);
    assertThat(root.output()).as(result.toString()).isEqualTo(host.out());
    assertThat(result.status()).as(result.toString()).isEqualTo(host.exit());
    assertThat(result.missing()).isEmpty();
  }

  @Test
  void timersSendSignals() throws IOException {
    isAsOnTheHost("t");
  }

  @Test
  void processorTimeIsThatOfTheTaskAndOfItsChildren() throws IOException {
    isAsOnTheHost("c");
  }

  @Test
  void limitsAreKeptAndInherited() throws IOException {
    isAsOnTheHost("l");
  }

  @Test
  void theStackGrowsToItsLimit() throws IOException {
    isAsOnTheHost("s");
  }

  @Test
  void usersGroupsAndCapabilitiesAreKept() throws IOException {
    isAsOnTheHost("u");
  }

  @Test
  void schedulingIsNotedAndGivenBack() throws IOException {
    isAsOnTheHost("p");
  }

  @Test
  void pagesInMemoryAreTold() throws IOException {
    isAsOnTheHost("m");
  }

  @Test
  void aFutexIsWaitedForUntilItIsWoken() throws IOException {
    isAsOnTheHost("f");
  }

  @Test
  void aPairOfSocketsMovesBytesBothWays() throws IOException {
    isAsOnTheHost("o");
  }

  @Test
  void eventsAreWaitedFor() throws IOException {
    isAsOnTheHost("e");
  }

  @Test
  void aStopEndsAWaitForEvents() throws IOException {
    isAsOnTheHost("z");
  }

  @Test
  void vectorsTimesAndFlagsThatAreNoneAreRefused() throws IOException {
    isAsOnTheHost("r");
  }

  @Test
  void processesAreMadeAndGroupedAsTheKernelDoes() throws IOException {
    isAsOnTheHost("k");
  }
}
