package dev.xip.image;

import dev.xip.base.FileName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayList;
import java.util.List;

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
  private final FileName path;

  /** Holds the names still to be looked up, from {@link #next} on. */
  private FileName rest;

  private int next;
  private int links;

  /** The names from the root to where the walk stands; null if the caller does not need them. */
  private List<FileName> trail;

  private PathResolver(FsImage image, FileName path) {
    this.image = image;
    this.path = path;
    this.rest = path;
  }

  /**
   * Resolves a path from a directory on. Linux counterpart: openat(2).
   *
   * @param image the image
   * @param start the inode of a directory, where a relative path starts
   * @param path the path; one with a leading slash starts at the image's root
   * @param followLast as in {@link #resolve(FsImage, FileName, boolean)}
   * @return the inode that it names
   * @throws IOException as {@link #resolve(FsImage, FileName, boolean)} does
   */
  public static Inode resolve(FsImage image, Inode start, FileName path, boolean followLast)
      throws IOException {
    boolean absolute = path.length() > 0 && path.at(0) == '/';
    return new PathResolver(image, path).walk(absolute ? image.root() : start, followLast);
  }

  /**
   * Resolves a path given as text.
   *
   * @param image the image
   * @param path the path from the image's root, taken as UTF-8; a leading slash changes nothing
   * @param followLast whether a symbolic link at the end is followed
   * @return the inode that it names
   * @throws NoSuchFileException if there is none
   * @throws FileSystemException if a name is longer than {@link #MAX_NAME} bytes
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
   * @throws NoSuchFileException if there is none
   * @throws FileSystemException if a name is longer than {@link #MAX_NAME} bytes
   * @throws NotDirectoryException if something before the end is not a directory
   * @throws FileSystemLoopException if more than {@link #MAX_LINKS} links are met
   * @throws IOException if the image is damaged
   */
  public static Inode resolve(FsImage image, FileName path, boolean followLast) throws IOException {
    return new PathResolver(image, path).walk(image.root(), followLast);
  }

  /**
   * Finds the path without links, {@code .} and {@code ..} that names the same file. Linux
   * counterpart: realpath(3).
   *
   * @param image the image
   * @param path a path from the image's root
   * @return the path, which begins with a slash
   * @throws IOException as {@link #resolve(FsImage, FileName, boolean)} does
   */
  public static FileName realPath(FsImage image, FileName path) throws IOException {
    PathResolver resolver = new PathResolver(image, path);
    resolver.trail = new ArrayList<>();
    resolver.walk(image.root(), true);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (FileName each : resolver.trail) {
      bytes.write('/');
      bytes.writeBytes(each.bytes());
    }
    return bytes.size() == 0 ? FileName.of("/") : FileName.of(bytes.toByteArray());
  }

  private Inode walk(Inode start, boolean followLast) throws IOException {
    if (path.length() == 0) {
      throw new NoSuchFileException(described(), null, "an empty path names nothing");
    }
    Inode here = start;
    boolean folder = endsWithSlash();
    for (FileName name = nextName(); name != null; name = nextName()) {
      if (here.type() != FileType.DIRECTORY) {
        throw new NotDirectoryException(described());
      }
      if (name.equals(DOT)) {
        continue;
      }
      Inode found = lookUp(here, name);
      if (found.type() == FileType.SYMLINK && (followLast || folder || next < rest.length())) {
        here = follow(here, found);
        folder |= endsWithSlash();
      } else {
        here = found;
        leaveTrail(name);
      }
    }
    if (folder && here.type() != FileType.DIRECTORY) {
      throw new NotDirectoryException(described());
    }
    return here;
  }

  private void leaveTrail(FileName name) {
    if (trail != null && !name.equals(DOT_DOT)) {
      trail.add(name);
    } else if (trail != null && !trail.isEmpty()) {
      trail.removeLast();
    }
  }

  /** Takes the next name off the path and skips the slashes behind it; null if there is none. */
  private FileName nextName() {
    skipSlashes();
    int start = next;
    while (next < rest.length() && rest.at(next) != '/') {
      next++;
    }
    int end = next;
    skipSlashes();
    return start == end ? null : rest.part(start, end);
  }

  private void skipSlashes() {
    while (next < rest.length() && rest.at(next) == '/') {
      next++;
    }
  }

  /** A slash at the end demands a directory. */
  private boolean endsWithSlash() {
    return rest.at(rest.length() - 1) == '/';
  }

  /** Here {@code ..} is an entry like any other; that of the root names the root. */
  private Inode lookUp(Inode directory, FileName name) throws IOException {
    if (name.length() > MAX_NAME) {
      throw new FileSystemException(described(), null, "File name too long");
    }
    long number = image.find(directory, name);
    if (number < 0) {
      throw new NoSuchFileException(described(), null, "no such file: " + name);
    }
    return image.inode(number);
  }

  /** Puts a link's target in front of the names left, and returns the directory it starts from. */
  private Inode follow(Inode directory, Inode link) throws IOException {
    if (++links > MAX_LINKS) {
      throw new FileSystemLoopException(described());
    }
    FileName target = image.readLink(link);
    boolean absolute = target.at(0) == '/';
    if (next < rest.length()) {
      ByteArrayOutputStream both = new ByteArrayOutputStream();
      both.writeBytes(target.bytes());
      both.write('/');
      both.writeBytes(rest.part(next, rest.length()).bytes());
      target = FileName.of(both.toByteArray());
    }
    rest = target;
    next = 0;
    if (absolute && trail != null) {
      trail.clear();
    }
    return absolute ? image.root() : directory;
  }

  private String described() {
    return image.name() + ":" + path;
  }
}
