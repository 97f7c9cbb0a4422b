package dev.xip.nio;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.PathResolver;
import dev.xip.mount.ImagePiece;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.net.URI;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The files of one image. Safe for any number of threads, also while one of them closes it: readers
 * take no lock, because the memory of the image itself refuses a load that comes after its end.
 */
final class XipFileSystem extends FileSystem {
  private static final AtomicLong SERIALS = new AtomicLong();

  private final XipFileSystemProvider provider;
  private final String uriPrefix;
  private final XipFileAttributes.Volume volume;
  private final FsImage image;
  private final ImageChannels channels;
  private final long serial = SERIALS.incrementAndGet();

  /** Set before the image is unmapped. */
  private volatile boolean closed;

  /**
   * Opens a file.
   *
   * @param <T> what the caller reads it through
   */
  interface Opening<T> {
    T of(ImageChannels channels, String name, Inode file) throws IOException;
  }

  private XipFileSystem(XipFileSystemProvider provider, String uriPrefix, OpenImage open) {
    this.provider = provider;
    this.uriPrefix = uriPrefix;
    this.image = open.image();
    this.channels = new ImageChannels(open);
    ImagePiece piece = open.pieces().getFirst();
    this.volume = XipFileAttributes.Volume.of(piece.key(), piece.fileOffset());
  }

  /** Opens the file system of an image. */
  static XipFileSystem open(XipFileSystemProvider provider, ImageName image) throws IOException {
    return new XipFileSystem(provider, image.uriPrefix(), OpenImage.open(image.source()));
  }

  /** {@return the image, which does not know whether this is open} */
  FsImage image() {
    return image;
  }

  /** {@return the image, told from all others} */
  XipFileAttributes.Volume volume() {
    return volume;
  }

  /** {@return a number that no other file system of this JVM has} */
  long serial() {
    return serial;
  }

  /** {@return the URI of a file; that of a directory ends in a slash} */
  URI uriOf(XipPath path) {
    XipPath absolute = path.toAbsolutePath();
    String text = uriPrefix + ImageUri.encoded(absolute.bytes());
    return URI.create(absolute.getNameCount() > 0 && isDirectory(absolute) ? text + "/" : text);
  }

  private static boolean isDirectory(XipPath path) {
    try {
      return new FileReference(path, true).attributes().isDirectory();
    } catch (IOException | ClosedFileSystemException e) {
      return false;
    }
  }

  /**
   * Throws if this is closed.
   *
   * @throws ClosedFileSystemException if it is
   */
  void requireOpen() {
    if (closed) {
      throw new ClosedFileSystemException();
    }
  }

  /**
   * Runs an operation that reads the image.
   *
   * @param <T> its result
   * @param path what the caller asked for, named by what is thrown
   * @param operation the operation
   * @return its result
   * @throws ClosedFileSystemException if this is closed, or was during the operation
   * @throws IOException what the operation threw
   */
  <T> T reading(XipPath path, MemoryFaults.Operation<T> operation) throws IOException {
    requireOpen();
    try {
      T result = operation.run();
      // A loss of pages is forgotten when they are unmapped: what was read since is not believed.
      requireOpen();
      return result;
    } catch (IllegalStateException e) {
      requireOpen();
      throw e;
    } catch (FileSystemException e) {
      requireOpen();
      throw Failures.naming(path.toString(), e);
    }
  }

  /**
   * Finds an inode. Precondition: called inside {@link #reading}.
   *
   * @param path the path
   * @param follows whether a symbolic link at its end is followed
   * @return the inode that it names
   * @throws IOException if there is none, or the image is damaged
   */
  Inode inode(XipPath path, boolean follows) throws IOException {
    Inode named = named(path, true);
    return follows && named.type() == FileType.SYMLINK
        ? PathResolver.resolve(image, path.toAbsolutePath().bytes(), true)
        : named;
  }

  /**
   * Finds what a path names once, a link at its end not followed.
   *
   * @param fromFolder whether the look-up may start in the directory that the path was resolved
   *     against
   */
  private Inode named(XipPath path, boolean fromFolder) throws IOException {
    if (path.isKnown()) {
      return image.inode(path.inode());
    }
    Inode start = fromFolder && path.folder() != null ? named(path.folder(), false) : null;
    Inode found =
        start != null && start.type() == FileType.DIRECTORY
            ? PathResolver.resolve(image, start, path.belowFolder(), false)
            : PathResolver.resolve(image, path.toAbsolutePath().bytes(), false);
    path.naming(found.number());
    return found;
  }

  /** Opens a file with the channels of this file system. */
  <T> T open(XipPath path, boolean follows, Opening<T> opening) throws IOException {
    return reading(path, () -> opening.of(channels, path.toString(), inode(path, follows)));
  }

  /** Opens a stream of the files in a directory. */
  DirectoryStream<Path> list(XipPath directory, DirectoryStream.Filter<? super Path> filter)
      throws IOException {
    return reading(
        directory,
        () -> {
          ListedNames names = new ListedNames();
          Inode listed = inode(directory, true);
          // Not at the end of a link, which may lead to any directory.
          boolean direct = directory.inode() == listed.number();
          requireNotInside(listed, direct ? directory : null);
          requireShort(directory);
          image.list(
              listed,
              (name, number, type) -> {
                if (!name.equals(PathNames.DOT) && !name.equals(PathNames.DOT_DOT)) {
                  names.add(name, number);
                }
                return true;
              });
          return new XipDirectoryStream(directory, direct, names, filter);
        });
  }

