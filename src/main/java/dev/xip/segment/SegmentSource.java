package dev.xip.segment;

import dev.xip.base.Pages;
import dev.xip.base.PendingFaults;
import dev.xip.host.Errno;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.function.LongConsumer;

/** Where the contents of a new version of a segment come from. What it does not reach is zeros. */
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
    return new CopiedFile(file, progress);
  }

  /**
   * The file itself, which leaves its old place when the segment is whole and stays there if
   * anything fails. It is lengthened with zeros to the segment's size.
   *
   * @param file a regular file on the store's file system, at most as long as the segment
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
   */
  static SegmentSource ofMemory(MemorySegment mem, SegmentDefinition definition) {
    return new Memory(mem, definition);
  }

  /** Tells whether nothing but zeros comes from here. */
  boolean isZeros() {
    return false;
  }

  /** Makes the data file, of exactly that many bytes, and forces it to the disk. */
  abstract void make(Path data, long bytes) throws IOException;

  /** Called when the definition that names the data file is on the disk. */
  void committed() throws IOException {}

  /** Reads bytes from somewhere. */
  private interface Reader {
    void read(long offset, byte[] into, int length) throws IOException;
  }

  private static final class Zeros extends SegmentSource {
    @Override
    boolean isZeros() {
      return true;
    }

    @Override
    void make(Path data, long bytes) throws IOException {
      try (DataFile out = new DataFile(data, bytes)) {
        out.force();
      }
    }
  }

  private static final class CopiedFile extends SegmentSource {
    private final Path file;
    private final LongConsumer progress;

    CopiedFile(Path file, LongConsumer progress) {
      this.file = file;
      this.progress = progress;
    }

    @Override
    void make(Path data, long bytes) throws IOException {
      long length = lengthOf(file, bytes);
      try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
          DataFile out = new DataFile(data, bytes)) {
        out.copy(0, length, (offset, into, wanted) -> read(in, offset, into, wanted), progress);
        out.force();
      }
    }

    private void read(FileChannel in, long offset, byte[] into, int wanted) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(into, 0, wanted);
      while (buffer.hasRemaining()) {
        if (in.read(buffer, offset + buffer.position()) < 0) {
          throw new SegmentException(
              Errno.EIO,
              file.toString(),
              "0x%x bytes".formatted(offset + wanted),
              "the end at 0x%x while it was copied".formatted(offset + buffer.position()));
        }
      }
    }
  }

  private static final class MovedFile extends SegmentSource {
    private Path file;

    MovedFile(Path file) {
      this.file = file;
    }

    @Override
    void make(Path data, long bytes) throws IOException {
      lengthOf(file, bytes);
      file = file.toRealPath(); // a link to the file would be all that moves
      if (!Files.isWritable(file.getParent())) {
        throw new SegmentException(
            Errno.EACCES,
            file.toString(),
            "a folder that can be written, as the file is to be moved",
            "one that cannot");
      }
      // A second name first, so that at every moment the file has one.
      Files.createLink(data, file);
      try (RandomAccessFile out = new RandomAccessFile(data.toFile(), "rw")) {
        out.setLength(bytes);
        out.getChannel().force(true);
      }
    }

    @Override
    void committed() throws IOException {
      Files.delete(file);
    }
  }

  private static final class Memory extends SegmentSource {
    private final MemorySegment mem;
    private final SegmentDefinition definition;

    Memory(MemorySegment mem, SegmentDefinition definition) {
      this.mem = mem;
      this.definition = definition;
    }

    @Override
    void make(Path data, long bytes) throws IOException {
      long start = definition.range().start();
      try (DataFile out = new DataFile(data, bytes)) {
        for (SegmentPart part : definition.parts()) {
          if (part.type().keepsContents()) {
            long offset = part.range().start() - start;
            out.copy(offset, part.range().length(), this::read, done -> {});
          }
        }
        out.force();
      }
    }

    private void read(long offset, byte[] into, int length) throws IOException {
      try {
        PendingFaults.copy(mem, offset, MemorySegment.ofArray(into), 0, length);
      } catch (InternalError e) {
        throw SegmentException.withCode(
            Errno.EIO,
            "segment %s: bytes from 0x%x: data file shortened while it was loaded"
                .formatted(definition.name(), offset),
            e);
      }
    }
  }

  private static long lengthOf(Path file, long atMost) throws IOException {
    if (!Files.isRegularFile(file)) {
      Files.size(file); // names the code if it is missing or out of reach
      throw new SegmentException(
          Errno.EINVAL,
          file.toString(),
          "a regular file",
          Files.isDirectory(file) ? "a directory" : "something else");
    }
    long length = Files.size(file);
    if (length > atMost) {
      throw new SegmentException(
          Errno.EINVAL,
          file.toString(),
          "at most 0x%x bytes, the segment's size".formatted(atMost),
          "0x%x bytes".formatted(length));
    }
    return length;
  }

  /** A new data file of a fixed size, a hole at first. */
  private static final class DataFile implements AutoCloseable {
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int PAGE = (int) Pages.SIZE;
    private static final byte[] ZERO_PAGE = new byte[PAGE];

    private final RandomAccessFile out;

    DataFile(Path file, long bytes) throws IOException {
      this.out = new RandomAccessFile(file.toFile(), "rw");
      try {
        out.setLength(bytes);
      } catch (IOException e) {
        out.close();
        throw e;
      }
    }

    /** Copies a range to the same offset, leaving a hole for each page of zeros. */
    void copy(long offset, long length, Reader reader, LongConsumer progress) throws IOException {
      byte[] chunk = new byte[(int) Math.min(length, CHUNK_BYTES)];
      for (long done = 0; done < length; ) {
        int wanted = (int) Math.min(length - done, CHUNK_BYTES);
        reader.read(offset + done, chunk, wanted);
        int start = 0;
        while (start < wanted) {
          int end = start;
          while (end < wanted && !isZero(chunk, end, wanted)) {
            end += PAGE;
          }
          int upTo = Math.min(end, wanted);
          if (upTo > start) {
            out.seek(offset + done + start);
            out.write(chunk, start, upTo - start);
          }
          start = end == start ? start + PAGE : end;
        }
        done += wanted;
        progress.accept(done);
      }
    }

    private static boolean isZero(byte[] chunk, int from, int limit) {
      int to = Math.min(from + PAGE, limit);
      return Arrays.equals(chunk, from, to, ZERO_PAGE, 0, to - from);
    }

    void force() throws IOException {
      out.getChannel().force(true);
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
