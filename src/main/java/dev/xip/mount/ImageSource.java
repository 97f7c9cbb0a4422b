package dev.xip.mount;

import dev.xip.base.ByteView;
import dev.xip.base.LostPages;
import dev.xip.disk.Partition;
import dev.xip.disk.PartitionChoice;
import dev.xip.disk.PartitionTable;
import dev.xip.host.HostMapping;
import dev.xip.host.HostPaths;
import dev.xip.image.CorruptImageException;
import dev.xip.image.MemoryFaults;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where an image lies: a file or block device, a range of its bytes, a partition of the disk in it.
 * Immutable; nothing is opened before it is used.
 */
public final class ImageSource {
  /** The bits of a mode that tell the type, and some types, inode(7). */
  private static final int TYPE = 0170000;

  private static final int PIPE = 0010000;
  private static final int DIRECTORY = 0040000;
  private static final int BLOCK_DEVICE = 0060000;

  /** How often a file is opened whose name another one gets meanwhile. */
  private static final int MOST_TRIES = 100;

  /** The size of a range that goes on to the end of the file. */
  private static final long TO_THE_END = -1;

  /** A partition of the disk in the file: {@code 2}, {@code label=NAME}, {@code uuid=UUID}, … */
  public static final String PARTITION = "partition";

  /** Where the image or disk begins in the file, in bytes. */
  private static final String OFFSET = "offset";

  /** The length of the image or disk, in bytes. */
  private static final String SIZE = "size";

  /** The format to read the image as, if it has the magic numbers of several. */
  private static final String FORMAT = "format";

  /** What is done with a journal that needs recovery, a constant of {@link Recovery}. */
  public static final String RECOVERY = "recovery";

  /** The options that a caller can give by name. */
  public static final List<String> OPTIONS = List.of(PARTITION, OFFSET, SIZE, FORMAT, RECOVERY);

  private final Path file;
  private final long offset;
  private final long size;

  /** The partition of the disk in the range; null for the range itself. */
  private final PartitionChoice partition;

  /** The format to read it as; null if its magic number tells. */
  private final String format;

  private final List<String> warnings;

  private final Recovery recovery;

  private ImageSource(
      Path file,
      long offset,
      long size,
      PartitionChoice partition,
      String format,
      List<String> warnings,
      Recovery recovery) {
    this.file = file;
    this.offset = offset;
    this.size = size;
    this.partition = partition;
    this.format = format;
    this.warnings = warnings;
    this.recovery = recovery;
  }

  /** Maps a whole file. */
  @FunctionalInterface
  public interface WholeFileMapper {
    /**
     * Maps it.
     *
     * @param bytes its size
     * @return the mapping, which the caller closes
     * @throws IOException if the file is shorter, or the system refuses
     */
    HostMapping map(long bytes) throws IOException;
  }

  /** Maps an open file. A class, as the first lambda of a JVM takes longer than the rest. */
  private record ChannelMapper(FileChannel channel, LostPages.Origin origin)
      implements WholeFileMapper {
    @Override
    public HostMapping map(long bytes) throws IOException {
      return HostMapping.map(channel, origin, 0);
    }
  }

  /**
   * An image that is a whole file or block device.
   *
   * @param file its path; a colon in it is nothing special
   * @return the source
   */
  public static ImageSource of(Path file) {
    return new ImageSource(file, 0, TO_THE_END, null, null, List.of(), Recovery.IN_MEMORY);
  }

  /**
   * An image in a file or block device, with what the caller says of it by name.
   *
   * @param file its path
   * @param options text or numbers by the names of {@link #OPTIONS}
   * @return the source
   * @throws IllegalArgumentException if an option is not known, or has a value that it cannot have
   */
  public static ImageSource of(Path file, Map<String, ?> options) {
    for (String name : options.keySet()) {
      if (!OPTIONS.contains(name)) {
        throw new IllegalArgumentException(
            "option %s: expected one of %s".formatted(name, String.join(", ", OPTIONS)));
      }
    }
    ImageSource source = of(file);
    if (options.containsKey(OFFSET) || options.containsKey(SIZE)) {
      source = source.within(number(options, OFFSET, 0), number(options, SIZE, TO_THE_END));
    }
    if (options.containsKey(PARTITION)) {
      source = source.partition(options.get(PARTITION).toString());
    }
    if (options.containsKey(RECOVERY)) {
      source = source.with(recovery(options.get(RECOVERY).toString()));
    }
    return options.containsKey(FORMAT) ? source.as(options.get(FORMAT).toString()) : source;
  }

