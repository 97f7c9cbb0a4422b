package dev.xip.nio;

import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;

/** Failures of an image's reader as programs expect them of a provider. */
final class Failures {
  private Failures() {}

  /**
   * Names the path that the caller asked for, by which programs know it, in place of that in the
   * image. Damage keeps the name of the image, in which its offset lies.
   */
  static FileSystemException naming(String file, FileSystemException cause) {
    FileSystemException named =
        switch (cause) {
          case NoSuchFileException e -> new NoSuchFileException(file);
          case NotDirectoryException e -> new NotDirectoryException(file);
          case NotLinkException e -> new NotLinkException(file);
          case FileSystemLoopException e -> new FileSystemLoopException(file);
          default ->
              cause.getClass() == FileSystemException.class
                  ? new FileSystemException(file, cause.getOtherFile(), cause.getReason())
                  : cause;
        };
    if (named != cause) {
      named.initCause(cause);
    }
    return named;
  }
}
