package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.FileName;

/**
 * A file of any type, held but not opened, open(2) with O_PATH: a caller can inspect a link, pipe
 * or device before it uses it. To open it, open {@link #descriptorPath}.
 */
public final class HostNode extends HostDescriptor {
  private static final FileName ITSELF = FileName.of("");

  HostNode(int fd, String name) {
    super(fd, name);
  }

  /**
   * Reads the target of a symbolic link.
   *
   * @return the target
   * @throws HostException if it is no link (ENOENT)
   */
  public FileName target() throws HostException {
    AtomicContext.mightSleep("readlinkat");
    return BeneathCalls.readlink(fd(), ITSELF, this::name);
  }
}