  /**
   * A directory that lies in itself has no end. Linux counterpart: fs/dcache.c:d_splice_alias,
   * which finds an alias that is an ancestor.
   */
  private void requireNotInside(Inode directory, XipPath path) throws CorruptImageException {
    XipPath up = path == null ? null : path.holder();
    while (up != null && up.inode() != directory.number()) {
      up = up.holder();
    }
    if (up != null) {
      throw new CorruptImageException(
          image.name(),
          directory.offset(),
          "a directory with one name",
          "inode %d inside itself, as %s and %s".formatted(directory.number(), up, path));
    }
  }

  /** Each name of a chain of directories is in the paths of all below it: these are too many. */
  private static void requireShort(XipPath directory) throws FileSystemException {
    if (directory.bytes().length() > PathNames.MOST_BYTES) {
      throw new FileSystemException(directory.toString(), null, "File name too long");
    }
  }

  /** Reads the target of a symbolic link. */
  XipPath linkTarget(XipPath link) throws IOException {
    FileName target = reading(link, () -> image.readLink(inode(link, false)));
    return new XipPath(this, PathNames.tidy(target));
  }

  /**
   * Makes the path without links, {@code .} and {@code ..} that names the same file.
   *
   * @param path the path
   * @param follows whether links are followed; if not, {@code ..} after a link stays
   * @return the path
   * @throws IOException if there is no such file, or the image is damaged
   */
  XipPath realPath(XipPath path, boolean follows) throws IOException {
    XipPath absolute = path.toAbsolutePath();
    if (follows) {
      return new XipPath(this, reading(path, () -> PathResolver.realPath(image, absolute.bytes())));
    }
    XipPath real = absolute.getRoot();
    for (Path each : absolute) {
      FileName name = ((XipPath) each).bytes();
      if (name.equals(PathNames.DOT_DOT) && !endsAtLinkOrDots(real)) {
        real = real.getParent() == null ? real : real.getParent();
      } else if (!name.equals(PathNames.DOT)) {
        real = real.resolve(name);
      }
    }
    new FileReference(real, false).attributes();
    return real;
  }

  private static boolean endsAtLinkOrDots(XipPath path) throws IOException {
    XipPath last = path.getFileName();
    return last != null
        && (last.bytes().equals(PathNames.DOT_DOT)
            || new FileReference(path, false).attributes().isSymbolicLink());
  }

  @Override
  public XipFileSystemProvider provider() {
    return provider;
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public boolean isReadOnly() {
    return true;
  }

  @Override
  public String getSeparator() {
    return "/";
  }

  @Override
  public Iterable<Path> getRootDirectories() {
    return List.of(root());
  }

  /** {@return the root directory} */
  XipPath root() {
    return new XipPath(this, PathNames.ROOT);
  }

  @Override
  public Iterable<FileStore> getFileStores() {
    requireOpen();
    return List.of(new XipFileStore(this));
  }

  @Override
  public Set<String> supportedFileAttributeViews() {
    return NamedAttributes.views();
  }

  /**
   * Makes a path.
   *
   * @param first the path or its first part, in which a lone surrogate U+DC80 to U+DCFF stands for
   *     a byte that is not UTF-8
   * @param more further parts, put together with slashes
   * @return the path
   * @throws java.nio.file.InvalidPathException if it holds NUL or another lone surrogate
   */
  @Override
  public XipPath getPath(String first, String... more) {
    if (more.length == 0) {
      return path(PathNames.parse(first));
    }
    StringBuilder text = new StringBuilder(first);
    for (String part : more) {
      if (!part.isEmpty()) {
        text.append(text.isEmpty() ? "" : "/").append(part);
      }
    }
    return path(PathNames.parse(text.toString()));
  }

  /** {@return a path of bytes in the form of {@link PathNames}} */
  XipPath path(FileName bytes) {
    return new XipPath(this, bytes);
  }

  /** {@return a matcher of the text of paths, as the default file system makes it} */
  @Override
  public PathMatcher getPathMatcher(String syntaxAndPattern) {
    return FileSystems.getDefault().getPathMatcher(syntaxAndPattern);
  }

  /** {@return a service that knows each number as the name of a user and of a group} */
  @Override
  public UserPrincipalLookupService getUserPrincipalLookupService() {
    return Principals.LOOKUP;
  }

  /**
   * Not supported: files of an image do not change.
   *
   * @throws UnsupportedOperationException always
   */
  @Override
  public WatchService newWatchService() {
    throw new UnsupportedOperationException("files of an image do not change");
  }

  /**
   * Closes the channels and unmaps the image. Operations that run meanwhile, and all later ones,
   * throw {@link ClosedFileSystemException}; a second call does nothing.
   */
  @Override
  public void close() throws IOException {
    closed = true;
    provider.registry().remove(this);
    channels.close();
  }

  @Override
  public String toString() {
    return image.name();
  }
}
