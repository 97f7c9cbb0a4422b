package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostFolder;
import dev.xip.host.HostPaths;
import dev.xip.host.HostStat;
import dev.xip.host.OpenFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;

/** The source of the contents of a new version of a segment. Bytes past its end are zeros. */
public abstract sealed class SegmentSource {
  private SegmentSource() {}

  /**
   * Contents that are all zeros and take no space.
   *
   * @return the source
   */
  public static SegmentSource zeros() {
    return new Zeros();
  }

  /**
   * A copy of a file. Pages of zeros are skipped, so the copy is sparse even if the file is not.
   *
   * @param file a regular file, at most as long as the segment
   * @param progress told how many bytes of the file have been done, never decreasing
   * @return the source
   */
  public static SegmentSource copyOf(Path file, LongConsumer progress) {
    return new CopiedFile(List.of(new FilePart(file, 0, CopiedFile.ALL)), progress);
  }

  /**
   * A part of a file.
   *
   * @param file a regular file or block device
   * @param offset the first byte
   * @param length how many bytes
   */
  public record FilePart(Path file, long offset, long length) {}

  /**
   * A copy of parts of files, one behind the other, as {@link #copyOf(Path, LongConsumer)} makes it
   * of a whole file.
   *
   * @param parts the parts, together at most as long as the segment
   * @param progress told how many bytes have been done, never decreasing
   * @return the source
   */
  public static SegmentSource copyOf(List<FilePart> parts, LongConsumer progress) {
    return new CopiedFile(List.copyOf(parts), progress);
  }

  /**
   * The file itself, which is moved into the store when the segment is complete, and stays in its
   * place unchanged if anything fails. It is lengthened with zeros to the segment's size. A process
   * or machine that stops meanwhile leaves the file in its old place, lengthened or not, or in both
   * places.
   *
   * @param file a regular file on the store's file system that may be written, at most as long as
   *     the segment
   * @return the source
   */
  public static SegmentSource moving(Path file) {
    return new MovedFile(file);
  }

  /**
   * The memory of a loaded segment. Parts that are not kept are left zero.
   *
   * @param mem the bytes of the segment
   * @param definition says which parts are kept
   * @param loadedFrom the data file, whose permissions limit those of the new one; null for none
   */
  static SegmentSource ofMemory(
      MemorySegment mem, SegmentDefinition definition, HostFile loadedFrom) {
    return new Memory(mem, definition, loadedFrom);
  }

  /** Tells whether all contents are zeros. */
  boolean isZeros() {
    return false;
  }

  /**
   * Makes the data file, of exactly that many bytes, and forces it to the disk.
   *
   * @param before the data file of the version before, whose permissions limit those of the new
   *     one; null if there is none
   */
  abstract void make(StoreFolder folder, StoreFile data, long bytes, HostStat before)
      throws IOException;

  /** Called when the definition that names the data file is on the disk. */
  void committed() throws IOException {}

  /** Called when the change has failed; restores the source. */
  void cancelled() throws IOException {}

  /** Fills native memory with the bytes from an offset on. */
  private interface Reader {
    void read(long offset, MemorySegment into) throws IOException;
  }

  private static final class Zeros extends SegmentSource {
    @Override
    boolean isZeros() {
      return true;
    }

    @Override
    void make(StoreFolder folder, StoreFile data, long bytes, HostStat before) throws IOException {
      try (DataFile out = new DataFile(folder, data, bytes, before)) {
        out.finish();
      }
    }
  }

  private static final class CopiedFile extends SegmentSource {
    /** The length of a whole file. */
    private static final long ALL = -1;

    private final List<FilePart> parts;
    private final LongConsumer progress;

    CopiedFile(List<FilePart> parts, LongConsumer progress) {
      this.parts = parts;
      this.progress = progress;
    }

