package dev.xip.image;

import dev.xip.base.PendingFaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Turns the fault that a mapped file gives after it was truncated underneath us into a checked
 * exception that names the file. Whoever touches image memory by itself settles what is pending,
 * see {@link PendingFaults}, before leaving its {@code try}.
 */
public final class MemoryFaults {
  /** How HotSpot names the fault, whether it met it in the interpreter or in compiled code. */
  private static final String FAULT_TEXT = "unsafe memory access";

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
   * Does something with an image's memory.
   *
   * @param <T> what it gives
   * @param image the image file's name
   * @param sizeWhenOpened how many bytes of it were mapped
   * @param operation what to do
   * @return its result
   * @throws CorruptImageException if the file no longer has the bytes that were mapped
   * @throws IOException what the operation threw
   */
  public static <T> T guarded(String image, long sizeWhenOpened, Operation<T> operation)
      throws IOException {
    try {
      try {
        return operation.run();
      } finally {
        PendingFaults.settle();
      }
    } catch (InternalError fault) {
      throw translated(image, sizeWhenOpened, fault);
    }
  }

  /**
   * Translates a fault.
   *
   * @param image the image file's name
   * @param sizeWhenOpened how many bytes of it were mapped
   * @param fault what the JVM threw
   * @return the exception to throw
   * @throws InternalError the error itself, if it is not about mapped memory
   */
  public static CorruptImageException translated(
      String image, long sizeWhenOpened, InternalError fault) {
    if (fault.getMessage() == null || !fault.getMessage().contains(FAULT_TEXT)) {
      throw fault;
    }
    long sizeNow = sizeNow(image);
    String found;
    if (sizeNow < 0) {
      found = "no file of that name any more, and its memory gone";
    } else if (sizeNow < sizeWhenOpened) {
      found = "0x%x bytes: it was truncated while in use".formatted(sizeNow);
    } else {
      found = "0x%x bytes, but some of them cannot be read".formatted(sizeNow);
    }
    CorruptImageException damage =
        new CorruptImageException(
            image,
            Math.clamp(sizeNow, 0, sizeWhenOpened),
            "0x%x bytes as when the image was opened".formatted(sizeWhenOpened),
            found);
    damage.initCause(fault);
    return damage;
  }

  private static long sizeNow(String image) {
    try {
      return Files.size(Path.of(image));
    } catch (IOException | InvalidPathException e) {
      return -1;
    }
  }
}
