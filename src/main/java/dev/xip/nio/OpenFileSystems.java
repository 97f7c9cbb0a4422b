package dev.xip.nio;

import java.io.IOException;
import java.nio.file.FileSystemAlreadyExistsException;
import java.util.HashMap;
import java.util.Map;

/** Open file systems by image. Safe for any number of threads. */
final class OpenFileSystems {
  private final Map<ImageName, XipFileSystem> byImage = new HashMap<>();

  /** Opens a file system. */
  interface Opener {
    XipFileSystem open() throws IOException;
  }

  /**
   * Opens the file system of an image.
   *
   * @throws FileSystemAlreadyExistsException if there is one
   */
  synchronized XipFileSystem add(ImageName image, Opener opener) throws IOException {
    if (find(image) != null) {
      throw new FileSystemAlreadyExistsException(image.toString());
    }
    return getOrAdd(image, opener);
  }

  /** Finds the file system of an image, or opens it. */
  synchronized XipFileSystem getOrAdd(ImageName image, Opener opener) throws IOException {
    ImageName name = image.real();
    XipFileSystem known = byImage.get(name);
    if (known == null) {
      known = opener.open();
      byImage.put(name, known);
    }
    return known;
  }

  /** {@return the file system of an image, or null if there is none} */
  synchronized XipFileSystem find(ImageName image) {
    try {
      return byImage.get(image.real());
    } catch (IOException e) {
      return null;
    }
  }

  synchronized void remove(XipFileSystem fileSystem) {
    byImage.values().remove(fileSystem);
  }
}
