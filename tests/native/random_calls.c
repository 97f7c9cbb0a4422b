/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes random system calls with arguments that hurt: SEED SECONDS. For xip run only: on a host it
 * would do what it says. Four processes at once make some hundred calls each, then the next four
 * begin. They send no SIGKILL and no SIGSTOP and do not limit the first process, which would end the
 * run. It exits with 42.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARENA 65536
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { PROCESSES = 4, CALLS = 400, LAST_CALL = 460, ARGUMENTS = 6, KINDS = 4, ENOUGH = 30 };

static uint64_t state;
static char *arena, *edge, *readonly, *hole, *file;
static char alternate[65536];
static pid_t supervisor;

/* Shared by all: what gave ENOSYS, which is seldom tried again; what kinds of argument succeeded. */
static struct {
    char missing[LAST_CALL + 1];
    unsigned char good[LAST_CALL + 1][ARGUMENTS][KINDS];
} *learnt;

static const char *const PATHS[] = {
    "/", ".", "..", "", "/random_calls", "/file", "/tmp", "/tmp/a", "/tmp/b", "/tmp/a/b/c", "/tmp/fifo",
    "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/tty", "/dev/ptmx", "/proc",
    "/proc/self/maps", "/proc/self/smaps", "/proc/self/fd", "/proc/self/fd/3", "/proc/self/exe",
    "/proc/self/cwd", "/proc/self/root", "/proc/self/mem", "/proc/self/stat", "/proc/self/status",
    "/proc/meminfo", "/proc/2", "/proc/2/fd/1", "/proc/99999", "/proc/self/cmdline",
    "/proc/self/environ", "/proc/self/mounts", "/tmp/link", "//tmp//./../tmp/a/", "a", "b/",
};

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dULL >> 16;
}

static uint64_t below(uint64_t n) { return next() % n; }

static long call(long n, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static uint64_t number(void) {
    static const uint64_t NASTY[] = {
        0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 4097, 65535, 65536,
        0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x7fffffffffff, 0x7ffffffff000,
        0x800000000000, 0xffff800000000000, 0x7fffffffffffffff, 0x8000000000000000, 0x7ffffffffffff000,
        0xfffffffffffff000, 0xfffffffffffffffe, 0xffffffffffffffff, 0xffffff9c, 0xfffffffffffffe00,
        0x100000, 0x200000, 0x40000000, 0xffffffff80000000, 0xffffffffff600000,
    };
    switch (below(4)) {
    case 0:
        return NASTY[below(COUNT(NASTY))];
    case 1:
        return 1ULL << below(64) | (below(4) ? 0 : 1ULL << below(64));
    case 2:
        return below(64);
    default:
        return next() >> below(64) ^ (below(8) ? 0 : ~0ULL);
    }
}

static uint64_t address(void) {
    switch (below(12)) {
    case 0:
        return (uint64_t)edge + 4096 - below(64);
    case 1:
        return (uint64_t)readonly + below(4096);
    case 2:
        return (uint64_t)hole + below(4096);
    case 3:
        return (uint64_t)file + below(8) * 4096;
    case 4:
        return number();
    case 5:
        return (uint64_t)arena + 4096 * below(ARENA / 4096);
    case 6:
        return 0;
    default:
        return (uint64_t)arena + 8 * below(ARENA / 8);
    }
}

static uint64_t path(void) {
    char *to = arena + 256 * below(ARENA / 256);
    strcpy(to, PATHS[below(COUNT(PATHS))]);
    if (below(40) == 0) {
        memset(to, 'x', 256);
    }
    return (uint64_t)to;
}

static int kind(const unsigned char *good) {
    int all = KINDS;
    for (int i = 0; i < KINDS; i++) {
        all += good[i];
    }
    int left = below(4) ? below(all) : below(KINDS), kind = 0;
    while (kind < KINDS - 1 && left > good[kind]) {
        left -= good[kind] + 1;
        kind++;
    }
    return kind;
}

static uint64_t argument(int kind) {
    switch (kind) {
    case 0:
        return below(32);
    case 1:
        return address();
    case 2:
        return path();
    default:
        return number();
    }
}

/* Structures are read from here: numbers, addresses, short counts. */
static void scribble(void) {
    uint64_t *words = (uint64_t *)arena;
    for (int i = 0; i < 64; i++) {
        words[below(ARENA / 8)] = below(3) ? number() : address();
    }
}

static void descriptors(void) {
    int ends[2];
    mkdir("/tmp", 0777);
    mkdir("/tmp/a", 0777);
    chdir("/tmp");
    mknod("/tmp/fifo", S_IFIFO | 0666, 0);
    symlink("link", "/tmp/link");
    open("/random_calls", O_RDONLY);
    open("/tmp/b", O_RDWR | O_CREAT, 0666);
    open("/tmp/b", O_WRONLY | O_APPEND);
    open("/tmp/a", O_DIRECTORY);
    open("/", O_PATH);
    open("/tmp/fifo", O_RDWR | O_NONBLOCK);
    open("/dev/zero", O_RDWR);
    open("/dev/full", O_RDWR);
    open("/dev/urandom", O_RDONLY);
    open("/proc/self/maps", O_RDONLY);
    open("/proc", O_DIRECTORY);
    open("/file", O_RDONLY);
    pipe2(ends, O_NONBLOCK);
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    ftruncate(open("/tmp/mapped", O_RDWR | O_CREAT, 0666), 5 * 4096 + 100);
}

static void memory(void) {
    arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + 4096, 4096);
    readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    hole = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    file = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open("/tmp/mapped", O_RDWR), 0);
}

