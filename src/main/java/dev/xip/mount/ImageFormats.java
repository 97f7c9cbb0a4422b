package dev.xip.mount;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.disk.Contents;
import dev.xip.disk.PartitionTable;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.ImageFormat;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Overlay;
import dev.xip.image.erofs.ErofsFormat;
import dev.xip.image.ext.ExtFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.stream.Collectors;

/** The formats of images, picked by magic number, and the refusal of what is none. */
public final class ImageFormats {
  /** In the order in which they are tried. */
  private static final List<ImageFormat> ALL = List.of(new ExtFormat(), new ErofsFormat());

  /** The names of the ext family, which has one reader. */
  private static final Set<String> EXT = Set.of("ext2", "ext3", "ext4");

  private static final int BOOT_SECTOR = 512;

  /** As many bytes as hold the magic numbers of all formats. */
  static final int HEAD_BYTES = 4096;

  private ImageFormats() {}

  /**
   * Opens an image as the format that its magic number names.
   *
   * @param name the image's name, as errors show it
   * @param memory its bytes, mapped by the caller, which unmaps them after the last use
   * @return the image
   * @throws CorruptImageException if it is no image, is damaged, or is of a kind that is not read
   * @throws FileSystemException if it has the magic numbers of several file systems, or is a disk
   *     with partitions
   * @throws IOException if it cannot be read
   */
  public static FsImage open(String name, MemorySegment memory) throws IOException {
    return open(name, memory, null);
  }

  /**
   * Opens an image that needs no recovery.
   *
   * @param name the image's name, as errors show it
   * @param memory its bytes, mapped by the caller, which unmaps them after the last use
   * @param format the name of the format to read it as; null if its magic number tells
   * @return the image
   * @throws FileSystemException also if its journal holds changes that are not in their places
   * @throws IOException as {@link #open(String, MemorySegment)} does
   */
  public static FsImage open(String name, MemorySegment memory, String format) throws IOException {
    ImageFormat found = choose(name, memory, format, null);
    requireNothingReplayed(name, found.overlay(name, memory));
    return found.open(name, memory);
  }

  /** Demands that a journal holds no changes. */
  static void requireNothingReplayed(String name, Overlay overlay) throws FileSystemException {
    if (!overlay.isEmpty()) {
      throw new FileSystemException(
          name,
          null,
          "cannot be used in place: %d blocks are still in the journal".formatted(overlay.pieces())
              + " (e2fsck -fy on a copy of the image writes them to their places)");
    }
  }

  /**
   * Chooses the format of an image.
   *
   * @param name the image's name, as errors show it
   * @param memory its bytes
   * @param format the name of the format to read it as; null if its magic number tells
   * @param part how a caller names the first partition, if the image is a disk; null if none can be
   *     named
   * @return the format
   * @throws IOException as {@link #open(String, MemorySegment)} does if none fits
   */
  static ImageFormat choose(String name, MemorySegment memory, String format, String part)
      throws IOException {
    if (format != null) {
      return named(name, format);
    }
    try {
      return formatOf(name, memory, part);
    } finally {
      MemoryFaults.checkWhole(name, memory);
    }
  }

  private static ImageFormat named(String image, String format) throws FileSystemException {
    String family = EXT.contains(format) ? "ext2" : format;
    for (ImageFormat each : ALL) {
      if (each.name().equals(family)) {
        return each;
      }
    }
    throw new FileSystemException(
        image, null, "expected the format ext2, ext3, ext4 or erofs, found " + format);
  }

  /** Tells whether the first {@link #HEAD_BYTES} of a file hold a format's magic number. */
  static boolean recognises(MemorySegment head) throws IOException {
    return !fitting(CorruptImageException.view(head, "")).isEmpty();
  }

  private static List<ImageFormat> fitting(ByteView image) throws IOException {
    List<ImageFormat> fitting = new ArrayList<>();
    for (ImageFormat each : ALL) {
      if (each.recognises(image)) {
        fitting.add(each);
      }
    }
    return fitting;
  }

