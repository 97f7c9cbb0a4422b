package dev.xip.image;

/**
 * A run of a file's bytes that lie together in the image.
 *
 * @param fileOffset where the run starts in the file, in bytes
 * @param imageOffset where it starts in the image, in bytes
 * @param length its length in bytes, at least 1; whole blocks, so the last may pass the file's end,
 *     unless the verdict of the map says that the bytes lie elsewhere
 */
public record Extent(long fileOffset, long imageOffset, long length) {
  /** {@return the file offset of the byte behind the run} */
  public long fileEnd() {
    return fileOffset + length;
  }
}
