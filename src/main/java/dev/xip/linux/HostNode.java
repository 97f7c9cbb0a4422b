package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.host.HostStream;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Special;
import dev.xip.vfs.Tree;
import java.io.IOException;
import java.util.function.UnaryOperator;

/** What a stream is on the host, for stat(2). It cannot be changed. */
final class HostNode extends Special {
  /** Keeps the devices of the host apart from those of trees. */
  private static final long DEVICES = 1L << 24;

  private final HostStream stream;

  HostNode(HostStream stream) {
    HostStream.Status now = stream.status();
    super(
        new StreamTree(DEVICES | now.device()),
        now.inode(),
        attributes(now),
        now.major(),
        now.minor());
    this.stream = stream;
  }

  private static Attributes attributes(HostStream.Status of) {
    return new Attributes(
        of.mode(), of.uid(), of.gid(), of.accessed(), of.modified(), of.changed(), null);
  }

  @Override
  public Attributes attributes() {
    return attributes(stream.status());
  }

  @Override
  public void change(UnaryOperator<Attributes> change) throws IOException {
    throw new FileException(Errno.EPERM, "a stream of the host");
  }

  @Override
  public long size() {
    return stream.status().size();
  }

  private record StreamTree(long device) implements Tree {
    @Override
    public Directory root() {
      throw new IllegalStateException("streams of the host have no names");
    }

    @Override
    public Usage usage() throws IOException {
      throw new FileException(Errno.ENOSYS, "a stream of the host");
    }
  }
}
