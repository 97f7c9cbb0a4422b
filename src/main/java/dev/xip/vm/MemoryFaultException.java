package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import java.io.IOException;

/**
 * The signal that an access would have got from the kernel.
 *
 * <p>Lock held by the caller: none needed.
 */
public abstract sealed class MemoryFaultException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  private final long va;

  private MemoryFaultException(String signal, long va, String why, Throwable cause) {
    super("%s at address 0x%x: %s".formatted(signal, va, why), cause);
    this.va = va;
  }

  /** {@return the virtual address that was accessed} */
  public long address() {
    return va;
  }

  /** Returns the code of a system call for the address: EFAULT where a program gets a signal. */
  @Override
  public Errno errno() {
    return this instanceof OutOfMemory ? Errno.ENOMEM : Errno.EFAULT;
  }

  /** SIGSEGV: no mapping there, or one that does not allow the access. */
  public static final class SegmentationFault extends MemoryFaultException {
    private static final long serialVersionUID = 1L;

    SegmentationFault(long va, String why) {
      super("SIGSEGV", va, why, null);
    }
  }

  /** SIGBUS: a mapping without bytes at that address. */
  public static final class BusError extends MemoryFaultException {
    private static final long serialVersionUID = 1L;

    BusError(long va, String why, Throwable cause) {
      super("SIGBUS", va, why, cause);
    }
  }

  /** ENOMEM: there is no free frame of RAM for a page or a table. */
  public static final class OutOfMemory extends MemoryFaultException {
    private static final long serialVersionUID = 1L;

    OutOfMemory(long va, String why) {
      super(Errno.ENOMEM.name(), va, why, null);
    }
  }
}
