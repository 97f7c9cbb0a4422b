package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.image.BlockMap;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.pack.ext.NewFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/** All files that are to become an image, with what is to be told of them. */
abstract class PackTree implements AutoCloseable {
  private static final FileName LOST_AND_FOUND = FileName.of("lost+found");

  private final MessageDigest digest;
  private final List<NewFile> files = new ArrayList<>();
  private final List<Doubtful> doubtful = new ArrayList<>();
  private final List<FileName> sockets = new ArrayList<>();
  private final List<FileName> excluded = new ArrayList<>();
  private final List<PackReport.Loss> losses = new ArrayList<>();
  private final Instant start = Instant.now();
  private Instant newest = Instant.EPOCH;
  private Instant latest = Instant.EPOCH;
  private Instant earliest = Instant.EPOCH;
  private long bytes;
  private long regularFiles;
  private int readableBy = 0444;

  /** Null until all files are counted. */
  private UUID identity;

  /**
   * A file that mkfs.erofs may leave out.
   *
   * @param path its path in the tree
   * @param shown its path, as the caller would write it
   */
  record Doubtful(FileName path, FileName shown) {}

  PackTree() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** An image cannot hold a file; the message says why. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String reason) {
      super(reason);
    }
  }

  /**
   * Copies the bytes of a file into an image.
   *
   * @param file a regular file of this tree
   * @param places where they go
   * @param image the image
   * @throws java.nio.file.FileSystemException if the file cannot be read, or is not as it was
   */
  abstract void copy(NewFile file, BlockMap places, FileChannel image) throws IOException;

  /**
   * Adds one name to the totals.
   *
   * @param depth how many folders are above the one that holds it
   * @param name the name, empty for the root
   * @param inode what it names
   */
  final void count(int depth, FileName name, Inode inode) {
    Instant modified = inode.modified();
    latest = modified.isAfter(latest) ? modified : latest;
    earliest = modified.isBefore(earliest) ? modified : earliest;
    newest = modified.isAfter(newest) && !modified.isAfter(start) ? modified : newest;
    boolean directory = inode.type() == FileType.DIRECTORY;
    digest.update(name.bytes());
    digest.update(
        "\0%d\0%d\0%s\n"
            .formatted(depth, directory ? 0 : inode.size(), modified)
            .getBytes(StandardCharsets.UTF_8));
    if (inode.type() == FileType.REGULAR) {
      readableBy &= inode.mode();
    } else if (directory) {
      // To read what is in a folder takes the rights r and x.
      readableBy &= inode.mode() & inode.mode() << 2;
    }
  }

  /**
   * Adds a file, each once, the root first and each folder before what is in it.
   *
   * @param file the file
   * @param shown gives its path, as the caller would write it
   */
  final void add(NewFile file, Supplier<FileName> shown) {
    files.add(file);
    if (file.inode().type() == FileType.REGULAR) {
      regularFiles++;
      bytes += file.inode().size();
    }
    for (FileName each : file.attributesLeftOut()) {
      addLoss(shown.get(), "the image has no place for its attribute %s".formatted(each));
    }
    if (!file.keepsTimes()) {
      addLoss(shown.get(), "a time before 1901 or after 2446");
    }
  }

  /** Demands that an image can hold so many names of a file. */
  static void demandFewNames(NewFile file) throws RefusedException {
    if (file.names() > NewFile.MOST_LINKS) {
      throw new RefusedException(
          "an image keeps no more than %,d names of a file".formatted(NewFile.MOST_LINKS));
    }
  }

  /** Demands that an image can hold a file of a size, of which a part is no hole. */
  static void demandPossible(long size, long allocated) throws RefusedException {
    if (size > NewFile.MOST_BYTES) {
      throw new RefusedException(
          "larger than a file of an image can be (%,d bytes)".formatted(NewFile.MOST_BYTES));
    }
    if (allocated > NewFile.MOST_ALLOCATED) {
      throw new RefusedException(
          "more bytes than an image can count in the 512-byte sectors of one file");
    }
  }

  /** Adds something that the image does not keep. */
  final void addLoss(FileName shown, String what) {
    losses.add(new PackReport.Loss(shown, what));
  }

  /** Adds a socket, which means nothing in an image. */
  final void addSocket(FileName shown) {
    sockets.add(shown);
  }

  /** Adds the path in the tree of something that is left out with all below it. */
  final void addExcluded(FileName path) {
    excluded.add(path);
  }

  /** Tells whether some versions of mkfs.erofs leave out files of a name. */
  static boolean isDoubtful(FileName name) {
    int start = LOST_AND_FOUND.length();
    return name.length() >= start && name.part(0, start).equals(LOST_AND_FOUND);
  }

  /** Adds something that mkfs.erofs may leave out. */
  final void addDoubtful(FileName path, FileName shown) {
    doubtful.add(new Doubtful(path, shown));
  }

  /** Returns all files, each once, the root first and each folder before what is in it. */
  final List<NewFile> files() {
    return files;
  }

  /** Returns how many regular files there are, hard links counted once. */
  final long regularFiles() {
    return regularFiles;
  }

  /** Returns the sum of their sizes in bytes. */
  final long bytes() {
    return bytes;
  }

  /** Returns the sockets, which are not among the files. */
  final List<FileName> sockets() {
    return sockets;
  }

  /** Returns the paths in the tree that are left out, without what is below them. */
  final List<FileName> excluded() {
    return excluded;
  }

  /** Returns what an image cannot keep of the files. */
  final List<PackReport.Loss> losses() {
    return losses;
  }

  /**
   * Returns the permission bits that an image may grant: to group and others none, unless they may
   * read every file and folder of the tree.
   */
  final int grants() {
    int group = (readableBy & 040) == 0 ? 0 : 060;
    int others = (readableBy & 04) == 0 ? 0 : 06;
    return 0600 | group | others;
  }

  /**
   * Returns the latest modification time in the tree that is not in the future, in seconds since
   * 1970.
   */
  final long newestSeconds() {
    return newest.getEpochSecond();
  }

  /** Returns the second after the latest modification time in the tree, since 1970. */
  final long latestSeconds() {
    return latest.getEpochSecond() + 1;
  }

  /** Tells whether a modification time in the tree is before 1970. */
  final boolean hasTimesBefore1970() {
    return earliest.isBefore(Instant.EPOCH);
  }

  /** Returns the files that mkfs.erofs may leave out. */
  final List<Doubtful> doubtful() {
    return doubtful;
  }

  /** Returns a UUID that is the same for the same names, sizes and times. */
  final UUID identity() {
    if (identity == null) {
      identity = UUID.nameUUIDFromBytes(digest.digest());
    }
    return identity;
  }

  @Override
  public abstract void close() throws IOException;
}
