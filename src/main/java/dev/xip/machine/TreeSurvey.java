package dev.xip.machine;

import dev.xip.image.FileType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What lies in a folder of the host that is to become an image: how many files, how large, under
 * which names. Symbolic links are counted, never followed.
 */
final class TreeSurvey {
  /** Ext2 directory entry before its name, in bytes. */
  private static final int ENTRY_HEADER = 8;

  private final Path root;
  private final MessageDigest digest;
  private final Set<Object> seen = new HashSet<>();
  private final List<Path> sockets = new ArrayList<>();
  private final Map<Path, long[]> openDirectories = new HashMap<>();
  private final Ext2Size.Contents contents = new Ext2Size.Contents();
  private long files;
  private long bytes;
  private FileTime newest = FileTime.fromMillis(0);
  private Path notWholeBlocks;

  private TreeSurvey(Path root) {
    this.root = root;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Surveys a folder.
   *
   * @param root the folder
   * @param allocated says how many bytes the host keeps for a file; less than its size for one with
   *     holes
   * @return the survey
   * @throws IOException if a part of the tree cannot be read
   */
  static TreeSurvey of(Path root, AllocatedBytes allocated) throws IOException {
    TreeSurvey survey = new TreeSurvey(root);
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            if (!dir.equals(root)) {
              survey.name(dir, attributes);
            }
            survey.openDirectories.put(dir, new long[1]);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            survey.name(file, attributes);
            survey.file(file, attributes, allocated);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            survey.contents.addDirectory(survey.openDirectories.remove(dir)[0]);
            return FileVisitResult.CONTINUE;
          }
        });
    return survey;
  }

  /** Says how many bytes the host keeps for a file. */
  @FunctionalInterface
  interface AllocatedBytes {
    /** Returns the allocated bytes of one regular file. */
    long of(Path file) throws IOException;
  }

  /** Counts one name in the folder that it stands in, and in what the image's identity is from. */
  private void name(Path path, BasicFileAttributes attributes) {
    byte[] name = path.getFileName().toString().getBytes(StandardCharsets.UTF_8);
    openDirectories.get(path.getParent())[0] += ENTRY_HEADER + ((name.length + 3) & ~3);
    digest.update(root.relativize(path).toString().getBytes(StandardCharsets.UTF_8));
    String facts =
        "\0%d\0%d\n".formatted(attributes.size(), attributes.lastModifiedTime().toMillis());
    digest.update(facts.getBytes(StandardCharsets.UTF_8));
    if (attributes.lastModifiedTime().compareTo(newest) > 0) {
      newest = attributes.lastModifiedTime();
    }
  }

  private void file(Path file, BasicFileAttributes attributes, AllocatedBytes allocated)
      throws IOException {
    if (attributes.isOther() && isSocket(file)) {
      sockets.add(file);
      return;
    }
    if (!seen.add(attributes.fileKey())) {
      return;
    }
    if (attributes.isSymbolicLink()) {
      contents.addSymlink(attributes.size());
    } else if (attributes.isRegularFile()) {
      files++;
      bytes += attributes.size();
      contents.addFile(attributes.size(), allocated.of(file));
      if (notWholeBlocks == null && attributes.size() % Ext2Size.BLOCK != 0) {
        notWholeBlocks = file;
      }
    } else {
      contents.addNode();
    }
  }

  private static boolean isSocket(Path file) throws IOException {
    int mode = (int) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return FileType.ofMode(mode) == FileType.SOCKET;
  }

  /** Returns what an ext2 image must hold. */
  Ext2Size.Contents contents() {
    return contents;
  }

  /** Returns how many regular files there are, each counted once whatever its names. */
  long files() {
    return files;
  }

  /** Returns the sum of their sizes in bytes. */
  long bytes() {
    return bytes;
  }

  /** Returns the sockets, which mean nothing in an image. */
  List<Path> sockets() {
    return sockets;
  }

  /** Returns the latest time of change in the tree, in seconds since 1970. */
  long newestSeconds() {
    return Math.max(0, newest.toMillis() / 1000);
  }

  /** Returns some file whose size is no multiple of a block, or null if there is none. */
  Path fileWithTail() {
    return notWholeBlocks;
  }

  /** Returns a UUID that is the same for the same names, sizes and times. */
  UUID identity() {
    return UUID.nameUUIDFromBytes(digest.digest());
  }
}