    @Override
    void make(StoreFolder folder, StoreFile data, long bytes, HostStat before) throws IOException {
      long[] ends = new long[parts.size()];
      long end = 0;
      for (int i = 0; i < ends.length; i++) {
        end += count(parts.get(i), bytes - end);
        ends[i] = end;
      }
      try (DataFile out = new DataFile(folder, data, bytes, before)) {
        for (int i = 0; i < ends.length; i++) {
          copy(parts.get(i), i == 0 ? 0 : ends[i - 1], ends[i], out);
        }
        out.finish();
      }
    }

    private static long count(FilePart part, long most) throws IOException {
      Path file = part.file();
      long count =
          part.length() == ALL ? lengthOf(file, HostFolder.stat(file), most) : part.length();
      if (count > most) {
        throw tooLong(file, count, most);
      }
      return count;
    }

    /** Copies a part to its place in the segment. */
    private void copy(FilePart part, long start, long end, DataFile out) throws IOException {
      try (HostFile in = HostFile.openReadOnlyOrDevice(part.file())) {
        out.limitTo(in.stat());
        out.copy(
            start,
            end - start,
            (offset, into) -> read(in, part.offset() + offset - start, into),
            done -> progress.accept(start + done));
      }
    }

    private static void read(HostFile in, long offset, MemorySegment into) throws IOException {
      long done = in.read(offset, into);
      if (done < into.byteSize()) {
        throw new SegmentException(
            Errno.EIO,
            in.name(),
            "0x%x bytes".formatted(offset + into.byteSize()),
            "the end at 0x%x while it was copied".formatted(offset + done));
      }
    }
  }

  private static final class MovedFile extends SegmentSource {
    private Path file;

    /** The folder that it is moved from, during the move. */
    private OpenFolder folder;

    /** The open file, even if its name belongs to another one meanwhile. */
    private HostFile moved;

    /** The file's attributes before it was changed, or null. */
    private HostStat unchanged;

    MovedFile(Path file) {
      this.file = file;
    }

    @Override
    void make(StoreFolder store, StoreFile data, long bytes, HostStat before) throws IOException {
      lengthOf(file, HostFolder.stat(file), bytes);
      file = file.toRealPath(); // else a symbolic link would be moved, not the file
      if (!Files.isWritable(file.getParent())) {
        throw new SegmentException(
            Errno.EACCES,
            file.toString(),
            "a folder that can be written, as the file is to be moved",
            "one that cannot");
      }
      folder = OpenFolder.open(file.getParent());
      moved = folder.openReadWrite(name());
      HostStat found = moved.stat();
      lengthOf(file, found, bytes);
      // Linked first, so that the file has a name at every moment.
      store.link(folder, name(), data);
      HostStat linked = store.stat(data);
      if (linked.ino() != found.ino() || linked.dev() != found.dev()) {
        throw new SegmentException(
            Errno.EBUSY, file.toString(), "the same file until it is moved", "another one");
      }
      unchanged = found;
      if (before != null) {
        moved.setMode(found.mode() & NewFile.permissions(before, found.gid()));
      }
      moved.truncate(bytes);
      moved.force();
    }

    private FileName name() {
      return HostPaths.nameOf(file.getFileName());
    }

    @Override
    void committed() throws IOException {
      try {
        folder.unlink(name());
      } finally {
        close();
      }
    }

    @Override
    void cancelled() throws IOException {
      try {
        if (unchanged != null) {
          moved.truncate(unchanged.size());
          moved.setMode(unchanged.mode() & 07777);
        }
      } finally {
        close();
      }
    }

    private void close() {
      if (moved != null) {
        moved.close();
      }
      if (folder != null) {
        folder.close();
      }
      moved = null;
      folder = null;
      unchanged = null;
    }
  }

  private static final class Memory extends SegmentSource {
    private final MemorySegment mem;
    private final SegmentDefinition definition;
    private final HostFile loadedFrom;

    Memory(MemorySegment mem, SegmentDefinition definition, HostFile loadedFrom) {
      this.mem = mem;
      this.definition = definition;
      this.loadedFrom = loadedFrom;
    }

