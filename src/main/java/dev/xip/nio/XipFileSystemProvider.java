package dev.xip.nio;

import dev.xip.mount.ImageProbe;
import dev.xip.mount.ImageSource;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;

/**
 * The provider of the files in images. {@link FileSystems#newFileSystem(Path)} opens an image that
 * it knows by its magic number, and leaves every other file to other providers. What would change a
 * file throws {@link ReadOnlyFileSystemException}. Files are read as by root, whatever their modes.
 * A file that is cut while it is mapped, and every other damage of the image, gives a {@link
 * dev.xip.image.CorruptImageException}, which is an {@link IOException}. As on a mount, a directory
 * whose path has more than 4095 bytes is not listed.
 *
 * <p>A {@code xip:} URI is {@code xip:}, the URI of the image's file, a colon and the path in the
 * image: {@code xip:file:///srv/debian.img:/usr/bin/env}. Colons of names are written {@code %3A}.
 *
 * <p>An environment may hold, as text or as numbers: {@code partition}, that of a disk, as in
 * {@code 2} or {@code label=root}; {@code offset} and {@code size}, where the image or disk lies in
 * the file, in bytes; {@code format}, what an image with several magic numbers is read as; {@code
 * recovery}, {@code none} if a journal is not to be replayed in memory. A URI has them behind the
 * file: {@code xip:file:///srv/disk.img:2:/etc}, {@code
 * xip:file:///srv/flash.bin:offset=65536:/etc}.
 */
public final class XipFileSystemProvider extends FileSystemProvider {
  /** One for all providers of a class loader: each use of ServiceLoader makes another. */
  private static final OpenFileSystems REGISTRY = new OpenFileSystems();

  /** Makes a provider. Called by {@link java.util.ServiceLoader}. */
  public XipFileSystemProvider() {}

  OpenFileSystems registry() {
    return REGISTRY;
  }

  @Override
  public String getScheme() {
    return ImageUri.SCHEME;
  }

