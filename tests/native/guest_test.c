/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stubs of native/guest.S on a processor of KVM, with the host's part written in C: what an
 * entry leaves, what each resume stub does, what the MMU marks. The results are those that
 * dev.xip.cpu relies on, so the program also runs where no JVM does: linked statically, as the only
 * process of a small guest. It says how the hypervisor behaves, and claims nothing without /dev/kvm.
 */
#include "check.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "xip/guest.h"

#define DIRECT 0xffffff8000000000UL
#define USER (XIP_GUEST_BASE + XIP_GUEST_USER)
#define VA 0x403000UL /* not the first entry of its table */
#define SEGMENT (1UL << 32)

/* Frames of the kernel half, behind those of tables. */
enum { TOP = 1000, RAM_TABLE, MIDDLE, LEAVES, CODE, STACK = CODE + 3, LIST, FIRST, SECOND };

#define KERNEL_DATA                                                                    \
  (XIP_X86_64_PRESENT | XIP_X86_64_RW | XIP_X86_64_ACCESSED | XIP_X86_64_DIRTY | XIP_X86_64_NX)
#define KERNEL_CODE (XIP_X86_64_PRESENT | XIP_X86_64_ACCESSED)

/* Ends of a run: the vector of an exception, or one of these. */
enum { SYSTEM_CALL = 256, PART_PAID, STRAY, OTHER };

static int vcpu;
static struct kvm_run *run;
static struct kvm_regs user;
static uint64_t error_code;

static uint64_t *stack(uint64_t offset) { return entry(STACK, (unsigned)(offset / 8)); }

static void kernel_half(void) {
  memcpy(window + CODE * PAGE, xip_guest_pages(), XIP_GUEST_BYTES);
  *entry(ROOT, 511) = TOP * PAGE | XIP_X86_64_TABLE;
  *entry(TOP, 0) = RAM_TABLE * PAGE | XIP_X86_64_TABLE;
  for (unsigned i = 0; i < WINDOW_BYTES >> 21; i++)
    *entry(RAM_TABLE, i) = (uint64_t)i << 21 | KERNEL_DATA | XIP_X86_64_PSE;
  *entry(TOP, 511) = MIDDLE * PAGE | XIP_X86_64_TABLE;
  *entry(MIDDLE, 511) = LEAVES * PAGE | XIP_X86_64_TABLE;
  *entry(LEAVES, 0) = CODE * PAGE | KERNEL_CODE;
  *entry(LEAVES, 1) = (CODE + 1) * PAGE | KERNEL_CODE | XIP_X86_64_NX;
  *entry(LEAVES, 2) = (CODE + 2) * PAGE | KERNEL_CODE | XIP_X86_64_USER;
  uint64_t top = DIRECT + STACK * PAGE + PAGE;
  memcpy(window + STACK * PAGE + 4, &top, 8);
  memcpy(window + STACK * PAGE + 0x24, &top, 8);
}

static struct kvm_segment flat(uint16_t selector, int code) {
  return (struct kvm_segment){.limit = 0xffffffff, .selector = selector, .type = code ? 11 : 3,
                              .present = 1, .dpl = selector & 3, .db = !code, .s = 1,
                              .l = (uint8_t)code, .g = 1};
}

static int set_msr(uint32_t index, uint64_t value) {
  struct {
    struct kvm_msrs list;
    struct kvm_msr_entry entry;
  } msr = {{.nmsrs = 1}, {.index = index, .data = value}};
  return ioctl(vcpu, KVM_SET_MSRS, &msr);
}

