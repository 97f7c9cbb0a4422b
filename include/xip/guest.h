/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a virtual processor needs in its address space beside the user's pages, as bytes to be
 * copied into page frames: three pages with descriptor tables and stubs, assembled from
 * native/guest.S. They work at XIP_GUEST_BASE alone, in the kernel half of the addresses. x86-64.
 *
 * An exception, and SYSCALL where the processor lets it enter ring 0, executes a stub that only
 * halts: KVM_RUN ends with KVM_EXIT_HLT, and RIP, which names the instruction after HLT, tells which
 * stub it was. All gates use the first stack of the interrupt stack table. Let TOP be the address
 * that the TSS names, a multiple of 16: the processor pushes SS, RSP, RFLAGS, CS and RIP from TOP
 * downwards, then, for some exceptions, an error code. The frame is at TOP - XIP_GUEST_FRAME with or
 * without one.
 *
 * The host resumes user mode by setting RIP to one of the resume stubs, RSP to the stack, RFLAGS to
 * 2, and the user's registers, with the processor in ring 0. The stack holds, in ascending order:
 *   XIP_GUEST_RESUME         the frame
 *   XIP_GUEST_SWITCH         the root table's address (CR3), the user's RAX, RCX and RSI, the frame.
 *                            Loading CR3 is a flush as well
 *   XIP_GUEST_PAY            the same. RSI holds the address of a list of addresses and RCX their
 *                            count, above 0: into the table at each a store is made that changes
 *                            nothing, then CR3 is loaded. Byte 1 is stored: of a hypervisor that
 *                            shadows page tables it drops the shadow of the whole table, while a
 *                            store of byte 0 would count as a change of the first entry alone
 *                            (Linux: detect_write_misaligned, arch/x86/kvm/mmu/mmu.c)
 *   XIP_GUEST_PAY_PART       nothing. RSI and RCX as before, but the stub halts after the stores
 */
#ifndef XIP_GUEST_H
#define XIP_GUEST_H

/* Where the pages lie: the last 2 MiB of the address space. */
#define XIP_GUEST_BASE 0xffffffffffe00000UL
/* The order of the pages, by their first byte's offset, and the rights that they need. */
#define XIP_GUEST_STUBS 0x0000UL  /* the kernel's, executable */
#define XIP_GUEST_TABLES 0x1000UL /* the kernel's, not executable */
#define XIP_GUEST_USER 0x2000UL   /* the user's, executable */
#define XIP_GUEST_BYTES 0x3000UL  /* all of them */

/* Stubs of exceptions: vector n's begins at n << XIP_GUEST_VECTOR_SHIFT. */
#define XIP_GUEST_VECTORS 32
#define XIP_GUEST_VECTOR_SHIFT 4
/* LSTAR where SYSCALL enters ring 0, and the resume stubs; all are offsets from the base. */
#define XIP_GUEST_SYSCALL 0x200UL
#define XIP_GUEST_RESUME 0x210UL
#define XIP_GUEST_SWITCH 0x220UL
#define XIP_GUEST_PAY 0x240UL
#define XIP_GUEST_PAY_PART 0x260UL

/* The tables that LIDT and LGDT name, and their limits. */
#define XIP_GUEST_IDT 0x1000UL
#define XIP_GUEST_IDT_LIMIT 0x1ff
#define XIP_GUEST_GDT 0x1200UL
#define XIP_GUEST_GDT_LIMIT 0x27
/* Selectors in the GDT. Those of user mode have their privilege level in the low bits. */
#define XIP_GUEST_KERNEL_CS 0x08
#define XIP_GUEST_KERNEL_SS 0x10
#define XIP_GUEST_USER_SS 0x1b
#define XIP_GUEST_USER_CS 0x23

/* The frame of an entry, from its lowest address; the error code is in the 8 bytes below it. */
#define XIP_GUEST_FRAME 40

/*
 * LSTAR where SYSCALL stays in ring 3, as under a hypervisor that runs the guest's kernel mode by
 * emulation: an instruction that is undefined, whose exception then stands for the system call.
 */
#define XIP_GUEST_USER_SYSCALL 0x2000UL
/*
 * User-mode code for probes and tests, each but SPIN with a SYSCALL at its end: nothing; a load of
 * the byte at RDI into RAX; a store of the low byte of RSI to RDI; loads of the byte at RDI until it
 * is not the low byte of RSI; adding to RAX for ever.
 */
#define XIP_GUEST_USER_CALL 0x2010UL
#define XIP_GUEST_USER_LOAD 0x2020UL
#define XIP_GUEST_USER_STORE 0x2030UL
#define XIP_GUEST_USER_POLL 0x2040UL
#define XIP_GUEST_USER_SPIN 0x2050UL

#ifndef __ASSEMBLER__

#ifdef __cplusplus
extern "C" {
#endif

/* The three pages, XIP_GUEST_BYTES long; NULL where the processor is of another architecture. */
const void *xip_guest_pages(void);

/*
 * Kicks: the signal that ends a KVM_RUN of another thread. xip_kick_prepare gives the signal an
 * empty handler, once for the process; -EBUSY if the process uses it for something else.
 * xip_kick_thread returns the calling thread's number, to which xip_kick sends the signal; -ESRCH if
 * that thread has ended.
 */
int xip_kick_prepare(void);
int xip_kick_thread(void);
int xip_kick(int thread);

/*
 * Processor time in nanoseconds. xip_thread_time is that of a thread of this process, in user and in
 * system mode, or -EINVAL if that thread has ended; xip_own_system_time is what the calling thread
 * has spent in system mode.
 */
long xip_thread_time(int thread);
long xip_own_system_time(void);

#ifdef __cplusplus
}
#endif

#endif

#endif