static void on_signal(int signal) { (void)signal; }

static void arm(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    struct itimerval soon = {{0, 5000}, {0, 5000}};
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigset_t none;
    sigaltstack(&stack, NULL);
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
}

static int is_kill(long n) {
    return n == SYS_kill || n == SYS_tkill || n == SYS_tgkill || n == SYS_rt_sigqueueinfo ||
           n == SYS_rt_tgsigqueueinfo;
}

static void make_calls(void) {
    for (int i = 0; i < CALLS; i++) {
        long n = below(LAST_CALL + 1);
        if (n == SYS_exit || n == SYS_exit_group || (n == SYS_rt_sigreturn && below(8))) {
            continue;
        }
        if (learnt->missing[n] && below(16)) {
            i--;
            continue;
        }
        if (i % 50 == 0) {
            arm();
        }
        if (i % 8 == 0) {
            scribble();
        }
        for (int again = below(6); again >= 0; again--) {
            long a[ARGUMENTS];
            int kinds[ARGUMENTS];
            for (int k = 0; k < ARGUMENTS; k++) {
                kinds[k] = kind(learnt->good[n][k]);
                a[k] = argument(kinds[k]);
            }
            if (is_kill(n)) {
                long signal = n == SYS_tgkill || n == SYS_rt_tgsigqueueinfo ? a[2] : a[1];
                if ((signal & 31) == SIGKILL || (signal & 31) == SIGSTOP) {
                    continue;
                }
                a[0] = below(4) ? getpid() : a[0];
            }
            if (n == SYS_prlimit64 && (pid_t)a[0] == supervisor) {
                a[0] = 0;
            }
            pid_t before = getpid();
            long result = call(n, a[0], a[1], a[2], a[3], a[4], a[5]);
            learnt->missing[n] |= result == -ENOSYS;
            for (int k = 0; k < ARGUMENTS && result >= 0; k++) {
                unsigned char *good = &learnt->good[n][k][kinds[k]];
                *good += *good < ENOUGH;
            }
            if ((n == SYS_vfork || n == SYS_clone) && getpid() != before && below(2)) {
                _exit(3);
            }
        }
    }
}

static void start(uint64_t seed) {
    if (fork() == 0) {
        for (int i = 1; i < 65; i++) {
            signal(i, SIG_DFL);
        }
        state = seed * 0x9e3779b97f4a7c15ULL | 1;
        for (int i = 0; i < 8; i++) {
            next();
        }
        descriptors();
        memory();
        make_calls();
        _exit(0);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 3 || strcmp(argv[0], "/random_calls") != 0) {
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    double end = now() + strtod(argv[2], NULL);
    int rounds = 0;
    supervisor = getpid();
    learnt = mmap(NULL, sizeof *learnt, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 1; i < 65; i++) {
        signal(i, SIG_IGN);
    }
    signal(SIGCHLD, SIG_DFL);
    while (now() < end) {
        double limit = now() + 2;
        for (int i = 0; i < PROCESSES; i++) {
            start(seed + rounds * PROCESSES + i);
        }
        while (waitpid(-1, NULL, WNOHANG) >= 0) {
            if (now() > limit) {
                kill(-1, SIGKILL);
            }
            poll(NULL, 0, 1);
        }
        rounds++;
    }
    return 42;
}