static void system_registers(void) {
  struct kvm_sregs s;

  if (ioctl(vcpu, KVM_GET_SREGS, &s) != 0) abort();
  s.cr0 = 0x80050033;
  s.cr3 = ROOT * PAGE;
  s.cr4 = 0x620;
  s.efer = 0xd01;
  s.gdt.base = XIP_GUEST_BASE + XIP_GUEST_GDT;
  s.gdt.limit = XIP_GUEST_GDT_LIMIT;
  s.idt.base = XIP_GUEST_BASE + XIP_GUEST_IDT;
  s.idt.limit = XIP_GUEST_IDT_LIMIT;
  s.tr = (struct kvm_segment){.base = DIRECT + STACK * PAGE, .limit = 103, .type = 11, .present = 1};
  s.cs = flat(XIP_GUEST_KERNEL_CS, 1);
  s.ss = flat(XIP_GUEST_KERNEL_SS, 0);
  s.ds = s.es = flat(XIP_GUEST_USER_SS, 0);
  if (ioctl(vcpu, KVM_SET_SREGS, &s) != 0) abort();
  set_msr(0xc0000081, (uint64_t)(XIP_GUEST_USER_SS - 8) << 48 | (uint64_t)XIP_GUEST_KERNEL_CS << 32);
  set_msr(0xc0000084, 0x257fd5);
}

/* Goes on in user mode by a stub; count tables are in the list. */
static int resume(uint64_t stub, uint64_t count) {
  struct kvm_regs r = user;
  uint64_t frame = PAGE - XIP_GUEST_FRAME, switched = frame - 32;

  *stack(frame) = user.rip;
  *stack(frame + 8) = XIP_GUEST_USER_CS;
  *stack(frame + 16) = (user.rflags & 0x250dd5) | 0x202;
  *stack(frame + 24) = user.rsp;
  *stack(frame + 32) = XIP_GUEST_USER_SS;
  *stack(switched) = ROOT * PAGE;
  *stack(switched + 8) = user.rax;
  *stack(switched + 16) = user.rcx;
  *stack(switched + 24) = user.rsi;
  r.rip = XIP_GUEST_BASE + stub;
  r.rflags = 2;
  r.rsp = DIRECT + STACK * PAGE + (stub == XIP_GUEST_RESUME ? frame : switched);
  if (stub != XIP_GUEST_RESUME) {
    r.rsi = DIRECT + LIST * PAGE;
    r.rcx = count;
  }
  if (ioctl(vcpu, KVM_SET_REGS, &r) != 0) abort();
  int result = ioctl(vcpu, KVM_RUN, 0);
  if (result == 0 && run->exit_reason == KVM_EXIT_MMIO) return STRAY;
  if (result != 0 || run->exit_reason != KVM_EXIT_HLT) return OTHER;
  if (ioctl(vcpu, KVM_GET_REGS, &r) != 0) abort();
  uint64_t at = r.rip - 1 - XIP_GUEST_BASE;
  if (at >= XIP_GUEST_PAY_PART) return PART_PAID;
  user = r;
  if (at == XIP_GUEST_SYSCALL) {
    user.rip = r.rcx;
    return SYSTEM_CALL;
  }
  user.rip = *stack(frame);
  user.rsp = *stack(frame + 24);
  error_code = *stack(frame - 8);
  int vector = (int)(at >> XIP_GUEST_VECTOR_SHIFT);
  if (vector == 6 && user.rip == XIP_GUEST_BASE + XIP_GUEST_USER_SYSCALL) {
    user.rip = r.rcx;
    return SYSTEM_CALL;
  }
  return vector;
}

static int call(uint64_t stub, uint64_t rip, uint64_t rdi, uint64_t rsi) {
  user.rip = rip;
  user.rdi = rdi;
  user.rsi = rsi;
  return resume(stub, 1);
}

static int load(uint64_t stub, uint64_t va) {
  int end = call(stub, XIP_GUEST_BASE + XIP_GUEST_USER_LOAD, va, 0);
  return end == SYSTEM_CALL ? (int)(user.rax & 0xff) : -1;
}

static int store(uint64_t va, uint64_t value) {
  return call(XIP_GUEST_RESUME, XIP_GUEST_BASE + XIP_GUEST_USER_STORE, va, value);
}