  /**
   * Opens the file system of an image, which {@link #getFileSystem} finds until it is closed.
   *
   * @param uri a URI of the image or of a file in it
   * @param env where the image lies, if the URI does not say so
   * @return the file system, to be closed
   * @throws java.nio.file.FileSystemAlreadyExistsException if there is one for the image
   * @throws dev.xip.image.CorruptImageException if the file is no image, or one that is not read
   * @throws IOException if it cannot be read
   */
  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> env) throws IOException {
    ImageName image = ImageUri.of(uri).image().with(env);
    return REGISTRY.add(image, () -> XipFileSystem.open(this, image));
  }

  /**
   * Opens the file system of an image, which no URI finds. Several on one image are independent. A
   * file that surely is for this provider, but that it cannot open as it is, gives an exception
   * that says what would work: a disk of which a partition holds an image, and a file named .ext2,
   * .ext3, .ext4 or .erofs. Every other file is left to other providers.
   *
   * @param path the image's file or block device
   * @param env where in it the image lies; magic numbers are not asked then
   * @return the file system, to be closed
   * @throws UnsupportedOperationException if it is to be left to other providers, or is no file of
   *     the default file system
   * @throws FileSystemException if it is a disk, and the environment names no partition
   * @throws dev.xip.image.CorruptImageException if it is an image that is not read
   * @throws IOException if it cannot be read
   */
  @Override
  public FileSystem newFileSystem(Path path, Map<String, ?> env) throws IOException {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new UnsupportedOperationException(path.toUri() + ": not a file of the host");
    }
    ImageName image = new ImageName(path, new TreeMap<>()).with(env);
    if (!image.isPlaced()) {
      requireImage(path, ImageProbe.of(image.source()));
    }
    return XipFileSystem.open(this, image);
  }

  private static void requireImage(Path path, ImageProbe probe) throws IOException {
    if (probe.isImage() || hasNameOfImage(path)) {
      return;
    }
    String disk = probe.diskOfImages();
    if (disk == null) {
      throw new UnsupportedOperationException(path + ": not a file-system image");
    }
    throw new FileSystemException(
        path.toString(),
        null,
        "is a disk with partitions (%s): the environment names one, as in Map.of(\"%s\", 1)"
            .formatted(disk, ImageSource.PARTITION));
  }

  /** As the provider of zip files does with those named .zip and .jar. */
  private static boolean hasNameOfImage(Path path) {
    return path.toString().matches("(?s).*\\.(ext[234]|erofs)") && Files.isRegularFile(path);
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    return opened(ImageUri.of(uri));
  }

  private static XipFileSystem opened(ImageUri uri) {
    XipFileSystem known = REGISTRY.find(uri.image());
    if (known == null) {
      throw new FileSystemNotFoundException(
          uri.image() + ": no image that newFileSystem(URI) has opened");
    }
    return known;
  }

  /**
   * Returns the path that a URI names.
   *
   * @param uri a URI with a path in the image
   * @return the path
   * @throws IllegalArgumentException if the URI has another form
   * @throws java.nio.file.FileSystemNotFoundException if {@link #newFileSystem(URI, Map)} has not
   *     opened the image, or its file system is closed
   */
  @Override
  public Path getPath(URI uri) {
    ImageUri parts = ImageUri.of(uri);
    if (parts.path() == null) {
      throw new IllegalArgumentException(uri + ": expected a colon and a path after the image");
    }
    return opened(parts).path(parts.path());
  }

  /**
   * Opens a file for reading. An interrupt does not close the channel: {@code Files.readAllBytes}
   * and {@code readString} read through it, and other providers let interrupted threads read.
   */
  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    Options.requireNoNull(attributes);
    return open(path, options, ImageChannels::openUninterruptible);
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    Options.requireNoNull(attributes);
    return open(path, options, ImageChannels::open);
  }

  /**
   * Opens a file for reading in other threads.
   *
   * @param executor runs the reads and handlers; null for daemon threads of this provider
   */
  @Override
  public AsynchronousFileChannel newAsynchronousFileChannel(
      Path path,
      Set<? extends OpenOption> options,
      ExecutorService executor,
      FileAttribute<?>... attributes)
      throws IOException {
    Options.requireNoNull(attributes);
    return open(
        path, options, (channels, name, file) -> channels.openAsynchronous(name, file, executor));
  }

  @Override
  public InputStream newInputStream(Path path, OpenOption... options) throws IOException {
    Set<OpenOption> set = Set.copyOf(List.of(options));
    if (set.contains(StandardOpenOption.WRITE) || set.contains(StandardOpenOption.APPEND)) {
      throw new UnsupportedOperationException("a stream to read from cannot write");
    }
    return open(path, set, ImageChannels::openStream);
  }

  private static <T> T open(
      Path path, Set<? extends OpenOption> options, XipFileSystem.Opening<T> opening)
      throws IOException {
    XipPath own = XipPath.of(path);
    Options.requireReading(options);
    boolean follows = !options.contains(LinkOption.NOFOLLOW_LINKS);
    return own.getFileSystem().open(own, follows, opening);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path directory, DirectoryStream.Filter<? super Path> filter) throws IOException {
    XipPath own = XipPath.of(directory);
    return own.getFileSystem().list(own, Objects.requireNonNull(filter));
  }

  @Override
  public Path readSymbolicLink(Path link) throws IOException {
    XipPath own = XipPath.of(link);
    return own.getFileSystem().linkTarget(own);
  }

  @Override
  public boolean isSameFile(Path path, Path other) throws IOException {
    XipPath own = XipPath.of(path);
    if (own.equals(Objects.requireNonNull(other))) {
      return true;
    }
    return other instanceof XipPath second
        && attributes(own).fileKey().equals(attributes(second).fileKey());
  }

  @Override
  public boolean isHidden(Path path) {
    XipPath name = XipPath.of(path).getFileName();
    return name != null && name.bytes().length() > 0 && name.bytes().at(0) == '.';
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    XipPath own = XipPath.of(path);
    attributes(own);
    return new XipFileStore(own.getFileSystem());
  }

  /**
   * Checks that a file exists and can be used in some ways.
   *
   * @throws NoSuchFileException if there is no such file
   * @throws AccessDeniedException if it is to be written, or to be executed and no user may
   */
  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    XipFileAttributes file = attributes(XipPath.of(path));
    for (AccessMode each : modes) {
      if (each == AccessMode.WRITE) {
        throw new AccessDeniedException(path.toString(), null, "an image is read-only");
      }
      if (each == AccessMode.EXECUTE && !file.isExecutable()) {
        throw new AccessDeniedException(path.toString(), null, "no user may execute it");
      }
    }
  }

  private static XipFileAttributes attributes(XipPath path) throws IOException {
    return new FileReference(path, true).attributes();
  }

  private static FileReference file(Path path, LinkOption... options) {
    return new FileReference(XipPath.of(path), Options.followsLinks(options));
  }

  @Override
  public <V extends FileAttributeView> V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return AttributeViews.of(file(path, options), Objects.requireNonNull(type));
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    if (type != BasicFileAttributes.class && type != PosixFileAttributes.class) {
      throw new UnsupportedOperationException(
          "%s: expected BasicFileAttributes or PosixFileAttributes"
              .formatted(Objects.requireNonNull(type).getName()));
    }
    return type.cast(file(path, options).attributes());
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
      throws IOException {
    return NamedAttributes.read(file(path, options), attributes);
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options) {
    XipPath.of(path);
    NamedAttributes.require(attribute);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void createDirectory(Path directory, FileAttribute<?>... attributes) {
    XipPath.of(directory);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void createSymbolicLink(Path link, Path target, FileAttribute<?>... attributes) {
    XipPath.of(link);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void createLink(Path link, Path existing) {
    XipPath.of(link);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void delete(Path path) {
    XipPath.of(path);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public boolean deleteIfExists(Path path) {
    XipPath.of(path);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void copy(Path source, Path target, CopyOption... options) {
    XipPath.of(source);
    XipPath.of(target);
    throw new ReadOnlyFileSystemException();
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) {
    XipPath.of(source);
    XipPath.of(target);
    throw new ReadOnlyFileSystemException();
  }
}
