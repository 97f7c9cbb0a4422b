package dev.xip.machine;

import dev.xip.base.Access;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostMapping;
import dev.xip.host.Sharing;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * An image file in use: opened once, mapped once, read-only and shared, and read as the format that
 * its magic number names. Safe for any number of threads until it is closed.
 */
public final class ImageMount implements AutoCloseable {
  private final HostFile file;
  private final HostMapping mapping;
  private final FsImage image;

  private ImageMount(HostFile file, HostMapping mapping, FsImage image) {
    this.file = file;
    this.mapping = mapping;
    this.image = image;
  }

  /**
   * Opens an image.
   *
   * @param path the image file
   * @return the mount, to be closed
   * @throws NoSuchFileException if there is no such file
   * @throws AccessDeniedException if it may not be read
   * @throws CorruptImageException if it is empty, no image, damaged, or of a kind that is not read
   * @throws IOException if the system refuses otherwise
   */
  public static ImageMount open(Path path) throws IOException {
    HostFile file = openFile(path);
    HostMapping mapping = null;
    try {
      long size = file.size();
      if (size == 0) {
        throw new CorruptImageException(path.toString(), 0, "a file-system image", "an empty file");
      }
      mapping = HostMapping.map(file, 0, size, Access.READ, Sharing.SHARED);
      return new ImageMount(file, mapping, ImageFormats.open(path.toString(), mapping.memory()));
    } catch (IOException | RuntimeException | Error e) {
      if (mapping != null) {
        mapping.close();
      }
      file.close();
      throw e;
    }
  }

  private static HostFile openFile(Path path) throws IOException {
    try {
      return HostFile.openReadOnly(path);
    } catch (HostException e) {
      FileSystemException known =
          switch (e.errno()) {
            case ENOENT -> new NoSuchFileException(path.toString());
            case ENOTDIR -> new NotDirectoryException(path.toString());
            case EACCES, EPERM -> new AccessDeniedException(path.toString());
            case EISDIR -> new FileSystemException(path.toString(), null, "Is a directory");
            case ENODEV -> new FileSystemException(path.toString(), null, "Not a regular file");
            default -> new FileSystemException(path.toString(), null, e.getMessage());
          };
      known.initCause(e);
      throw known;
    }
  }

  /**
   * Returns the image.
   *
   * @return the image, valid until this is closed
   */
  public FsImage image() {
    return image;
  }

  /**
   * Opens another channel on the very file that is mapped, whatever has its name now.
   *
   * @return a channel for reading, to be closed by the caller
   * @throws IOException if the system refuses
   */
  public FileChannel channel() throws IOException {
    return FileChannel.open(file.descriptorPath(), StandardOpenOption.READ);
  }

  /** Unmaps and closes the file; a second time does nothing. The image must no longer be used. */
  @Override
  public void close() {
    mapping.close();
    file.close();
  }
}
