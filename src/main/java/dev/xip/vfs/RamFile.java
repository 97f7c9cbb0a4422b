package dev.xip.vfs;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.ChangeableFile;
import dev.xip.file.InPlaceFile;
import dev.xip.file.ReadableFile;
import dev.xip.file.SegmentCopy;
import dev.xip.image.Inode;
import dev.xip.mapping.NoFrameException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Instant;

/**
 * A regular file of a {@link RamTree}: in place in the image, or in frames. It is copied up once;
 * mappings made before go on showing the image, as with overlayfs.
 */
final class RamFile extends RegularFile {
  private static final MemorySegment ZEROS =
      MemorySegment.ofArray(new byte[(int) Pages.SIZE]).asReadOnly();

  private final RamTree tree;

  /** What it was made from, or null. */
  private final Inode below;

  /** The directory and name by which it was found first, for messages. */
  private Directory directory;

  private FileName name;

  /** Whether it was made without a name and may be given one. Guarded by the tree's monitor. */
  private boolean nameless;

  /** The bytes; null before they are needed first. Changed under this object's monitor. */
  private volatile ReadableFile content;

  /** The same once it is in RAM, else null. */
  private volatile CachedFile own;

  RamFile(RamTree tree, long number, Inode below, Attributes attributes, long links) {
    super(tree, number, attributes, links);
    this.tree = tree;
    this.below = below;
  }

  /** Says what it is called, once. Precondition: the tree's monitor is held. */
  void called(Directory in, FileName entry) {
    if (name == null) {
      directory = in;
      name = entry;
    }
  }

  void setNameless(boolean isNameless) {
    nameless = isNameless;
  }

  boolean isNameless() {
    return nameless;
  }

  private String text() {
    return name == null ? "#" + number() : Vfs.text(directory, name);
  }

  private ReadableFile content() throws IOException {
    ReadableFile open = content;
    return open == null ? open() : open;
  }

  private synchronized ReadableFile open() throws IOException {
    if (content == null && below == null) {
      own = tree.create(this, text());
      content = own;
    } else if (content == null) {
      content = tree.open(this, text(), below);
    }
    return content;
  }

  @Override
  public long size() {
    CachedFile file = own;
    return file != null ? file.size() : below == null ? 0 : below.size();
  }

  @Override
  public long blocks() {
    CachedFile file = own;
    return file != null
        ? file.cachedPageCount() << Pages.SHIFT - 9
        : below == null ? 0 : below.sectors();
  }

  @Override
  public long read(long position, long length, ByteSink sink, long at) throws IOException {
    return read(content(), position, length, sink, at);
  }

  private static long read(ReadableFile content, long position, long length, ByteSink sink, long at)
      throws IOException {
    return switch (content) {
      case InPlaceFile file -> file.read(position, length, sink, at);
      case CachedFile file -> file.read(position, length, sink, at);
      case ReadableFile other -> throw new IllegalStateException(other + " is no such file");
    };
  }

  @Override
  public synchronized void prepareToWrite(boolean whole) throws IOException {
    ReadableFile before = content();
    if (own != null) {
      return;
    }
    CachedFile copy = tree.create(this, text());
    boolean done = false;
    try {
      if (whole) {
        requireRoom(1 + tree.room() - (blocks() << 9));
        copyTo(copy, before);
      }
      done = true;
    } catch (NoFrameException e) {
      throw new FileException(Errno.ENOSPC, e.getMessage());
    } finally {
      if (!done) {
        copy.discard();
      }
    }
    own = copy;
    content = copy;
    if (before instanceof CachedFile cached) {
      cached.discard();
    }
  }

