package dev.xip.image;

import dev.xip.base.LostPages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Tells a reader of an image whether what it read is true. An image that is cut while it is mapped
 * reads as zeros from the first page on that was found to be gone; so the reader reads first, then
 * asks here, and gets a checked exception that names the image instead of made-up bytes. From then
 * on everything done with the image as a whole is refused, even if the file grows again.
 */
public final class MemoryFaults {
  private MemoryFaults() {}

  /**
   * Something done with an image's memory.
   *
   * @param <T> what it gives
   */
  @FunctionalInterface
  public interface Operation<T> {
    /**
     * Does it.
     *
     * @return the result
     * @throws IOException passed on
     */
    T run() throws IOException;
  }

  /**
   * Does something with an image's memory, which is known by the image's name alone: all that the
   * process has mapped of a file of that name must be there afterwards, and if it has mapped none,
   * all that it has mapped.
   *
   * @param <T> what it gives
   * @param image the image file's name, as it was opened by
   * @param sizeWhenOpened how many bytes of it were mapped
   * @param operation what to do
   * @return its result
   * @throws CorruptImageException if the file no longer has the bytes that were mapped, whatever
   *     became of the operation
   * @throws IOException what the operation threw
   */
  public static <T> T guarded(String image, long sizeWhenOpened, Operation<T> operation)
      throws IOException {
    try {
      return operation.run();
    } finally {
      LostPages.Range lost = LostPages.named(image);
      if (lost != null) {
        throw lost(image, sizeWhenOpened, lost, lost.lostFrom() - lost.start());
      }
    }
  }

  /**
   * Does something with an image's memory.
   *
   * @param <T> what it gives
   * @param image the image's name, for the exception
   * @param memory the image, all of which must be there afterwards
   * @param operation what to do
   * @return its result
   * @throws CorruptImageException if the file no longer has the bytes that were mapped, whatever
   *     became of the operation
   * @throws IOException what the operation threw
   */
  public static <T> T guarded(String image, MemorySegment memory, Operation<T> operation)
      throws IOException {
    try {
      return operation.run();
    } finally {
      LostPages.touch(memory);
      check(image, memory);
    }
  }

  /**
   * Asks whether all that was read of an image is true. To be called in a {@code finally}, for what
   * made-up bytes lead to may be an exception too.
   *
   * @param image the image's name, for the exception
   * @param memory the image
   * @throws CorruptImageException if a page of it was found to be gone
   */
  public static void check(String image, MemorySegment memory) throws CorruptImageException {
    if (LostPages.any()) {
      LostPages.Range lost = LostPages.of(memory);
      if (lost != null) {
        throw lost(image, memory.byteSize(), lost, lost.lostFrom() - memory.address());
      }
    }
  }

  /**
   * Describes the loss.
   *
   * @param image the image's name
   * @param sizeWhenOpened how many bytes of it were mapped
   * @param lost where it lost pages
   * @param offset the first byte of the image that is known to be lost
   */
  static CorruptImageException lost(
      String image, long sizeWhenOpened, LostPages.Range lost, long offset) {
    boolean isImage = lost.file().equals(image);
    long expected = isImage ? sizeWhenOpened : lost.end() - lost.start();
    long sizeNow = sizeNow(lost.file());
    // A file of an image may be mapped apart from it, at other offsets; the file's end is the same.
    boolean cut = isImage && sizeNow >= 0 && sizeNow < expected;
    long at = cut ? sizeNow : offset;
    String found;
    if (sizeNow < 0) {
      found = "no file of that name any more, and its memory gone";
    } else if (sizeNow < expected) {
      found = "0x%x bytes: it was truncated while in use".formatted(sizeNow);
    } else {
      found = "0x%x bytes, but some of them were gone while in use".formatted(sizeNow);
    }
    return new CorruptImageException(
        image,
        Math.clamp(at, 0, sizeWhenOpened),
        "0x%x bytes as when the image was opened".formatted(expected),
        isImage ? found : "%s of %s".formatted(found, lost.file()));
  }

  private static long sizeNow(String file) {
    try {
      return Files.size(Path.of(file));
    } catch (IOException | InvalidPathException e) {
      return -1;
    }
  }
}
