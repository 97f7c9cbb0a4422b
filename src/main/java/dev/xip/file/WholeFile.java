package dev.xip.file;

import dev.xip.base.Pages;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.Extent;
import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import dev.xip.mapping.Rewiring;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of an image as contiguous memory, without a copy: a slice of the image if the file is one
 * extent, else a view that maps its extents side by side. If there can be no such memory, the file
 * can still be read, extent by extent. Safe for any number of threads until it is closed; it must
 * be closed before the image is.
 */
public final class WholeFile implements AutoCloseable {
  private final FileContent content;

  /** Null if and only if {@link #refusal} is not. */
  private final MemorySegment memory;

  /** Closed with this; null if there is none. */
  private final Rewiring.View view;

  private final IOException refusal;

  private WholeFile(
      FileContent content, MemorySegment memory, Rewiring.View view, IOException refusal) {
    this.content = content;
    this.memory = memory;
    this.view = view;
    this.refusal = refusal;
  }

  /**
   * Opens a file.
   *
   * @param image the image
   * @param inode a regular file's inode
   * @param rewiring makes views of the image's memory
   * @return the file, to be closed
   * @throws FileSystemException if it is not a regular file, or its bytes are stored in another
   *     form
   * @throws IOException if the image is damaged there
   */
  public static WholeFile open(FsImage image, Inode inode, Rewiring rewiring) throws IOException {
    FileContent content = FileContent.of(image, inode);
    BlockMap map = content.blockMap();
    if (map.verdict() != Verdict.IN_PLACE) {
      String reason = "no piece of memory: " + map.verdict().reason();
      return refused(content, new FileSystemException(image.name(), null, reason));
    }
    if (content.size() == 0 || liesInOneExtent(map, content.size())) {
      long from = content.size() == 0 ? 0 : map.imageOffset(0);
      return of(content, image.memory().asSlice(from, content.size()), null);
    }
    try {
      Rewiring.View view = rewiring.rewire(Pages.roundUp(content.size()), runs(map, content));
      return of(content, view.memory().asSlice(0, content.size()), view);
    } catch (IOException refusal) {
      String reason = "no piece of memory, but can be read: " + refusal.getMessage();
      FileSystemException named = new FileSystemException(image.name(), null, reason);
      named.initCause(refusal);
      return refused(content, named);
    }
  }

  private static WholeFile of(FileContent content, MemorySegment memory, Rewiring.View view) {
    return new WholeFile(content.readFrom(memory), memory, view, null);
  }

  private static WholeFile refused(FileContent content, IOException refusal) {
    return new WholeFile(content, null, null, refusal);
  }

  private static boolean liesInOneExtent(BlockMap map, long size) {
    return map.imageOffset(0) >= 0 && map.runLength(0) >= size;
  }

  /** The extents up to the end of the file; one may go on behind it. */
  private static List<Rewiring.Run> runs(BlockMap map, FileContent content) {
    long end = Pages.roundUp(content.size());
    List<Rewiring.Run> runs = new ArrayList<>(map.extentCount());
    for (int i = 0; i < map.extentCount() && map.extent(i).fileOffset() < end; i++) {
      Extent extent = map.extent(i);
      long length = Math.min(extent.length(), end - extent.fileOffset());
      runs.add(new Rewiring.Run(extent.fileOffset(), extent.imageOffset(), length));
    }
    return runs;
  }

  /** {@return the file's size in bytes} */
  public long size() {
    return content.size();
  }

  /**
   * Returns the file as contiguous memory. Holes read as zeros. The image may be truncated at any
   * time: lost pages read as zeros too, so the caller reads inside {@link
   * dev.xip.image.MemoryFaults#guarded}, which then throws. No use of the memory ends the JVM.
   * System calls fail on lost pages (EFAULT): a channel to which they are written throws its own
   * IOException, and guarded replaces it by one that names the image.
   *
   * @return read-only memory of the file's size, until this or the image is closed
   * @throws FileSystemException if the bytes do not lie in whole pages
   * @throws IOException if the process has no mappings left for so many extents (ENOMEM)
   */
  public MemorySegment memory() throws IOException {
    if (memory == null) {
      throw refusedAgain();
    }
    return memory;
  }

  private IOException refusedAgain() {
    IOException again =
        refusal instanceof FileSystemException named
            ? new FileSystemException(named.getFile(), null, named.getReason())
            : new IOException(refusal.getMessage());
    again.initCause(refusal);
    return again;
  }

  /**
   * Copies bytes of the file: in a single copy if it is contiguous memory, else extent by extent.
   *
   * @param position the first byte to read, at least 0
   * @param destination where the bytes go; it is filled unless the file ends first
   * @return how many bytes were copied, 0 at or past the end of the file
   * @throws CorruptImageException if the image was truncated since it was mapped
   * @throws IllegalArgumentException if the position is negative
   * @throws IllegalStateException if this or the image is closed
   */
  public long read(long position, MemorySegment destination) throws CorruptImageException {
    return content.read(position, destination);
  }

  /** Unmaps the view; a second time does nothing. */
  @Override
  public void close() {
    if (view != null) {
      view.close();
    }
  }
}
