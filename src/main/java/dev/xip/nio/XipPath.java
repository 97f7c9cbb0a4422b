package dev.xip.nio;

import dev.xip.base.FileName;
import java.io.IOException;
import java.net.URI;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Objects;

/**
 * A path in an image: bytes, which need not be UTF-8. Its text shows each byte that is not as a
 * lone surrogate, so that {@link XipFileSystem#getPath} makes the same path of it. A relative path
 * starts from the root.
 */
final class XipPath implements Path {
  /** No inode has this number. */
  private static final long NOT_KNOWN = 0;

  private final XipFileSystem fileSystem;
  private final FileName bytes;

  /** The path that this was resolved against, from which a look-up starts; null if none. */
  private final XipPath folder;

  /**
   * The number of the inode that the path names, its last link not followed: an image does not
   * change, so it is looked up once. Two threads may both look it up.
   */
  private volatile long inode;

  /** Whether this was found in the list of {@link #folder}; written before {@link #inode}. */
  private boolean isListed;

  /** Made when first needed. */
  private volatile int[] offsets;

  /** Made when first needed. */
  private String text;

  /** Makes a path of bytes in the form of {@link PathNames}. */
  XipPath(XipFileSystem fileSystem, FileName bytes) {
    this(fileSystem, bytes, null);
  }

  private XipPath(XipFileSystem fileSystem, FileName bytes, XipPath folder) {
    this.fileSystem = fileSystem;
    this.bytes = bytes;
    this.folder = folder;
  }

  /**
   * Checks that a path is of an image.
   *
   * @throws ProviderMismatchException if it is not
   */
  static XipPath of(Path path) {
    if (Objects.requireNonNull(path) instanceof XipPath own) {
      return own;
    }
    throw new ProviderMismatchException(
        "%s: expected a path in an image, not %s".formatted(path, path.getClass().getName()));
  }

  /** {@return the bytes} */
  FileName bytes() {
    return bytes;
  }

  /** {@return whether {@link #inode} is known} */
  boolean isKnown() {
    return inode != NOT_KNOWN;
  }

  /** {@return the number of the inode that it names} */
  long inode() {
    return inode;
  }

  /** Remembers what it names. */
  XipPath naming(long number) {
    inode = number;
    return this;
  }

  /** Remembers what it names, and whether it was found in the list of {@link #folder}. */
  XipPath listed(boolean inFolder, long number) {
    isListed = inFolder;
    return naming(number);
  }

  /** {@return the directory in whose list this was found, null if it was in none} */
  XipPath holder() {
    return isListed ? folder : null;
  }

  private XipPath with(FileName other) {
    return other.equals(bytes) ? this : new XipPath(fileSystem, other);
  }

  private int[] offsets() {
    if (offsets == null) {
      offsets = PathNames.offsets(bytes);
    }
    return offsets;
  }

  @Override
  public XipFileSystem getFileSystem() {
    return fileSystem;
  }

  @Override
  public boolean isAbsolute() {
    return PathNames.isAbsolute(bytes);
  }

  @Override
  public XipPath getRoot() {
    return isAbsolute() ? with(PathNames.ROOT) : null;
  }

  @Override
  public XipPath getFileName() {
    int count = getNameCount();
    return count == 0 ? null : getName(count - 1);
  }

  @Override
  public XipPath getParent() {
    int count = getNameCount();
    if (count == 0) {
      return null;
    }
    int end = offsets()[count - 1] - 1;
    return end <= 0 ? getRoot() : with(bytes.part(0, end));
  }

  @Override
  public int getNameCount() {
    return offsets().length;
  }

  @Override
  public XipPath getName(int index) {
    return subpath(index, index + 1);
  }

  @Override
  public XipPath subpath(int beginIndex, int endIndex) {
    int[] starts = offsets();
    if (beginIndex < 0 || beginIndex >= endIndex || endIndex > starts.length) {
      throw new IllegalArgumentException(
          "names %d to %d of %s, which has %d"
              .formatted(beginIndex, endIndex, this, starts.length));
    }
    int end = endIndex == starts.length ? bytes.length() : starts[endIndex] - 1;
    return with(bytes.part(starts[beginIndex], end));
  }

  @Override
  public boolean startsWith(Path other) {
    return Objects.requireNonNull(other) instanceof XipPath own
        && own.fileSystem == fileSystem
        && PathNames.startsWith(bytes, own.bytes);
  }

  @Override
  public boolean endsWith(Path other) {
    return Objects.requireNonNull(other) instanceof XipPath own
        && own.fileSystem == fileSystem
        && PathNames.endsWith(bytes, own.bytes);
  }

  @Override
  public XipPath normalize() {
    return with(PathNames.normalize(bytes));
  }

  @Override
  public XipPath resolve(Path other) {
    XipPath own = of(other);
    return own.isAbsolute() ? own : resolve(own.bytes);
  }

  @Override
  public XipPath resolve(String other) {
    FileName names = PathNames.parse(other);
    return PathNames.isAbsolute(names) ? new XipPath(fileSystem, names) : resolve(names);
  }

  /** Appends names as an image holds them, without a slash in front. */
  XipPath resolve(FileName names) {
    return names.length() == 0
        ? this
        : new XipPath(fileSystem, PathNames.resolve(bytes, names), this);
  }

  /** {@return the path that this one was resolved against, or null} */
  XipPath folder() {
    return folder;
  }

  /** {@return what was appended to {@link #folder}} */
  FileName belowFolder() {
    int length = folder.bytes.length();
    boolean slash = length > 0 && folder.bytes.at(length - 1) != '/';
    return bytes.part(slash ? length + 1 : length, bytes.length());
  }

  @Override
  public XipPath relativize(Path other) {
    XipPath own = of(other);
    if (own.fileSystem != fileSystem) {
      throw new IllegalArgumentException(
          "%s and %s: expected paths of one file system".formatted(toUri(), own.toUri()));
    }
    return with(PathNames.relativize(bytes, own.bytes));
  }

  @Override
  public URI toUri() {
    return fileSystem.uriOf(this);
  }

  @Override
  public XipPath toAbsolutePath() {
    return isAbsolute() ? this : with(PathNames.resolve(PathNames.ROOT, bytes));
  }

  @Override
  public XipPath toRealPath(LinkOption... options) throws IOException {
    return fileSystem.realPath(this, Options.followsLinks(options));
  }

  /**
   * Not supported: files of an image do not change.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public WatchKey register(
      WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
    Objects.requireNonNull(watcher);
    throw new UnsupportedOperationException("files of an image do not change");
  }

  @Override
  public int compareTo(Path other) {
    XipPath own = (XipPath) other;
    int order = bytes.compareTo(own.bytes);
    return order != 0 ? order : Long.compare(fileSystem.serial(), own.fileSystem.serial());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof XipPath own && own.fileSystem == fileSystem && own.bytes.equals(bytes);
  }

  @Override
  public int hashCode() {
    return bytes.hashCode();
  }

  @Override
  public String toString() {
    if (text == null) {
      text = bytes.exactText();
    }
    return text;
  }
}
