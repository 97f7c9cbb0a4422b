package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.ImageFormat;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Overlay;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/** The ext family: ext2, ext3 and ext4, which share one magic number. */
public final class ExtFormat implements ImageFormat {
  /** The mount option that asks for regular files in place (Linux 2.6.26, fs/ext2/super.c). */
  public static final String XIP = "xip";

  private static final Magic MAGIC =
      new Magic(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_MAGIC, Short.BYTES, ExtLayout.MAGIC);

  /** Makes the format. */
  public ExtFormat() {}

  @Override
  public String name() {
    return "ext2";
  }

  @Override
  public Magic magic() {
    return MAGIC;
  }

  @Override
  public Set<String> mountOptions() {
    return Set.of(XIP);
  }

  @Override
  public Overlay overlay(String name, MemorySegment memory) throws IOException {
    ByteView view = CorruptImageException.view(memory, name);
    try {
      ExtFeatures features = ExtFeatures.read(view);
      return features.hasIncompat(ExtFeatures.INCOMPAT_RECOVER)
              && features.hasCompat(ExtFeatures.COMPAT_HAS_JOURNAL)
          ? JournalReplay.of(view)
          : Overlay.NONE;
    } finally {
      MemoryFaults.checkWhole(name, memory);
    }
  }

  @Override
  public FsImage open(String name, MemorySegment memory) throws IOException {
    return ExtImage.open(name, memory);
  }

  @Override
  public FsImage open(String name, MemorySegment memory, Overlay replayed) throws IOException {
    return ExtImage.open(name, memory, replayed);
  }
}
