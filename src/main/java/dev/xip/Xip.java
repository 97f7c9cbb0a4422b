package dev.xip;

import dev.xip.image.CorruptImageException;
import dev.xip.image.FsInfo;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.ImageSource;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The front door for Java programs: an open file-system image, whose files are used where they lie,
 * without root, mount or copy.
 *
 * <pre>{@code
 * try (Xip image = Xip.open(Path.of("jdk.img"))) {
 *   MemorySegment modules = image.file("/lib/modules").memory();
 *   int magic = modules.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
 * }
 * }</pre>
 *
 * <p>Lifetimes: {@link #close} ends the files of this image and the memory that {@link
 * XipFile#memory} returned; a later use throws {@link IllegalStateException}, and never reads
 * unmapped memory. What {@link XipFile#map} returned lives as long as the caller's arena, whatever
 * becomes of this. The image file may be renamed, deleted or replaced by another one meanwhile: the
 * image stays the one that was opened. It must not be changed in place. If it is truncated, calls
 * that read it throw {@link CorruptImageException}, and loads from memory of its lost pages return
 * zeros; neither ends the JVM.
 *
 * <p>Safe for any number of threads, except that {@link #close} must come after their last use. For
 * directory trees, attributes and streams there is {@link
 * java.nio.file.FileSystems#newFileSystem(Path)}, which opens an image as well.
 */
public final class Xip implements AutoCloseable {
  private final OpenImage image;

  private Xip(OpenImage image) {
    this.image = image;
  }

  /**
   * Opens an image that is a whole file or block device.
   *
   * @param path its path
   * @return the image, to be closed
   * @throws NoSuchFileException if there is no such file
   * @throws FileSystemException if it is a disk with partitions, or has the magic numbers of
   *     several file systems; the text names the option that says which
   * @throws CorruptImageException if it is empty, no image, damaged, or of a kind that is not read
   * @throws IOException if the system refuses otherwise
   */
  public static Xip open(Path path) throws IOException {
    return open(path, Map.of());
  }

  /**
   * Opens an image that lies anywhere in a file or block device.
   *
   * @param path the path of the file or device
   * @param options text or numbers, as in the environment of {@link
   *     java.nio.file.FileSystems#newFileSystem(Path, Map)}: {@code partition}, that of a disk, as
   *     in {@code 2} or {@code label=root}; {@code offset} and {@code size}, where the image or
   *     disk lies in the file, in bytes; {@code format}, what an image with the magic numbers of
   *     several is read as; {@code recovery}, {@code none} if a journal is not to be replayed in
   *     memory
   * @return the image, to be closed
   * @throws IllegalArgumentException if an option is not known, or has a value that it cannot have
   * @throws IOException as {@link #open(Path)} does, or if there is no such place
   */
  public static Xip open(Path path, Map<String, ?> options) throws IOException {
    return new Xip(OpenImage.open(ImageSource.of(path, options)));
  }

  /**
   * Finds a file of any type. Symbolic links are followed inside the image.
   *
   * @param path the path from the image's root; a leading slash changes nothing
   * @return the file, valid until this is closed
   * @throws NoSuchFileException if there is none
   * @throws NotDirectoryException if something before the last name is not a directory
   * @throws FileSystemLoopException if the path leads through too many links
   * @throws IOException if the image is damaged there
   */
  public XipFile file(String path) throws IOException {
    Inode inode = PathResolver.resolve(image.image(), path, true);
    return new XipFile(image, path, inode);
  }

  /** {@return what the superblock says: format, block size, label and the like} */
  public FsInfo info() {
    return image.image().info();
  }

  /**
   * Unmaps and closes the image; a second time does nothing.
   *
   * @throws FileSystemException if the system refuses
   * @throws IOException if it cannot be closed
   */
  @Override
  public void close() throws IOException {
    image.close();
  }
}
