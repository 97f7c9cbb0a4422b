package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.FileName;

/**
 * Whatever had a name, held but not opened, open(2) with O_PATH: a link, pipe or device about which
 * a caller asks before it uses it. To open it, open {@link #descriptorPath}.
 */
public final class HostNode extends HostDescriptor {
  private static final FileName ITSELF = FileName.of("");

  HostNode(int fd, String name) {
    super(fd, name);
  }

  /**
   * Reads where the link that is held leads.
   *
   * @return the target
   * @throws HostException if it is no link (ENOENT)
   */
  public FileName target() throws HostException {
    AtomicContext.mightSleep("readlinkat");
    return BeneathCalls.readlink(fd(), ITSELF, this::name);
  }
}
