package dev.xip.image;

import dev.xip.base.ByteView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/**
 * A format of file-system images: how its images are recognised, its reader, and the options that a
 * mount of it takes. Implementations have no state. Linux counterpart: {@code struct
 * file_system_type} (include/linux/fs.h).
 */
public interface ImageFormat {
  /**
   * The number that tells a format's images from others, little-endian.
   *
   * @param offset its byte offset in the image
   * @param bytes its length: 2 or 4
   * @param value the number
   */
  record Magic(long offset, int bytes, long value) {
    /**
     * Reads what an image has in this place.
     *
     * @param image the image
     * @return the number found, or -1 if the image ends before
     * @throws IOException if the image cannot be read
     */
    public long in(ByteView image) throws IOException {
      if (image.size() < offset + bytes) {
        return -1;
      }
      return bytes == Short.BYTES ? image.u16(offset) : image.u32(offset);
    }
  }

  /** {@return the format's name, such as {@code ext2}} */
  String name();

  /** {@return where the magic number stands and what it is} */
  Magic magic();

  /**
   * Tells whether an image is of this format. Precondition: the caller checks for lost pages
   * afterwards, such as by {@link MemoryFaults#guarded}.
   *
   * @param image the image
   * @return true if it is for this format to open, or to refuse with a reason
   * @throws IOException if the image cannot be read
   */
  default boolean recognises(ByteView image) throws IOException {
    return magic().in(image) == magic().value;
  }

  /**
   * {@return the names of the mount options of this format alone; ro and defaults fit every one}
   */
  Set<String> mountOptions();

  /**
   * Opens an image.
   *
   * @param name the image file's name, as errors show it
   * @param memory the image, mapped by the caller, which unmaps it after the last use
   * @return the image
   * @throws CorruptImageException if it is damaged, shorter than it says, or of a kind that is not
   *     read
   * @throws IOException if it cannot be read
   */
  FsImage open(String name, MemorySegment memory) throws IOException;

  /**
   * Computes what the replay of a journal changes in an image. A format without journals needs no
   * method of its own.
   *
   * @param name the image file's name, as errors show it
   * @param memory the image, which is only read
   * @return the changes, {@link Overlay#NONE} if the image needs no recovery
   * @throws CorruptImageException if superblock or journal are damaged, or the journal is of a kind
   *     that is not replayed
   * @throws IOException if the image cannot be read
   */
  default Overlay overlay(String name, MemorySegment memory) throws IOException {
    return Overlay.NONE;
  }

  /**
   * Opens an image whose journal was replayed.
   *
   * @param name the image file's name, as errors show it
   * @param memory the image after the replay
   * @param replayed what the replay changed; files with such bytes are not in place
   * @return the image
   * @throws IOException as {@link #open(String, MemorySegment)} does
   */
  default FsImage open(String name, MemorySegment memory, Overlay replayed) throws IOException {
    return open(name, memory);
  }
}