static uint64_t fault_address(void) {
  struct kvm_sregs s;
  return ioctl(vcpu, KVM_GET_SREGS, &s) == 0 ? s.cr2 : 0;
}

static void system_calls(void) {
  set_msr(0xc0000082, XIP_GUEST_BASE + XIP_GUEST_SYSCALL);
  int direct = call(XIP_GUEST_SWITCH, XIP_GUEST_BASE + XIP_GUEST_USER_CALL, 0, 0);
  printf("SYSCALL enters ring 0: %s\n", direct == SYSTEM_CALL ? "yes" : "no");
  if (direct != SYSTEM_CALL) set_msr(0xc0000082, XIP_GUEST_BASE + XIP_GUEST_USER_SYSCALL);
  CLAIM(call(XIP_GUEST_RESUME, XIP_GUEST_BASE + XIP_GUEST_USER_CALL, 0, 0) == SYSTEM_CALL,
        "a system call is reported");
  CLAIM(user.rip == XIP_GUEST_BASE + XIP_GUEST_USER_CALL + 2, "and goes on behind it");
  user.rsp = 0x1111222233334444;
  user.rax = 1;
  CLAIM(call(XIP_GUEST_SWITCH, XIP_GUEST_BASE + XIP_GUEST_USER_CALL, 5, 7) == SYSTEM_CALL,
        "so is one with a stack pointer that is not canonical");
  CLAIM(user.rsp == 0x1111222233334444 && user.rax == 1 && user.rdi == 5 && user.rsi == 7,
        "and the registers are the user's");
  user.rsp = 0;
  CLAIM(call(XIP_GUEST_RESUME, 1UL << 55, 0, 0) == 13,
        "an address that is not canonical is refused");
  CLAIM(call(XIP_GUEST_RESUME, USER + 0x80, 0, 0) == 3, "INT3 traps from user mode");
}

static void faults_and_marks(void) {
  uint64_t bits = USER_PAGE & ~XIP_X86_64_ACCESSED;

  memset(window + FIRST * PAGE, 0xcc, PAGE);
  window[FIRST * PAGE + 5] = 17;
  CLAIM(load(XIP_GUEST_RESUME, VA + 5) == -1 && fault_address() == VA + 5 && error_code == 4,
        "a load without an entry faults");
  CLAIM(user.rip == XIP_GUEST_BASE + XIP_GUEST_USER_LOAD, "at its instruction");
  set(VA, FIRST * PAGE | bits | XIP_X86_64_SPECIAL | XIP_X86_64_NX, XIP_LEVEL_PTE);
  CLAIM(load(XIP_GUEST_RESUME, VA + 5) == 17, "a new entry needs no flush");
  CLAIM(walk(VA).pte == (FIRST * PAGE | bits | XIP_X86_64_SPECIAL | XIP_X86_64_NX |
                         XIP_X86_64_ACCESSED),
        "the load marks a special entry as accessed and changes nothing else");
  CLAIM(store(VA, 1) == 14 && error_code == 7, "a store to a read-only page faults");
  CLAIM(call(XIP_GUEST_RESUME, VA, 0, 0) == 14 && error_code == 0x15, "so does a fetch under NX");
  set(VA, FIRST * PAGE | bits | XIP_X86_64_RW, XIP_LEVEL_PTE);
  CLAIM(store(VA + 5, 99) == SYSTEM_CALL && window[FIRST * PAGE + 5] == 99,
        "a store with more rights than before needs no flush");
  CLAIM((walk(VA).pte & XIP_X86_64_DIRTY) != 0, "and marks the entry as dirty");
  CLAIM(call(XIP_GUEST_RESUME, VA, 0, 0) == 3, "without NX the page's INT3 is fetched");
  CLAIM(load(XIP_GUEST_RESUME, DIRECT) == -1 && error_code == 5, "RAM is closed to user mode");
}

