/**
 * Virtual processors of KVM whose MMU walks the page tables of address spaces. The physical memory
 * of the virtual machine is the window: RAM is one slot, each loaded segment another. {@link
 * dev.xip.cpu.VirtualProcessor} runs user mode of an address space until it makes a system call or
 * causes an exception. {@code README.md} beside this file says how a processor enters and leaves
 * user mode, and how changes of entries reach it.
 *
 * <p>x86-64 with {@code /dev/kvm} alone: {@link dev.xip.cpu.Processors#boot} says in one line what
 * is missing.
 */
package dev.xip.cpu;
