package dev.xip.image;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Finds the inode that a path names, following symbolic links inside the image only: an absolute
 * link starts at the image's root, and {@code ..} at the root stays there. Linux counterpart:
 * fs/namei.c:link_path_walk.
 */
public final class PathResolver {
  /** How many links one path may lead through (include/linux/namei.h, MAXSYMLINKS). */
  public static final int MAX_LINKS = 40;

  /** The longest name that a directory can hold, in bytes (NAME_MAX). */
  public static final int MAX_NAME = 255;

  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  private final FsImage image;
  private final String path;

  /** Names still to be looked up, first in front. */
  private final Deque<FileName> names = new ArrayDeque<>();

  /** The directories walked through, the root last. Empty only before the walk. */
  private final Deque<Inode> parents = new ArrayDeque<>();

  private int links;

  private PathResolver(FsImage image, String path) {
    this.image = image;
    this.path = path;
  }

  /**
   * Resolves a path given as text.
   *
   * @param image the image
   * @param path the path from the image's root, taken as UTF-8; a leading slash changes nothing
   * @param followLast whether a symbolic link at the end is followed
   * @return the inode that it names
   * @throws NoSuchFileException if there is none, or a name is longer than {@link #MAX_NAME} bytes
   * @throws NotDirectoryException if something before the end is not a directory
   * @throws FileSystemLoopException if more than {@link #MAX_LINKS} links are met
   * @throws IOException if the image is damaged
   */
  public static Inode resolve(FsImage image, String path, boolean followLast) throws IOException {
    return resolve(image, FileName.of(path), followLast);
  }

  /**
   * Resolves a path given as bytes, which need not be valid UTF-8.
   *
   * @param image the image
   * @param path the path from the image's root; a leading slash changes nothing
   * @param followLast whether a symbolic link at the end is followed; one with a slash after it is
   *     followed always
   * @return the inode that it names
   * @throws NoSuchFileException if there is none, or a name is longer than {@link #MAX_NAME} bytes
   * @throws NotDirectoryException if something before the end is not a directory
   * @throws FileSystemLoopException if more than {@link #MAX_LINKS} links are met
   * @throws IOException if the image is damaged
   */
  public static Inode resolve(FsImage image, FileName path, boolean followLast) throws IOException {
    return new PathResolver(image, image.name() + ":" + path).walk(path, followLast);
  }

  private Inode walk(FileName from, boolean followLast) throws IOException {
    if (from.length() == 0) {
      throw new NoSuchFileException(path, null, "an empty path names nothing");
    }
    Inode here = image.root();
    push(from);
    while (!names.isEmpty()) {
      FileName name = names.pop();
      if (here.type() != FileType.DIRECTORY) {
        throw new NotDirectoryException(path);
      }
      if (name.equals(DOT)) {
        continue;
      }
      if (name.equals(DOT_DOT)) {
        here = parents.isEmpty() ? here : parents.pop();
        continue;
      }
      Inode found = lookUp(here, name);
      if (found.type() == FileType.SYMLINK && (followLast || !names.isEmpty())) {
        here = follow(here, found);
      } else {
        parents.push(here);
        here = found;
      }
    }
    return here;
  }

  private Inode lookUp(Inode directory, FileName name) throws IOException {
    long number = name.length() > MAX_NAME ? -1 : image.find(directory, name);
    if (number < 0) {
      throw new NoSuchFileException(path, null, "no such file: " + name);
    }
    return image.inode(number);
  }

  /** Puts a link's target in front of the names, and returns where it starts. */
  private Inode follow(Inode directory, Inode link) throws IOException {
    if (++links > MAX_LINKS) {
      throw new FileSystemLoopException(path);
    }
    FileName target = image.readLink(link);
    push(target);
    if (target.bytes()[0] != '/') {
      return directory;
    }
    parents.clear();
    return image.root();
  }

  /** Puts the names of a path in front, with a dot for a slash at its end: it asks for a folder. */
  private void push(FileName text) {
    byte[] bytes = text.bytes();
    int end = bytes.length;
    if (bytes[end - 1] == '/') {
      names.push(DOT);
    }
    for (int i = end - 1; i >= -1; i--) {
      if (i < 0 || bytes[i] == '/') {
        if (end > i + 1) {
          names.push(FileName.of(Arrays.copyOfRange(bytes, i + 1, end)));
        }
        end = i;
      }
    }
  }
}
