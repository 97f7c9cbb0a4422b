package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
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

  /** The major numbers of devices of memory and of pseudo terminals. */
  private static final int MEMORY = 1;

  private static final int PSEUDO_TERMINAL = 136;

  private final Kernel kernel;
  private final HostStream stream;

  /** Null if it is none. */
  private final Terminal terminal;

  HostNode(Kernel kernel, HostStream stream, Terminal terminal) {
    HostStream.Status now = stream.status();
    super(
        new StreamTree(DEVICES | now.device()),
        now.inode(),
        attributes(now),
        now.major(),
        now.minor());
    this.kernel = kernel;
    this.stream = stream;
    this.terminal = terminal;
  }

  private static Attributes attributes(HostStream.Status of) {
    return new Attributes(
        of.mode(), of.uid(), of.gid(), of.accessed(), of.modified(), of.changed(), null);
  }

  /** Opens it again, as a path below /proc/self/fd does. */
  OpenFile open(int flags) throws FileException {
    return new StreamFile(kernel, stream, terminal, flags);
  }

  /** What a link below /proc/self/fd says. */
  FileName name() {
    String name =
        switch (type()) {
          case FIFO -> "pipe:[%d]".formatted(number());
          case SOCKET -> "socket:[%d]".formatted(number());
          case CHARACTER_DEVICE ->
              major() == PSEUDO_TERMINAL
                  ? "/dev/pts/" + minor()
                  : major() == MEMORY ? "/dev/null" : "/dev/console";
          default -> "host:[%d]".formatted(number());
        };
    return FileName.of(name);
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
