package dev.xip.bind;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.file.CachedFile;
import dev.xip.file.ReadableFile;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.mapping.NoFrameException;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.FileException;
import dev.xip.vfs.RegularFile;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;

/**
 * A regular file of the host. It is open on the host from the first hold on to the last drop, so it
 * can be read after its name is gone.
 */
final class BoundFile extends RegularFile {
  /** The bytes that are copied through memory of this process at a time. */
  private static final int PART = 1 << 18;

  private final BoundTree tree;
  private final HostStat stat;
  private volatile At at;

  /** Guarded by this object's monitor, as are the others; null if it is not open. */
  private HostFile open;

  /** Open for reading alone, if the file was opened for writing after that. */
  private HostFile before;

  private boolean writable;

  /** What was mapped last, and what the file was then. */
  private CachedFile copy;

  private ReadOnlyCopy mapped;
  private HostStat copied;

  BoundFile(BoundTree tree, HostStat stat) {
    super(tree, stat.ino(), BoundAttributes.of(stat), 1);
    this.tree = tree;
    this.stat = stat;
  }

  /** The name by which it was found last. */
  record At(BoundDirectory directory, FileName name) {}

  At at() {
    return at;
  }

  void place(BoundDirectory directory, FileName name) {
    at = new At(directory, name);
  }

  private FileName name() {
    return at.name;
  }

  @Override
  protected synchronized void opened() throws FileException {
    try {
      if (open == null) {
        open = at.directory.with(in -> in.openReadOnly(name()));
      }
    } catch (FileException e) {
      throw e;
    } catch (IOException e) {
      throw new FileException(Errno.EIO, name() + ": " + e.getMessage());
    }
  }

  @Override
  protected synchronized void closed() {
    writable = false;
    if (open != null) {
      open.close();
      open = null;
    }
    if (before != null) {
      before.close();
      before = null;
    }
    if (copy != null) {
      copy.discard();
      copy = null;
    }
  }

  private synchronized HostFile file() throws FileException {
    if (open == null) {
      throw new FileException(Errno.EBADF, name() + ": not open");
    }
    return open;
  }

  private synchronized HostStat now() throws IOException {
    if (open != null) {
      return BoundTree.call(name(), open::stat);
    }
    return at.directory.with(in -> in.stat(name()));
  }

  private HostStat nowOrThen() {
    try {
      return now();
    } catch (IOException e) {
      return stat;
    }
  }

  @Override
  public Attributes attributes() {
    return BoundAttributes.of(nowOrThen());
  }

  @Override
  public long links() {
    return nowOrThen().nlink();
  }

  @Override
  public long size() {
    return nowOrThen().size();
  }

  @Override
  public long blocks() {
    return nowOrThen().blocks512();
  }

  @Override
  public synchronized void change(UnaryOperator<Attributes> change) throws IOException {
    tree.requireWritable();
    BoundTree.call(
        name(),
        () -> {
          if (open != null) {
            BoundAttributes.change(open, change);
          } else {
            at.directory.with(in -> BoundAttributes.change(in, name(), change));
          }
          return null;
        });
  }

  @Override
  public long read(long position, long length, ByteSink sink, long at) throws IOException {
    HostFile file = file();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment part = arena.allocate(Math.min(length, PART));
      long done = 0;
      while (done < length) {
        MemorySegment wanted = part.asSlice(0, Math.min(length - done, part.byteSize()));
        long from = position + done;
        long some = BoundTree.call(name(), () -> file.read(from, wanted));
        long taken = some == 0 ? 0 : sink.take(part, 0, at + done, some);
        done += taken;
        if (taken < wanted.byteSize()) {
          break;
        }
      }
      return done;
    }
  }

  @Override
  public synchronized void prepareToWrite(boolean whole) throws IOException {
    tree.requireWritable();
    if (!writable) {
      HostFile better = at.directory.with(in -> in.openReadWrite(name()));
      HostStat found = BoundTree.call(name(), better::stat);
      if (found.ino() != stat.ino()) {
        better.close();
        throw new FileException(Errno.ESTALE, name() + ": replaced meanwhile");
      }
      before = open;
      open = better;
      writable = true;
    }
  }

  @Override
  public long write(long position, long length, ByteSource source, long at) throws IOException {
    HostFile file = file();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment part = arena.allocate(Math.min(length, PART));
      long start = position == END ? BoundTree.call(name(), file::size) : position;
      long done = 0;
      while (done < length) {
        long wanted = Math.min(length - done, part.byteSize());
        long some = source.give(at + done, part, 0, wanted);
        long to = start + done;
        BoundTree.call(
            name(),
            () -> {
              file.write(to, part.asSlice(0, some));
              return null;
            });
        done += some;
        if (some < wanted) {
          break;
        }
      }
      return done;
    }
  }

  @Override
  public void truncate(long size) throws IOException {
    prepareToWrite(true);
    HostFile file = file();
    BoundTree.call(
        name(),
        () -> {
          file.truncate(size);
          return null;
        });
  }

  /** A copy of what the file holds now. */
  @Override
  public synchronized ReadableFile mappable() throws IOException {
    HostStat now = now();
    if (copy != null && now.equals(copied)) {
      return mapped;
    }
    CachedFile made = tree.cache().create(tree.place() + Vfs.text(at.directory, name()));
    boolean whole = false;
    try {
      fill(made);
      whole = true;
    } catch (NoFrameException e) {
      throw new FileException(Errno.ENOMEM, name() + ": no RAM to map it");
    } finally {
      if (!whole) {
        made.discard();
      }
    }
    if (copy != null) {
      copy.discard();
    }
    copy = made;
    copied = now;
    mapped = new ReadOnlyCopy(copy);
    return mapped;
  }

  private void fill(CachedFile made) throws IOException {
    HostFile file = file();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment part = arena.allocate(PART);
      long done = 0;
      while (true) {
        long from = done;
        long some = BoundTree.call(name(), () -> file.read(from, part));
        if (some == 0) {
          return;
        }
        made.write(done, part.asSlice(0, some));
        done += some;
      }
    }
  }

  @Override
  public void setExtended(FileName attribute, byte[] value, Exists exists) throws IOException {
    throw BoundTree.noAttributes(attribute);
  }
}
