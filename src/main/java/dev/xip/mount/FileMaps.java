package dev.xip.mount;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.host.ArenaView;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.RewiredView;
import dev.xip.image.BlockMap;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Verdict;
import dev.xip.mapping.Rewiring;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Maps parts of files into memory that lives as long as its user needs it, not as long as the
 * image. All buffers that lie in one extent are slices of one second mapping of the whole image,
 * which the JVM unmaps when the image is closed and no buffer is reachable any more: so there can
 * be any number of them. Everything else is an {@link ArenaView}. Safe for any number of threads.
 */
final class FileMaps implements AutoCloseable {
  private static final long COLLECTION_MILLIS = 100;

  private final FsImage image;
  private final ImageViews views;
  private final List<ImagePiece> pieces;

  /** All whole pages of the image; null before the first buffer and after {@link #close}. */
  private MemorySegment buffers;

  /** The pieces' files, opened once more when they are first mapped privately. */
  private final Map<ImagePiece, HostFile> files = new HashMap<>();

  FileMaps(FsImage image, ImageViews views, List<ImagePiece> pieces) {
    this.image = image;
    this.views = views;
    this.pieces = pieces;
  }

  /** A range of a file in whole pages, and what of it the caller asked for. */
  private record Range(BlockMap map, long from, long bytes, long skipped, long size) {
    MemorySegment of(MemorySegment pages) {
      return pages.asSlice(skipped, size);
    }
  }

  /** Makes a read-only buffer. */
  MappedByteBuffer buffer(Inode file, long position, int size) throws IOException {
    Range range = range(file, position, size);
    long at = range.map.imageOffset(position);
    boolean together = size > 0 && at >= 0 && range.map.runLength(position) >= size;
    MemorySegment bytes =
        together ? guarded(() -> buffers().asSlice(at, size)) : readOnly(range, Arena.ofAuto());
    return (MappedByteBuffer) bytes.asByteBuffer();
  }

  /** Makes read-only memory. */
  MemorySegment readOnly(Inode file, long position, long size, Arena arena) throws IOException {
    return readOnly(range(file, position, size), arena);
  }

  private MemorySegment readOnly(Range range, Arena arena) throws IOException {
    return guarded(new ReadOnly(this, range, runs(range), arena));
  }

  /** A class: to link the first lambda of a kind takes longer than to map. */
  private record ReadOnly(FileMaps maps, Range range, List<Rewiring.Run> runs, Arena arena)
      implements MemoryFaults.Operation<MemorySegment> {
    @Override
    public MemorySegment run() throws IOException {
      return range.of(maps.again(range.bytes, runs, arena));
    }
  }

  private MemorySegment again(long bytes, List<Rewiring.Run> runs, Arena arena) throws IOException {
    List<RewiredView.Piece> parts = views.pieces(runs);
    if (parts.size() == 1 && parts.getFirst().source().byteSize() == bytes) {
      long from = runs.getFirst().from();
      for (ImagePiece piece : pieces) {
        if (from >= piece.start() && from < piece.end() && piece.channel().isOpen()) {
          long fileOffset = piece.fileOffset() + from - piece.start();
          try {
            return ArenaView.again(piece.channel(), fileOffset, parts.getFirst().source(), arena);
          } catch (ClosedByInterruptException e) {
            throw e;
          } catch (ClosedChannelException byInterruptOfAnother) {
            break;
          }
        }
      }
    }
    return ArenaView.again(bytes, parts, arena);
  }

  /** Makes memory that may be stored into; a store copies its page. */
  MemorySegment copyOnWrite(Inode file, long position, long size, Arena arena) throws IOException {
    Range range = range(file, position, size);
    List<ArenaView.FilePiece> parts = new ArrayList<>();
    for (Rewiring.Run run : runs(range)) {
      addParts(run, parts);
    }
    return guarded(() -> range.of(ArenaView.ofFiles(range.bytes, parts, Access.READ_WRITE, arena)));
  }

  /**
   * Checks that a range can be mapped.
   *
   * @throws FileSystemException if the bytes do not lie in whole pages; the text says why
   * @throws IOException if the range passes the end of the file
   */
  private Range range(Inode file, long position, long size) throws IOException {
    BlockMap map = image.blockMap(file);
    if (map.verdict() != Verdict.IN_PLACE) {
      throw new FileSystemException(
          image.name(),
          null,
          "inode %d cannot be mapped: %s".formatted(file.number(), map.verdict().reason()));
    }
    if (position > file.size() - size) {
      throw new IOException(
          "%s: 0x%x bytes at 0x%x of inode %d: expected inside its 0x%x bytes"
              .formatted(image.name(), size, position, file.number(), file.size()));
    }
    long from = Pages.roundDown(position);
    long bytes = size == 0 ? 0 : Pages.roundUp(position + size) - from;
    return new Range(map, from, bytes, size == 0 ? 0 : position - from, size);
  }

  private static List<Rewiring.Run> runs(Range range) {
    BlockMap map = range.map;
    long end = range.from + range.bytes;
    List<Rewiring.Run> runs = new ArrayList<>();
    for (long at = range.from; at < end; ) {
      long length = Math.min(map.runLength(at), end - at);
      long imageOffset = map.imageOffset(at);
      if (imageOffset >= 0) {
        runs.add(new Rewiring.Run(at - range.from, imageOffset, length));
      }
      at += length;
    }
    return runs;
  }

  private synchronized MemorySegment buffers() throws IOException {
    if (buffers == null) {
      long bytes = Pages.roundDown(image.memory().byteSize());
      buffers = again(bytes, List.of(new Rewiring.Run(0, 0, bytes)), Arena.ofAuto());
    }
    return buffers;
  }

  /** Splits a run where one file of the image ends and the next begins. */
  private void addParts(Rewiring.Run run, List<ArenaView.FilePiece> parts) throws IOException {
    for (ImagePiece piece : pieces) {
      long from = Math.max(run.from(), piece.start());
      long end = Math.min(run.from() + run.length(), piece.end());
      if (from < end) {
        parts.add(
            new ArenaView.FilePiece(
                run.at() + from - run.from(),
                opened(piece),
                piece.fileOffset() + from - piece.start(),
                end - from));
      }
    }
  }

  private synchronized HostFile opened(ImagePiece piece) throws IOException {
    HostFile file = files.get(piece);
    if (file == null) {
      file = piece.reopen();
      files.put(piece, file);
    }
    return file;
  }

  /** Maps again after a collection if mappings have run out: unreachable ones may still count. */
  private <T> T guarded(MemoryFaults.Operation<T> mapping) throws IOException {
    try {
      return mapping.run();
    } catch (HostException refused) {
      if (refused.errno() != Errno.ENOMEM) {
        throw refused;
      }
      System.gc();
      try {
        Thread.sleep(COLLECTION_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return lastTry(mapping);
    } finally {
      MemoryFaults.checkWhole(image.name(), image.memory());
    }
  }

  private <T> T lastTry(MemoryFaults.Operation<T> mapping) throws IOException {
    try {
      return mapping.run();
    } catch (HostException refused) {
      FileSystemException named =
          new FileSystemException(
              image.name(),
              null,
              "cannot be mapped at once, but in parts or read: " + refused.getMessage());
      named.initCause(refused);
      throw named;
    }
  }

  /** Leaves the second mapping to its buffers and closes the files. */
  @Override
  public synchronized void close() {
    buffers = null;
    for (HostFile each : files.values()) {
      each.close();
    }
    files.clear();
  }
}
