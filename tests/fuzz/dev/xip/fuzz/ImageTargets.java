package dev.xip.fuzz;

import dev.xip.base.ByteView;
import dev.xip.disk.Contents;
import dev.xip.disk.Partition;
import dev.xip.disk.PartitionTable;
import dev.xip.image.CorruptImageException;
import dev.xip.image.ImageFormat;
import dev.xip.image.Overlay;
import dev.xip.image.WholeReading;
import dev.xip.image.erofs.ErofsFormat;
import dev.xip.image.ext.ExtFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What Jazzer calls with bytes of its own: one nested class for each reader. An input that throws
 * anything but a checked exception, takes too long or too much memory is a finding.
 */
public final class ImageTargets {
  private ImageTargets() {}

  private static void read(ImageFormat format, byte[] bytes) {
    try {
      new WholeReading(format, bytes).everything();
    } catch (IOException refused) {
      // Damage, with the offset.
    }
  }

  /** Images of ext2, ext3 and ext4. */
  public static final class Ext {
    private Ext() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] image) {
      read(new ExtFormat(), image);
    }
  }

  /** Images of EROFS. */
  public static final class Erofs {
    private Erofs() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] image) {
      read(new ErofsFormat(), image);
    }
  }

  /** Journals of ext3 and ext4, which are replayed into a copy that is then read. */
  public static final class Journal {
    private Journal() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] image) {
      ExtFormat format = new ExtFormat();
      try {
        Overlay overlay =
            format.overlay(WholeReading.NAME, MemorySegment.ofArray(image).asReadOnly());
        byte[] replayed = image.clone();
        overlay.storeInto(MemorySegment.ofArray(replayed));
        new WholeReading(format, replayed, overlay).everything();
      } catch (IOException refused) {
        // Damage, with the offset.
      }
    }
  }

  /** Partition tables, and what lies in a disk and its partitions. */
  public static final class Disk {
    private Disk() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] disk) {
      MemorySegment memory = MemorySegment.ofArray(disk);
      ByteView view = new ByteView(memory, WholeReading.NAME, CorruptImageException::new);
      try {
        Contents.of(view);
        PartitionTable table = PartitionTable.of(view);
        List<Partition> partitions = table == null ? List.of() : table.partitions();
        for (Partition each : partitions) {
          if (each.end() <= disk.length) {
            MemorySegment part = memory.asSlice(each.start(), each.size());
            Contents.of(new ByteView(part, WholeReading.NAME, CorruptImageException::new));
          }
        }
      } catch (IOException refused) {
        // Damage, with the offset.
      }
    }
  }
}
