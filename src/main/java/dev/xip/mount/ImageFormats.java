package dev.xip.mount;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.MemoryFaults;
import dev.xip.image.ext.ExtImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Chooses the reader of an image by its magic number. */
public final class ImageFormats {
  private static final long EXT_MAGIC_OFFSET = 0x438;
  private static final long EROFS_MAGIC_OFFSET = 0x400;
  private static final long EROFS_MAGIC = 0xe0f5_e1e2L;
  private static final String EXT_MAGIC = "the ext2 magic 0xef53";

  private ImageFormats() {}

  /**
   * Opens an image.
   *
   * @param name the image file's name, as errors show it
   * @param memory its bytes, mapped by the caller, who closes them
   * @return the image
   * @throws CorruptImageException if it is no image, is damaged, or is of a kind that is not read
   * @throws IOException if it cannot be read
   */
  public static FsImage open(String name, MemorySegment memory) throws IOException {
    return MemoryFaults.guarded(name, memory, () -> recognise(name, memory));
  }

  private static FsImage recognise(String name, MemorySegment memory) throws IOException {
    ByteView bytes = new ByteView(memory, name, CorruptImageException::new);
    if (ExtImage.recognises(bytes)) {
      return ExtImage.open(name, memory);
    }
    if (bytes.size() >= EROFS_MAGIC_OFFSET + 4 && bytes.u32(EROFS_MAGIC_OFFSET) == EROFS_MAGIC) {
      throw new CorruptImageException(
          name, EROFS_MAGIC_OFFSET, "an ext2 image", "EROFS, which this version does not read");
    }
    String found =
        bytes.size() < EXT_MAGIC_OFFSET + 2
            ? "the end of the file at 0x%x".formatted(bytes.size())
            : "0x%04x".formatted(bytes.u16(EXT_MAGIC_OFFSET));
    throw new CorruptImageException(name, EXT_MAGIC_OFFSET, EXT_MAGIC, found);
  }
}