  private static Recovery recovery(String value) {
    for (Recovery each : Recovery.values()) {
      if (each.name().equalsIgnoreCase(value)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "%s=%s: expected in_memory or none".formatted(RECOVERY, value));
  }

  /** Reads a number, decimal or with the prefix 0x; zeros in front change nothing. */
  private static long number(Map<String, ?> options, String name, long missing) {
    if (!options.containsKey(name)) {
      return missing;
    }
    String value = options.get(name).toString();
    try {
      return value.startsWith("0x")
          ? Long.parseLong(value.substring(2), 16)
          : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("%s=%s: expected a number".formatted(name, value), e);
    }
  }

  /**
   * Reads what a user writes: the path of a file or block device, or that of a disk and one of its
   * partitions, as in {@code disk.img:2}, {@code disk.img:label=root}, {@code disk.img:uuid=…} or
   * {@code disk.img:type=linux}. If there is a file whose name is the whole text, it is meant.
   *
   * @param text the text; bytes that are not UTF-8 as {@link dev.xip.base.FileName#exactText} has
   *     them
   * @return the source
   * @throws FileSystemException if a file is named with something behind it that names no partition
   */
  public static ImageSource parse(String text) throws FileSystemException {
    Path whole = HostPaths.typed(text);
    int colon = lastColonBehindFile(text);
    if (colon < 0) {
      return of(whole);
    }
    Path disk = HostPaths.typed(text.substring(0, colon));
    PartitionChoice choice = PartitionChoice.parse(text.substring(colon + 1));
    if (!Files.exists(whole)) {
      if (choice == null) {
        throw new FileSystemException(
            HostPaths.text(disk),
            null,
            "expected a partition behind the colon (%s), found %s"
                .formatted(PartitionChoice.FORMS, text.substring(colon + 1)));
      }
      return new ImageSource(disk, 0, TO_THE_END, choice, null, List.of(), Recovery.IN_MEMORY);
    }
    String ambiguous =
        "is taken for a file, as there is one of that name, not for a partition of %s"
            .formatted(HostPaths.text(disk));
    return choice == null
        ? of(whole)
        : new ImageSource(whole, 0, TO_THE_END, null, null, List.of(ambiguous), Recovery.IN_MEMORY);
  }

  /**
   * Takes one partition of the disk for the image.
   *
   * @param text the partition as {@link #parse} has it behind the colon
   * @return the source
   * @throws IllegalArgumentException if the text names no partition
   */
  public ImageSource partition(String text) {
    PartitionChoice choice = PartitionChoice.parse(text);
    if (choice == null) {
      throw new IllegalArgumentException(
          "partition %s: expected %s".formatted(text, PartitionChoice.FORMS));
    }
    return new ImageSource(file, offset, size, choice, format, warnings, recovery);
  }

  /** Finds the last colon before which a text names a file, -1 if there is none. */
  private static int lastColonBehindFile(String text) {
    int colon = text.lastIndexOf(':');
    while (colon > 0) {
      Path before = HostPaths.typed(text.substring(0, colon));
      if (Files.exists(before) && !Files.isDirectory(before)) {
        return colon;
      }
      colon = text.lastIndexOf(':', colon - 1);
    }
    return -1;
  }

  /**
   * Takes a range of the file for the image, or for the disk if a partition is named.
   *
   * @param from the first byte, at least 0
   * @param bytes the length, at least 1, or -1 for the rest of the file
   * @return the source
   * @throws IllegalArgumentException if they are less
   */
  public ImageSource within(long from, long bytes) {
    if (from < 0) {
      throw new IllegalArgumentException("offset %d is negative".formatted(from));
    }
    if (bytes != TO_THE_END && bytes < 1) {
      throw new IllegalArgumentException("size %d: expected at least 1".formatted(bytes));
    }
    return new ImageSource(file, from, bytes, partition, format, warnings, recovery);
  }

  /**
   * Reads the image as a format, whatever other magic numbers it has.
   *
   * @param name the format's name: ext2, ext3, ext4 or erofs
   * @return the source
   */
  public ImageSource as(String name) {
    return new ImageSource(file, offset, size, partition, name, warnings, recovery);
  }

  /**
   * Says what is done with a journal that needs recovery; if nothing is said, it is replayed in
   * memory.
   *
   * @param wanted what is done
   * @return the source
   */
  public ImageSource with(Recovery wanted) {
    return new ImageSource(file, offset, size, partition, format, warnings, wanted);
  }

  /** {@return what is done with a journal that needs recovery} */
  Recovery recovery() {
    return recovery;
  }

  /** {@return the path of the file or block device} */
  public Path file() {
    return file;
  }

  /** {@return whether neither a partition nor a range is named} */
  public boolean isWhole() {
    return partition == null && offset == 0 && size == TO_THE_END;
  }

  /** {@return what is unusual about the words that name the place, {@link ImagePlace#warnings}} */
  public List<String> warnings() {
    return warnings;
  }

  /** {@return the name of the image in errors: the file, with range and partition if given} */
  public String name() {
    String range = offset == 0 && size == TO_THE_END ? "" : "+0x%x".formatted(offset);
    return HostPaths.text(file) + range + (partition == null ? "" : ":" + partition);
  }

  /** {@return the name of the format to read it as; null if its magic number tells} */
  public String format() {
    return format;
  }

  /**
   * Opens the file or block device.
   *
   * @return the open file, which the caller closes
   * @throws FileSystemException if there is none, or it is of another type
   * @throws IOException if the system refuses
   */
  FileChannel open() throws IOException {
    if (file.getFileSystem() != FileSystems.getDefault()) {
      throw new FileSystemException(
          file.toString(),
          null,
          "lies in %s, not on the host: copy it out".formatted(file.getFileSystem()));
    }
    // The JDK would open a directory, and wait for a writer of a pipe.
    if (!Files.isRegularFile(file) && key() != null && !isBlockDevice()) {
      String found =
          switch (type()) {
            case DIRECTORY -> "Is a directory";
            case PIPE -> "is a pipe, which cannot be mapped: its bytes are to be saved in a file";
            default -> "Not a regular file or block device";
          };
      throw new FileSystemException(HostPaths.text(file), null, found);
    }
    return FileChannel.open(file);
  }

  /**
   * Returns which file has the name, null if there is none. Files.exists would call access(2),
   * which does not find what a capability of the process alone reaches.
   */
  private Object key() throws IOException {
    try {
      return ImagePiece.keyOf(file);
    } catch (NoSuchFileException absent) {
      return null;
    }
  }

  /**
   * Opens the file or block device, and finds out which it is. The JDK does not tell that of an
   * open file; if another one gets the name meanwhile, that is opened.
   */
  ImagePiece.OpenFile openKnown() throws IOException {
    for (int i = 0; i < MOST_TRIES; i++) {
      // Where there is none, the open itself says why.
      Object key = key();
      FileChannel channel = open();
      try {
        if (key != null && key.equals(ImagePiece.keyOf(file))) {
          return new ImagePiece.OpenFile(channel, key);
        }
      } catch (IOException | RuntimeException | Error e) {
        channel.close();
        throw e;
      }
      channel.close();
    }
    throw new FileSystemException(
        HostPaths.text(file), null, "another file gets its name whenever it is opened");
  }

  /** Tells whether the file is a block device. */
  boolean isBlockDevice() throws IOException {
    return type() == BLOCK_DEVICE;
  }

  private int type() throws IOException {
    return (int) Files.getAttribute(file, "unix:mode") & TYPE;
  }

  /**
   * Finds the image in the file as it is now.
   *
   * @return the place
   * @throws FileSystemException if the range is not inside the file, or the partition cannot be
   *     read
   * @throws IOException if the system refuses
   */
  public ImagePlace find() throws IOException {
    try (FileChannel channel = open()) {
      return find(channel);
    }
  }

  /** Finds the image in the file that {@link #open} has opened. */
  ImagePlace find(FileChannel channel) throws IOException {
    LostPages.Origin origin = LostPages.Origin.of(HostPaths.text(file), channel.size());
    return find(origin.fileBytes(), new ChannelMapper(channel, origin));
  }

  /**
   * Finds the image in a file that is open.
   *
   * @param fileBytes the size of the file
   * @param mapper maps the file, called only if a partition is named
   * @return the place
   * @throws FileSystemException if the range is not inside the file, or the partition cannot be
   *     read
   * @throws IOException if the system refuses
   */
  public ImagePlace find(long fileBytes, WholeFileMapper mapper) throws IOException {
    if (fileBytes == 0) {
      throw new CorruptImageException(
          HostPaths.text(file),
          0,
          "a file-system image",
          isBlockDevice() ? "no bytes: a device without a medium or file" : "an empty file");
    }
    long length = size == TO_THE_END ? fileBytes - offset : size;
    if (length < 1 || offset > fileBytes - length) {
      throw new FileSystemException(
          name(),
          null,
          "expected %s at byte 0x%x, found a file of 0x%x bytes"
              .formatted(
                  size == TO_THE_END ? "an image" : "0x%x bytes".formatted(size),
                  offset,
                  fileBytes));
    }
    if (partition == null) {
      return new ImagePlace(offset, length, warnings);
    }
    try (HostMapping whole = mapper.map(fileBytes)) {
      MemorySegment disk = whole.memory().asSlice(offset, length);
      String text = HostPaths.text(file);
      return MemoryFaults.guarded(text, disk, () -> find(CorruptImageException.view(disk, text)));
    }
  }

  private ImagePlace find(ByteView disk) throws IOException {
    PartitionTable table = PartitionTable.of(disk);
    if (table == null) {
      throw new FileSystemException(
          disk.file(), null, "has no partition table, so no partition " + partition);
    }
    List<String> all = new ArrayList<>(warnings);
    all.addAll(table.warnings());
    Partition chosen = table.choose(partition, offset);
    return new ImagePlace(offset + chosen.start(), chosen.size(), all);
  }
}
