package dev.xip.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;

/** Turns a failure into the one line that the user sees. */
final class Failure {
  private Failure() {}

  /** {@return whether the reader of the output closed the pipe, which is not an error} */
  static boolean isClosedPipe(Throwable failure) {
    return failure instanceof IOException && "Broken pipe".equals(failure.getMessage());
  }

  /**
   * {@return the message of a failure in one line, without the prefix {@code xip:}}
   *
   * @param failure the exception
   */
  static String line(Throwable failure) {
    String text =
        switch (failure) {
          case FileSystemException e -> ofFile(e);
          case ClosedByInterruptException e -> "interrupted";
          case InterruptedException e -> "interrupted";
          case UncheckedIOException e -> line(e.getCause());
          case IOException e when e.getMessage() != null -> e.getMessage();
          case OutOfMemoryError e -> "out of memory: " + e.getMessage();
          default ->
              "internal error: %s (--verbose shows where)"
                  .formatted(
                      failure.getMessage() == null
                          ? failure.getClass().getName()
                          : failure.getClass().getSimpleName() + ": " + failure.getMessage());
        };
    return Printable.onOneLine(text);
  }

  private static String ofFile(FileSystemException e) {
    String reason =
        switch (e) {
          case NoSuchFileException n -> "No such file or directory";
          case NotDirectoryException n -> "Not a directory";
          case FileSystemLoopException n -> "Too many levels of symbolic links";
          case AccessDeniedException n -> "Permission denied";
          case FileAlreadyExistsException n -> "File exists";
          case DirectoryNotEmptyException n -> "Directory not empty";
          case NotLinkException n -> "Not a symbolic link";
          default -> e.getReason();
        };
    if (reason == null) {
      reason = e.getClass().getSimpleName();
    }
    return e.getFile() == null ? reason : e.getFile() + ": " + reason;
  }
}
