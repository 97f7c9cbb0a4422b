package dev.xip.host;

import dev.xip.bindings.Guest;
import java.lang.foreign.MemorySegment;

/**
 * The pages of descriptor tables and stubs that libxip has for virtual processors: {@code
 * include/xip/guest.h}, which says what they do. Offsets are from the first page's first byte.
 */
public final class GuestPages {
  /** The address that the pages work at. */
  public static final long BASE = Guest.XIP_GUEST_BASE();

  /** The offset of the kernel's code. */
  public static final long STUBS = Guest.XIP_GUEST_STUBS();

  /** The offset of the descriptor tables. */
  public static final long TABLES = Guest.XIP_GUEST_TABLES();

  /** The offset of the user's code. */
  public static final long USER = Guest.XIP_GUEST_USER();

  /** The bytes of all pages. */
  public static final long BYTES = Guest.XIP_GUEST_BYTES();

  /** The distance of the stubs of exceptions, as a power of two. */
  public static final int VECTOR_SHIFT = Guest.XIP_GUEST_VECTOR_SHIFT();

  /** The stub that SYSCALL enters in ring 0. */
  public static final long SYSCALL = Guest.XIP_GUEST_SYSCALL();

  /** The stub that resumes user mode. */
  public static final long RESUME = Guest.XIP_GUEST_RESUME();

  /** The stub that loads CR3 and resumes. */
  public static final long SWITCH = Guest.XIP_GUEST_SWITCH();

  /** The stub that stores into tables, loads CR3 and resumes. */
  public static final long PAY = Guest.XIP_GUEST_PAY();

  /** The stub that stores into tables and halts. */
  public static final long PAY_PART = Guest.XIP_GUEST_PAY_PART();

  /** The interrupt descriptor table. */
  public static final long IDT = Guest.XIP_GUEST_IDT();

  /** Its last byte's offset in it. */
  public static final int IDT_LIMIT = Guest.XIP_GUEST_IDT_LIMIT();

  /** The global descriptor table. */
  public static final long GDT = Guest.XIP_GUEST_GDT();

  /** Its last byte's offset in it. */
  public static final int GDT_LIMIT = Guest.XIP_GUEST_GDT_LIMIT();

  /** The selector of the kernel's code. */
  public static final int KERNEL_CS = Guest.XIP_GUEST_KERNEL_CS();

  /** The selector of the kernel's stack. */
  public static final int KERNEL_SS = Guest.XIP_GUEST_KERNEL_SS();

  /** The selector of the user's code. */
  public static final int USER_CS = Guest.XIP_GUEST_USER_CS();

  /** The selector of the user's data and stack. */
  public static final int USER_SS = Guest.XIP_GUEST_USER_SS();

  /** The bytes of the frame that an entry leaves below the top of the stack. */
  public static final long FRAME = Guest.XIP_GUEST_FRAME();

  /** The undefined instruction that SYSCALL reaches where it stays in user mode. */
  public static final long USER_SYSCALL = Guest.XIP_GUEST_USER_SYSCALL();

  /** User code: a system call. */
  public static final long USER_CALL = Guest.XIP_GUEST_USER_CALL();

  /** User code: loads the byte at RDI into RAX, then makes a system call. */
  public static final long USER_LOAD = Guest.XIP_GUEST_USER_LOAD();

  /** User code: stores the low byte of RSI to RDI, then makes a system call. */
  public static final long USER_STORE = Guest.XIP_GUEST_USER_STORE();

  /** User code: loads the byte at RDI until it is not that of RSI, then makes a system call. */
  public static final long USER_POLL = Guest.XIP_GUEST_USER_POLL();

  /** User code: adds to RAX for ever. */
  public static final long USER_SPIN = Guest.XIP_GUEST_USER_SPIN();

  private GuestPages() {}

  /** {@return the pages, read-only, {@link #BYTES} long} */
  public static MemorySegment pages() {
    Libxip.get();
    return MappedMemory.forever(Guest.xip_guest_pages().address(), BYTES).asReadOnly();
  }
}
