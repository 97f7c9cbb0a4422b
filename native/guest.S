/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of include/xip/guest.h. Kernel code is emulated under some hypervisors, at a cost of
 * hundreds of nanoseconds an instruction, so stubs are as short as can be.
 */
#include "xip/guest.h"

#ifdef __x86_64__

        .section .rodata.guest, "a", @progbits
        .balign 4096
        .globl xip_guest_image
        .hidden xip_guest_image
        .type xip_guest_image, @object
xip_guest_image:
        .code64

/* An exception's stub. Returning from HLT without a new RIP would be a mistake of the host. */
        vector = 0
        .rept XIP_GUEST_VECTORS
        .org xip_guest_image + (vector << XIP_GUEST_VECTOR_SHIFT), 0xcc
        hlt
        vector = vector + 1
        .endr

        .org xip_guest_image + XIP_GUEST_SYSCALL, 0xcc
        hlt

        .org xip_guest_image + XIP_GUEST_RESUME, 0xcc
        iretq

        .org xip_guest_image + XIP_GUEST_SWITCH, 0xcc
switch:
        pop %rax
        mov %rax, %cr3
        pop %rax
        pop %rcx
        pop %rsi
        iretq

        .org xip_guest_image + XIP_GUEST_PAY, 0xcc
1:      lodsq
        lock orb $0, 1(%rax)
        loop 1b
        jmp switch

        .org xip_guest_image + XIP_GUEST_PAY_PART, 0xcc
1:      lodsq
        lock orb $0, 1(%rax)
        loop 1b
        hlt

/*
 * Interrupt gates on the first stack of the interrupt stack table. User mode may use INT3 and INTO,
 * vectors 3 and 4.
 */
        .macro gate vector, type
        .set target, XIP_GUEST_BASE + (\vector << XIP_GUEST_VECTOR_SHIFT)
        .word target & 0xffff
        .word XIP_GUEST_KERNEL_CS
        .byte 1
        .byte \type
        .word (target >> 16) & 0xffff
        .long (target >> 32) & 0xffffffff
        .long 0
        .endm

        .org xip_guest_image + XIP_GUEST_IDT, 0xcc
        vector = 0
        .rept XIP_GUEST_VECTORS
        .if vector == 3 || vector == 4
        gate vector, 0xee
        .else
        gate vector, 0x8e
        .endif
        vector = vector + 1
        .endr

/* Flat segments that are marked as accessed, so that the processor stores nothing here. */
        .org xip_guest_image + XIP_GUEST_GDT
        .quad 0
        .quad 0x00af9b000000ffff /* the kernel's code, 64 bits */
        .quad 0x00cf93000000ffff /* the kernel's data */
        .quad 0x00cff3000000ffff /* the user's data */
        .quad 0x00affb000000ffff /* the user's code, 64 bits */

        .org xip_guest_image + XIP_GUEST_USER_SYSCALL
        ud2

        .org xip_guest_image + XIP_GUEST_USER_CALL, 0xcc
        syscall

        .org xip_guest_image + XIP_GUEST_USER_LOAD, 0xcc
        movzbl (%rdi), %eax
        syscall

        .org xip_guest_image + XIP_GUEST_USER_STORE, 0xcc
        movb %sil, (%rdi)
        syscall

        .org xip_guest_image + XIP_GUEST_USER_POLL, 0xcc
1:      cmpb %sil, (%rdi)
        je 1b
        syscall

        .org xip_guest_image + XIP_GUEST_USER_SPIN, 0xcc
1:      inc %rax
        jmp 1b

        .org xip_guest_image + XIP_GUEST_BYTES, 0xcc
        .size xip_guest_image, . - xip_guest_image

#endif

        .section .note.GNU-stack, "", @progbits
