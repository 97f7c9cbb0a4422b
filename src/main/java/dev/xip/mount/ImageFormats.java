package dev.xip.mount;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.ImageFormat;
import dev.xip.image.MemoryFaults;
import dev.xip.image.ext.ExtFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/** The formats of images, picked by magic number. */
public final class ImageFormats {
  /** In the order in which they are tried. */
  private static final List<ImageFormat> ALL =
      List.of(
          new ExtFormat(),
          new WithoutReader("EROFS", new ImageFormat.Magic(0x400, Integer.BYTES, 0xe0f5_e1e2L)));

  private ImageFormats() {}

  /** A format that is recognised only to be refused by its name. */
  private record WithoutReader(String name, ImageFormat.Magic magic) implements ImageFormat {
    @Override
    public Set<String> mountOptions() {
      return Set.of();
    }

    @Override
    public FsImage open(String image, MemorySegment memory) throws IOException {
      throw new CorruptImageException(
          image, magic.offset(), "an ext2 image", name + ", which this version does not read");
    }
  }

  /**
   * Opens an image.
   *
   * @param name the image file's name, as errors show it
   * @param memory its bytes, mapped by the caller, which unmaps them after the last use
   * @return the image
   * @throws CorruptImageException if it is no image, is damaged, or is of a kind that is not read
   * @throws IOException if it cannot be read
   */
  public static FsImage open(String name, MemorySegment memory) throws IOException {
    return MemoryFaults.guarded(name, memory, () -> formatOf(name, memory)).open(name, memory);
  }

  private static ImageFormat formatOf(String name, MemorySegment memory) throws IOException {
    ByteView image = new ByteView(memory, name, CorruptImageException::new);
    for (ImageFormat each : ALL) {
      if (each.recognises(image)) {
        return each;
      }
    }
    ImageFormat usual = ALL.getFirst();
    long found = usual.magic().in(image);
    throw new CorruptImageException(
        name,
        usual.magic().offset(),
        "the %s magic 0x%04x".formatted(usual.name(), usual.magic().value()),
        found < 0
            ? "the end of the file at 0x%x".formatted(image.size())
            : "0x%04x".formatted(found));
  }
}
