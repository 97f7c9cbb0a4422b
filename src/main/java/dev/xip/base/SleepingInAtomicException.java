package dev.xip.base;

import java.util.List;

/**
 * Reports a call that may block, made under a spin lock; the kernel would have printed the same.
 * The stack trace is the chain of calls that led there.
 */
public final class SleepingInAtomicException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  SleepingInAtomicException(String what, List<String> held) {
    super(
        "BUG: sleeping function called from invalid context: %s, in_atomic():1, holding %s"
            .formatted(what, held));
  }
}
