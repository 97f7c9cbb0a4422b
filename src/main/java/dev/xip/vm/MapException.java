package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import java.io.IOException;

/**
 * A mapping call was refused. Calls that go through a range mapping by mapping have changed the
 * mappings before the one that was refused; in all other cases nothing has changed. The message
 * begins with the kernel's code.
 *
 * <p>Lock held by the caller: none needed.
 */
public final class MapException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /**
   * Refuses a call.
   *
   * @param errno the kernel's code
   * @param call the call with its arguments, told by its {@code toString}
   * @param expected what was expected
   * @param found what was found
   */
  public MapException(Errno errno, Object call, String expected, String found) {
    super("%s: %s: expected %s, found %s".formatted(errno, call, expected, found));
    this.errno = errno;
  }

  @Override
  public Errno errno() {
    return errno;
  }
}
