package dev.xip.image;

import dev.xip.base.LostPages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Turns a truncation of a mapped image into a checked exception that names the image. Once a load
 * has hit a lost page, the memory from that page on reads as zeros; so a reader reads first and
 * checks here before it uses the bytes. From then on every operation on the whole image is refused,
 * even if the file grows again.
 */
public final class MemoryFaults {
  /** The bits of a mode that tell the type, inode(7). */
  private static final int TYPE = 0170000;

  private static final int BLOCK_DEVICE = 0060000;

  private MemoryFaults() {}

  /**
   * An operation on an image's memory.
   *
   * @param <T> its result
   */
  @FunctionalInterface
  public interface Operation<T> {
    /**
     * Runs it.
     *
     * @return the result
     * @throws IOException passed on
     */
    T run() throws IOException;
  }

  /**
   * Runs an operation on an image that is known by its name alone, then checks that no mapped page
   * of that name was lost, or no mapped page at all if nothing of that name is mapped.
   *
   * @param <T> its result
   * @param image the image's name, see {@link FsImage#name}
   * @param sizeWhenOpened how many bytes of it were mapped
   * @param operation the operation
   * @return its result
   * @throws CorruptImageException if the file no longer has the bytes that were mapped, even if the
   *     operation threw
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
   * Runs an operation on an image, then checks that the whole image is still there.
   *
   * @param <T> its result
   * @param image the image's name, for the exception
   * @param memory the image
   * @param operation the operation
   * @return its result
   * @throws CorruptImageException if the file no longer has the bytes that were mapped, even if the
   *     operation threw
   * @throws IOException what the operation threw
   */
  public static <T> T guarded(String image, MemorySegment memory, Operation<T> operation)
      throws IOException {
    try {
      return operation.run();
    } finally {
      checkWhole(image, memory);
    }
  }

  /**
   * Checks that the whole image is still there. To be called in a {@code finally}, as {@link
   * #check} is.
   *
   * @param image the image's name, for the exception
   * @param memory the image
   * @throws CorruptImageException if the file no longer has the bytes that were mapped
   */
  public static void checkWhole(String image, MemorySegment memory) throws CorruptImageException {
    LostPages.touch(memory);
    check(image, memory);
  }

  /**
   * Checks that no page of an image was found lost. To be called in a {@code finally}: zeros in
   * place of lost bytes may have led to an exception.
   *
   * @param image the image's name, for the exception
   * @param memory the image
   * @throws CorruptImageException if a page was
   */
  public static void check(String image, MemorySegment memory) throws CorruptImageException {
    if (LostPages.any()) {
      checkLost(image, memory);
    }
  }

  private static void checkLost(String image, MemorySegment memory) throws CorruptImageException {
    LostPages.Range lost = LostPages.of(memory);
    if (lost != null) {
      throw lost(image, memory.byteSize(), lost, lost.lostFrom() - memory.address());
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
    LostPages.Origin origin = lost.origin();
    long expected = origin.fileBytes();
    long sizeNow = sizeNow(origin.file());
    // A file of an image may be mapped apart from it, at other offsets; the file's end is the same.
    boolean cut = origin.name().equals(image) && sizeNow >= 0 && sizeNow < expected;
    long at = cut ? sizeNow - (expected - sizeWhenOpened) : offset;
    String found;
    if (sizeNow < 0) {
      found = "no file of that name any more, and its memory gone";
    } else if (sizeNow < expected) {
      found = "0x%x bytes: it was truncated while in use".formatted(sizeNow);
    } else {
      found =
          "0x%x bytes, of which some could not be read (an I/O error, or cut and grown again)"
              .formatted(sizeNow);
    }
    return new CorruptImageException(
        image,
        Math.clamp(at, 0, sizeWhenOpened),
        "0x%x bytes as when the image was opened".formatted(expected),
        origin.file().equals(image) ? found : "%s of %s".formatted(found, origin.file()));
  }

  /** The size of a file or block device, or -1 if there is none of that name. */
  private static long sizeNow(String file) {
    try {
      Path path = Path.of(file);
      int mode = (int) Files.getAttribute(path, "unix:mode");
      if ((mode & TYPE) != BLOCK_DEVICE) {
        return Files.size(path);
      }
      try (FileChannel device = FileChannel.open(path)) {
        return device.size();
      }
    } catch (IOException | InvalidPathException e) {
      return -1;
    }
  }
}
