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

/** Exceptions, broken signal frames and addresses at the edge are as on the host. */
class ExceptionsTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fenv.h>
      #include <setjmp.h>
      #include <signal.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/syscall.h>
      #include <sys/wait.h>
      #include <unistd.h>

      static sigjmp_buf back;
      static char other[65536];
      static int mode;

      static void tell(int sig, siginfo_t *info, void *context) {
        __asm__ volatile("pushfq; andq $~0x44100, (%rsp); popfq");
        greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
        printf("signal %d code %d at rip %d exception %lld error %llx\\n", sig, info->si_code,
               info->si_addr == (void *)regs[REG_RIP], regs[REG_TRAPNO], regs[REG_ERR]);
        siglongjmp(back, 1);
      }

      static void leave(int sig, siginfo_t *info, void *context) {
        printf("signal %d code %d\\n", sig, info->si_code);
        siglongjmp(back, 1);
      }

      static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
        struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
        sigaction(sig, &act, NULL);
      }

      static void other_stack(long size) {
        stack_t stack = {.ss_sp = other + sizeof other - size, .ss_size = size};
        sigaltstack(&stack, NULL);
      }

      #define TRY(what) \\
        do { \\
          fputs(#what ": ", stdout); \\
          if (!sigsetjmp(back, 1)) { \\
            what; \\
            puts("nothing"); \\
          } \\
        } while (0)
      #define ASM(text) __asm__ volatile(text)

      static void exceptions(void) {
        volatile double x = 0, y = 1e308;
        volatile long double z = 0;
        int all[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
        other_stack(sizeof other);
        for (int i = 0; i < 5; i++) handle(all[i], tell, SA_ONSTACK | SA_NODEFER);
        TRY(ASM("hlt"));
        TRY(ASM("cli"));
        TRY(ASM("inb $0x80, %al"));
        TRY(ASM("xor %ecx, %ecx; rdmsr"));
        TRY(ASM("int3"));
        TRY(ASM("ud2"));
        TRY(ASM("mov %cr0, %rax"));
        TRY(ASM("invlpg (%rsp)"));
        TRY(ASM("swapgs"));
        TRY(ASM("xor %ecx, %ecx; div %ecx"));
        TRY(ASM("pushfq; orq $0x100, (%rsp); popfq; nop; nop"));
        TRY(ASM("pushfq; orq $0x40000, (%rsp); popfq; mov 1(%rsp), %rax"));
        feenableexcept(FE_DIVBYZERO); TRY(x = 1 / x);
        feenableexcept(FE_INVALID); x = 0; TRY(x = x / x);
        feenableexcept(FE_OVERFLOW); TRY(y = y * y);
        feenableexcept(FE_DIVBYZERO); TRY(z = 1 / z; z = z + 1);
        TRY(*(volatile char *)8);
        TRY(*(volatile char *)tell = 0);
        TRY(*(volatile char *)0x7fffffffffff);
        TRY(*(volatile char *)0x800000000000);
        TRY(*(volatile char *)0xffffffff81000000);
        TRY(((void (*)(void))0xffffffff81000000)());
        TRY(((void (*)(void))0x800000000000)());
        TRY(ASM("mov $0x800000000000, %rax; wrfsbase %rax"));
      }

      static void change(int sig, siginfo_t *info, void *context) {
        mcontext_t *c = &((ucontext_t *)context)->uc_mcontext;
        char *state = (char *)c->fpregs;
        switch (mode) {
        case 0: memset(state + 24, 0xff, 4); break;
        case 1: c->gregs[REG_RIP] = 0x800000000000; break;
        case 2: c->gregs[REG_EFL] = 0xfffffffffffbfeff; break;
        case 3: c->fpregs = (void *)8; break;
        case 4: memset(state + 512, 0xff, 64); break;
        case 5: c->fpregs = NULL; break;
        case 6: c->gregs[REG_RSP] = 1; break;
        case 7: memset(state + 512, 0, 64); break;
        }
      }

      static void fault(int sig, siginfo_t *info, void *context) { *(volatile char *)8; }

      #define CHILD(what) \\
        do { \\
          int status; \\
          fflush(stdout); \\
          if (fork() == 0) { \\
            alarm(10); \\
            what; \\
            _exit(0); \\
          } \\
          wait(&status); \\
          printf("%s: %x\\n", #what, status); \\
        } while (0)

      static void frames(void) {
        for (mode = 0; mode < 8; mode++) CHILD(handle(SIGUSR1, change, 0); raise(SIGUSR1));
        CHILD(handle(SIGSEGV, fault, 0); fault(0, 0, 0));
        CHILD(handle(SIGSEGV, fault, SA_NODEFER); fault(0, 0, 0));
        other_stack(sizeof other);
        CHILD(handle(SIGSEGV, fault, SA_NODEFER | SA_ONSTACK); fault(0, 0, 0));
        CHILD(signal(SIGUSR1, (void *)0x800000000000); raise(SIGUSR1));
        CHILD(ASM("xor %esp, %esp; mov $15, %eax; syscall"));
        handle(SIGSEGV, leave, SA_ONSTACK);
        TRY(handle(SIGUSR1, fault, 0);
            ASM("mov %rsp, %rbx; mov $39, %eax; syscall; mov %eax, %edi; mov $10, %esi;"
                "xor %esp, %esp; mov $62, %eax; syscall; mov %rbx, %rsp"));
      }

      static void print(const char *what, long result) {
        printf("%s: %s\\n", what, result < 0 ? strerrorname_np(errno) : result > 4096 ? "yes" : "0");
      }
      #define SAY(...) print(#__VA_ARGS__, syscall(__VA_ARGS__))

      static void edges(void) {
        long base = 0, fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, any = fixed & ~MAP_FIXED;
        SAY(SYS_arch_prctl, 0x1002, 0x7ffffffff000);
        SAY(SYS_arch_prctl, 0x1001, 0xffff800000000000);
        SAY(SYS_arch_prctl, 0x1003, &base);
        printf("%d\\n", base != 0);
        SAY(SYS_arch_prctl, 0x1003, 8L);
        SAY(SYS_mmap, 0x7ffffffff000, 4096L, 3L, fixed, -1L, 0L);
        SAY(SYS_mmap, 0x7fffffffe000, 8192L, 3L, fixed, -1L, 0L);
        SAY(SYS_mmap, -4096L, 8192L, 3L, fixed, -1L, 0L);
        SAY(SYS_mmap, 0x7ffffffff000, 4096L, 3L, any, -1L, 0L);
        SAY(SYS_mmap, -4096L, 8192L, 3L, any, -1L, 0L);
        SAY(SYS_mmap, 0L, 0L, 3L, any, -1L, 0L);
        SAY(SYS_mmap, 0L, -1L, 3L, any, -1L, 0L);
        SAY(SYS_mmap, 0L, 4096L, 3L, any, -1L, 1L);
        SAY(SYS_mmap, 0L, 4096L, 3L, any & ~MAP_PRIVATE, -1L, 0L);
        SAY(SYS_mmap, 0L, 4096L, 3L, any | MAP_SHARED, -1L, 0L);
        SAY(SYS_mmap, 0L, 4096L, 3L, any | MAP_HUGETLB, -1L, 0L);
        SAY(SYS_mmap, 0L, 4096L, 1L, MAP_PRIVATE, 0L, -4096L);
        SAY(SYS_mprotect, -4096L, 4096L, 1L);
        SAY(SYS_mprotect, 0x7ffffffff000, 4096L, 1L);
        SAY(SYS_mprotect, 0x10000L, -1L, 1L);
        SAY(SYS_mprotect, (long)other & -4096, 4096L, 0x8000L);
        SAY(SYS_mremap, (long)other & -4096, 4096L, 4096L, 3L, 0x7ffffffff000);
        SAY(SYS_munmap, 0L, 1L << 47);
        SAY(SYS_munmap, 0x7ffffffff000, 4096L);
        SAY(SYS_munmap, -4096L, 8192L);
      }

      int main(int argc, char **argv) {
        switch (argv[1][0]) {
        case 'e': exceptions(); break;
        case 'f': frames(); break;
        case 'm': edges(); break;
        case 'c':
          printf("%d\\n", (int)syscall(SYS_clone, 127, 0, 0, 0, 0) == 0 ? (_exit(0), 0) : 1);
          printf("%d %d\\n", wait4(-1, NULL, __WALL, NULL) > 0, 1);
        }
        return 0;
      }
      """;

  @TempDir Path folder;
  private ProgramsOfTheHost root;
  private Path program;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, List.of("/bin/dash"));
    Path source = Files.writeString(folder.resolve("exceptions.c"), SOURCE);
    program = root.tree().resolve("exceptions");
    Processes.run("gcc", "-O0", "-w", "-static", "-o", program + "", source + "", "-lm");
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
    ProgramResult result = root.run("/exceptions", what);
    assertThat(root.output()).as(result.toString()).isEqualTo(host.out());
    assertThat(result.status()).as(result.toString()).isEqualTo(host.exit());
  }

  @Test
  void anExceptionTellsWhatItIs() throws IOException {
    isAsOnTheHost("e");
  }

  @Test
  void aSignalWithABrokenFrameOrStackEndsTheProgram() throws IOException {
    isAsOnTheHost("f");
  }

  @Test
  void addressesOfTheKernelAreRefused() throws IOException {
    isAsOnTheHost("m");
  }

  @Test
  void anEndIsToldByNoSignalIfThereIsNone() throws IOException {
    isAsOnTheHost("c");
  }
}