  /** Holes stay holes. */
  private void copyTo(CachedFile copy, ReadableFile before) throws IOException {
    long size = before.size();
    ByteSink sink =
        (from, offset, at, length) ->
            written(
                copy.write(at, length, SegmentCopy.from(from.asSlice(offset, length)), 0), length);
    for (long at = 0; at < size; ) {
      long run = size - at;
      boolean hole = false;
      if (before instanceof InPlaceFile file) {
        run = Math.min(run, file.blockMap().runLength(at));
        hole = file.blockMap().imageOffset(at) < 0;
      }
      if (!hole && read(before, at, run, sink, at) < run) {
        throw new FileException(Errno.ENOSPC, text() + ": no frame for its copy");
      }
      at += run;
    }
    copy.truncate(size);
  }

  private static long written(long length, long wanted) throws FileException {
    if (length < wanted) {
      throw new FileException(Errno.ENOSPC, "no frame for the copy of a file");
    }
    return length;
  }

  private CachedFile writable() throws IOException {
    if (own == null) {
      prepareToWrite(true);
    }
    return own;
  }

  @Override
  public long write(long position, long length, ByteSource source, long at) throws IOException {
    CachedFile file = writable();
    long start = position == END ? file.size() : position;
    if (start >= ChangeableFile.MAX_SIZE) {
      throw new FileException(Errno.EFBIG, "%s: byte 0x%x".formatted(text(), start));
    }
    long most = Math.min(ChangeableFile.MAX_SIZE - start, roomFrom(start, file.size()));
    try {
      return file.write(position, Math.min(length, most), source, at);
    } catch (NoFrameException e) {
      throw new FileException(Errno.ENOSPC, e.getMessage());
    } finally {
      touch();
    }
  }

  /** How many bytes may be written: those of pages that the file has, and what RAM has room for. */
  private long roomFrom(long start, long size) throws FileException {
    if (start < size) {
      return Long.MAX_VALUE;
    }
    return requireRoom(Math.max(0, Pages.roundUp(size) - start) + tree.room());
  }

  private long requireRoom(long room) throws FileException {
    if (room <= 0) {
      throw new FileException(Errno.ENOSPC, text() + ": the rest of RAM is kept for programs");
    }
    return room;
  }

  private void touch() throws IOException {
    change(before -> before.withTimes(null, Instant.now()));
  }

  @Override
  public void truncate(long size) throws IOException {
    if (size > ChangeableFile.MAX_SIZE) {
      throw new FileException(Errno.EFBIG, "%s: a size of 0x%x".formatted(text(), size));
    }
    prepareToWrite(size > 0);
    own.truncate(size);
    touch();
  }

  @Override
  public void punchHole(long position, long length) throws IOException {
    CachedFile file = writable();
    long end = Math.min(position + length, Math.max(position, file.size()));
    long first = Pages.roundUp(position);
    long last = Pages.roundDown(end);
    if (first < last) {
      file.punchHole(first >>> Pages.SHIFT, last - first >>> Pages.SHIFT);
    }
    zero(file, position, Math.min(first, end));
    zero(file, Math.max(last, position), end);
    touch();
  }

  /** Zeroes a part of a page, unless it is a hole. */
  private static void zero(CachedFile file, long from, long end) throws IOException {
    if (from < end && file.frame(from >>> Pages.SHIFT) >= 0) {
      file.write(from, ZEROS.asSlice(0, end - from));
    }
  }

  @Override
  public long seek(long position, boolean data) throws IOException {
    return switch (content()) {
      case InPlaceFile file -> {
        long at = position;
        while (at < file.size() && file.blockMap().imageOffset(at) >= 0 != data) {
          at += file.blockMap().runLength(at);
        }
        yield at < file.size() ? at : data ? -1 : file.size();
      }
      case CachedFile file -> file.seek(position, data);
      case ReadableFile other -> throw new IllegalStateException(other + " is no such file");
    };
  }

  @Override
  public ReadableFile mappable() throws IOException {
    return content();
  }

  @Override
  protected void release() {
    if (content instanceof CachedFile file) {
      file.discard();
      tree.hasNoFrames(this);
    }
    tree.forget(this);
  }

  /** Empties it as the tree goes. */
  void evict() {
    if (content instanceof CachedFile file) {
      file.evict();
    }
  }
}
