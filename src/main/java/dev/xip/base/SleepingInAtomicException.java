package dev.xip.base;

import java.util.List;

/**
 * What the kernel would have printed: something that may block was called under a spin lock. The
 * stack trace is the chain of calls that led there.
 */
public final class SleepingInAtomicException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  SleepingInAtomicException(String what, List<String> held) {
    super(
        "BUG: sleeping function called from invalid context: %s, in_atomic():1, holding %s"
            .formatted(what, held));
  }
}
