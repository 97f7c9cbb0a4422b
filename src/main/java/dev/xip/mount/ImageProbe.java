package dev.xip.mount;

import dev.xip.base.ByteView;
import dev.xip.disk.PartitionTable;
import dev.xip.host.HostMapping;
import dev.xip.host.HostPaths;
import dev.xip.image.CorruptImageException;
import dev.xip.image.MemoryFaults;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;

/**
 * What the first bytes of a file or block device tell, by which a caller decides whether it is to
 * be opened as an image at all.
 */
public final class ImageProbe {
  /** Where each disk with partitions, also one with a GPT, has the mark of a boot sector. */
  private static final int BOOT_MARK = 510;

  private static final short BOOT_MARK_VALUE = (short) 0xaa55;

  private final ImageSource source;
  private final boolean image;
  private final boolean bootSector;

  private ImageProbe(ImageSource source, boolean image, boolean bootSector) {
    this.source = source;
    this.image = image;
    this.bootSector = bootSector;
  }

  /**
   * Reads the first bytes.
   *
   * @param source names the file; range and partition are not looked at
   * @return what they tell: nothing of a file of another type, or one of proc(5), which has no size
   * @throws java.nio.file.NoSuchFileException if there is no such file
   * @throws IOException if it cannot be read
   */
  public static ImageProbe of(ImageSource source) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(ImageFormats.HEAD_BYTES);
    if (Files.isRegularFile(source.file()) || source.isBlockDevice()) {
      try (FileChannel channel = source.open()) {
        while (channel.size() > 0 && head.hasRemaining() && channel.read(head) >= 0) {}
      }
    }
    head.flip().order(ByteOrder.LITTLE_ENDIAN);
    return new ImageProbe(
        source,
        ImageFormats.recognises(MemorySegment.ofBuffer(head)),
        head.limit() >= BOOT_MARK + Short.BYTES && head.getShort(BOOT_MARK) == BOOT_MARK_VALUE);
  }

  /** {@return whether the file has the magic number of a known format} */
  public boolean isImage() {
    return image;
  }

  /**
   * Describes the file if it is a disk with a partition that holds an image.
   *
   * @return the kind of its table and its partitions, in words; null for everything else
   * @throws IOException if it cannot be read
   */
  public String diskOfImages() throws IOException {
    if (!bootSector) {
      return null;
    }
    try (FileChannel channel = source.open()) {
      String text = HostPaths.text(source.file());
      try (HostMapping whole = HostMapping.map(channel, text)) {
        ByteView view = CorruptImageException.view(whole.memory(), text);
        return MemoryFaults.guarded(
            text,
            whole.memory(),
            () -> {
              PartitionTable disk = ImageFormats.diskOfImages(view);
              return disk == null ? null : "%s: %s".formatted(disk.kind(), disk.listing());
            });
      }
    }
  }
}