  private static ImageFormat formatOf(String name, MemorySegment memory, String part)
      throws IOException {
    ByteView image = CorruptImageException.view(memory, name);
    List<ImageFormat> fitting = fitting(image);
    List<Contents> contents = Contents.of(image);
    List<Contents> systems = new ArrayList<>();
    for (Contents each : contents) {
      if (each.kind() != Contents.Kind.PACKED) {
        systems.add(each);
      }
    }
    if (fitting.size() == 1 && systems.size() < 2) {
      PartitionTable disk = part == null ? null : diskOfImages(image);
      if (disk == null) {
        return fitting.getFirst();
      }
      throw stale(name, systems.getFirst(), disk, part);
    }
    throw fitting.isEmpty() ? unknown(image, contents, part) : ambiguous(name, systems);
  }

  /** A disk that was one file system keeps its superblock in the gap before the partitions. */
  private static IOException stale(String name, Contents system, PartitionTable disk, String part)
      throws IOException {
    return new FileSystemException(
        name,
        null,
        "has the magic number of %s (at byte 0x%x) and a partition table (%s): --format %s (option"
                .formatted(system.name(), system.at(), disk.kind(), system.name())
            + " format) reads it as that, %s (option partition) takes a partition; there are %s"
                .formatted(part, disk.listing()));
  }

  /** {@return the table of a disk with images in its partitions, null if it is none} */
  static PartitionTable diskOfImages(ByteView image) {
    try {
      PartitionTable table = PartitionTable.of(image);
      return table != null && table.holdsImages() ? table : null;
    } catch (MalformedDataException damaged) {
      return null;
    }
  }

  private static IOException ambiguous(String name, List<Contents> systems) {
    String numbers =
        systems.stream()
            .map(each -> "%s (at byte 0x%x)".formatted(each.name(), each.at()))
            .collect(Collectors.joining(" and "));
    return new FileSystemException(
        name,
        null,
        "has the magic numbers of %s: --format %s (option format) reads it as that, wipefs removes a"
                .formatted(numbers, systems.getFirst().name())
            + " wrong number");
  }

  /** Says what an image is that no reader recognises. */
  private static IOException unknown(ByteView image, List<Contents> contents, String part)
      throws IOException {
    String name = image.file();
    // A signature further in may lie in the gap before the first partition.
    boolean atStart = !contents.isEmpty() && contents.getFirst().at() < BOOT_SECTOR;
    PartitionTable disk = atStart ? null : PartitionTable.of(image);
    if (disk != null) {
      return new FileSystemException(
          name,
          null,
          "is a disk with partitions (%s), %s; there are %s"
              .formatted(
                  disk.kind(),
                  part == null
                      ? "where a file system alone can be read"
                      : "of which one is to be named, as in %s (option partition)".formatted(part),
                  disk.listing()));
    }
    if (!contents.isEmpty()) {
      Contents found = contents.getFirst();
      return new CorruptImageException(
          name,
          found.at(),
          "a file system of ext2 to ext4 or EROFS",
          "%s; %s".formatted(found.name(), found.adviceFor(name)));
    }
    StringJoiner expected = new StringJoiner(" or ");
    StringJoiner found = new StringJoiner(" and ");
    for (ImageFormat each : ALL) {
      ImageFormat.Magic magic = each.magic();
      String hex = "0x%%0%dx".formatted(2 * magic.bytes());
      String wanted = hex.formatted(magic.value());
      expected.add("the %s magic %s at 0x%x".formatted(each.name(), wanted, magic.offset()));
      long there = magic.in(image);
      found.add(there < 0 ? "the end before 0x%x".formatted(magic.offset()) : hex.formatted(there));
    }
    return new CorruptImageException(
        name, ALL.getFirst().magic().offset(), expected.toString(), found.toString());
  }
}