static void changes(void) {
  uint64_t bits = USER_PAGE | XIP_X86_64_RW;
  uint64_t table = *entry(*entry(*entry(ROOT, 0) >> 12 & 0xfffff, 0) >> 12 & 0xfffff, 2) >> 12 & 0xfffff;

  memset(window + FIRST * PAGE, 1, PAGE);
  memset(window + SECOND * PAGE, 2, PAGE);
  for (unsigned i = 0; i < 8; i++) set(VA - 3 * PAGE + i * PAGE, FIRST * PAGE | bits, XIP_LEVEL_PTE);
  for (unsigned i = 0; i < 8; i++) load(XIP_GUEST_SWITCH, VA - 3 * PAGE + i * PAGE);
  set(VA, SECOND * PAGE | bits, XIP_LEVEL_PTE);
  printf("CR3 shows what the host stored into a table: %s\n",
         load(XIP_GUEST_SWITCH, VA) == 2 ? "yes" : "no");
  *entry(LIST, 0) = DIRECT + table * PAGE;
  CLAIM(load(XIP_GUEST_PAY, VA) == 2, "a store of the guest into the table and CR3 show it");
  int right = 0;
  for (int round = 0; round < 200; round++) {
    unsigned i = (unsigned)round % 8;
    uint64_t frame = round / 8 % 2 ? FIRST : SECOND;
    set(VA - 3 * PAGE + i * PAGE, frame * PAGE | bits, XIP_LEVEL_PTE);
    right += load(XIP_GUEST_PAY, VA - 3 * PAGE + i * PAGE) == (frame == FIRST ? 1 : 2);
  }
  CLAIM(right == 200, "for each entry of the table");
  set(VA, 0, XIP_LEVEL_PTE);
  user.rax = 77;
  CLAIM(load(XIP_GUEST_PAY, VA) == -1 && user.rax == 77, "an entry that was emptied faults");
  CLAIM(resume(XIP_GUEST_PAY_PART, 1) == PART_PAID, "a part that is paid halts");
}

static void segments(int vm) {
  static char file[2 * PAGE] __attribute__((aligned(4096)));
  struct kvm_userspace_memory_region slot = {
      .slot = 1, .flags = KVM_MEM_READONLY, .guest_phys_addr = SEGMENT, .memory_size = sizeof file,
      .userspace_addr = (uint64_t)(uintptr_t)file};

  memset(file, 42, sizeof file);
  CLAIM(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) == 0, "a read-only slot is added");
  set(VA, SEGMENT | USER_PAGE | XIP_X86_64_RW | XIP_X86_64_SPECIAL, XIP_LEVEL_PTE);
  CLAIM(load(XIP_GUEST_PAY, VA) == 42, "its bytes are loaded");
  CLAIM(store(VA, 1) == STRAY && run->mmio.is_write && run->mmio.phys_addr == SEGMENT &&
            file[0] == 42,
        "a store through an entry that allows it is refused");
}

int main(void) {
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (xip_guest_pages() == NULL || kvm < 0) {
    printf("skipped: no /dev/kvm that may be opened on x86-64\n");
    return 0;
  }
  fresh_tables();
  kernel_half();
  int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  struct kvm_userspace_memory_region ram = {.memory_size = WINDOW_BYTES,
                                            .userspace_addr = (uint64_t)(uintptr_t)window};
  CLAIM(vm >= 0 && ioctl(vm, KVM_SET_USER_MEMORY_REGION, &ram) == 0, "a machine has RAM");
  vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  static struct {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[256];
  } cpuid = {.head = {.nent = 256}};
  CLAIM(vcpu >= 0 && ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0 &&
            ioctl(vcpu, KVM_SET_CPUID2, &cpuid) == 0,
        "and a processor");
  run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
             MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED) abort();
  system_registers();
  system_calls();
  faults_and_marks();
  changes();
  segments(vm);
  return claims_done();
}
