package dev.xip.linux;

import java.io.IOException;

/** A signal ends a system call that waits. Linux counterpart: {@code ERESTARTSYS}. */
final class InterruptedCallException extends IOException {
  private static final long serialVersionUID = 1L;

  InterruptedCallException() {
    super("a signal ends the call");
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