    @Override
    void make(StoreFolder folder, StoreFile data, long bytes, HostStat before) throws IOException {
      long start = definition.range().start();
      try (DataFile out = new DataFile(folder, data, bytes, before)) {
        if (loadedFrom != null) {
          out.limitTo(loadedFrom.stat());
        }
        for (SegmentPart part : definition.parts()) {
          if (part.type().keepsContents()) {
            long offset = part.range().start() - start;
            out.copy(offset, part.range().length(), this::read, done -> {});
          }
        }
        out.finish();
      }
    }

    private void read(long offset, MemorySegment into) throws IOException {
      MemorySegment from = mem.asSlice(offset, into.byteSize());
      into.copyFrom(from);
      if (LostPages.of(from) != null) {
        throw new SegmentException(
            Errno.EIO,
            "segment %s".formatted(definition.name()),
            "the bytes from 0x%x on".formatted(offset),
            "a data file shortened while it was loaded, or a full disk");
      }
    }
  }

  private static long lengthOf(Path file, HostStat stat, long atMost) throws IOException {
    if (!stat.isRegularFile()) {
      throw new SegmentException(Errno.EINVAL, file.toString(), "a regular file", stat.kind());
    }
    if (stat.size() > atMost) {
      throw tooLong(file, stat.size(), atMost);
    }
    return stat.size();
  }

  private static SegmentException tooLong(Path file, long found, long atMost) {
    return new SegmentException(
        Errno.EINVAL,
        file.toString(),
        "at most 0x%x bytes, the segment's size".formatted(atMost),
        "0x%x bytes".formatted(found));
  }

  /** A new data file of a fixed size, a hole at first. */
  private static final class DataFile implements AutoCloseable {
    private static final long CHUNK_BYTES = 1 << 20;
    private static final MemorySegment ZERO_PAGE =
        MemorySegment.ofArray(new byte[(int) Pages.SIZE]);

    private final NewFile made;
    private final HostFile out;

    DataFile(StoreFolder folder, StoreFile name, long bytes, HostStat before) throws IOException {
      this.made = NewFile.create(folder, name);
      this.out = made.file();
      try {
        if (before != null) {
          made.limitTo(before);
        }
        out.truncate(bytes);
      } catch (HostException | RuntimeException e) {
        made.close();
        throw e;
      }
    }

    void limitTo(HostStat other) throws HostException {
      made.limitTo(other);
    }

    /** Copies a range to the same offset, leaving a hole for each page of zeros. */
    void copy(long offset, long length, Reader reader, LongConsumer progress) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment chunk = arena.allocate(Math.min(length, CHUNK_BYTES), Pages.SIZE);
        for (long done = 0; done < length; ) {
          MemorySegment part = chunk.asSlice(0, Math.min(length - done, CHUNK_BYTES));
          reader.read(offset + done, part);
          write(offset + done, part);
          done += part.byteSize();
          progress.accept(done);
        }
      }
    }

    /** Writes the runs of pages that are not zeros. */
    private void write(long offset, MemorySegment part) throws HostException {
      long start = 0;
      for (long at = 0; at < part.byteSize(); at += Pages.SIZE) {
        if (isZeroPage(part, at)) {
          writeRun(offset, part, start, at);
          start = at + Pages.SIZE;
        }
      }
      writeRun(offset, part, start, part.byteSize());
    }

    private void writeRun(long offset, MemorySegment part, long start, long end)
        throws HostException {
      if (end > start) {
        out.write(offset + start, part.asSlice(start, end - start));
      }
    }

    private static boolean isZeroPage(MemorySegment part, long at) {
      long end = Math.min(at + Pages.SIZE, part.byteSize());
      return MemorySegment.mismatch(part, at, end, ZERO_PAGE, 0, end - at) < 0;
    }

    void finish() throws HostException {
      made.finish();
    }

    @Override
    public void close() {
      made.close();
    }
  }
}
