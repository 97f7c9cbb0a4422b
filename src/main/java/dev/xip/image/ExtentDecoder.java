package dev.xip.image;

/**
 * Decodes a file whose bytes are stored in another form, such as compressed, extent by extent.
 * Implementations are immutable and safe for any number of threads.
 */
@FunctionalInterface
public interface ExtentDecoder {
  /**
   * Decodes the extent that holds a byte.
   *
   * @param fileOffset the byte's offset in the file, at least 0 and below the file's size
   * @return the extent, or a part of it that holds the byte
   * @throws CorruptImageException if the stored bytes are damaged or were truncated
   */
  DecodedExtent decode(long fileOffset) throws CorruptImageException;
}
