package dev.xip.nio;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * The files of one directory, in the order of the image. They were read when the stream was opened;
 * the filter is asked as the iterator goes on. When the file system is closed, what is left throws
 * {@link java.nio.file.ClosedFileSystemException}. Safe for several threads.
 */
final class XipDirectoryStream implements DirectoryStream<Path> {
  private final XipPath directory;

  /** Whether the path of the directory does not end in a link. */
  private final boolean direct;

  /** Guarded by the monitor of the iterator, of which there is one. */
  private final ListedNames names;

  private final Filter<? super Path> filter;
  private boolean iterated;
  private volatile boolean closed;

  XipDirectoryStream(
      XipPath directory, boolean direct, ListedNames names, Filter<? super Path> filter) {
    this.directory = directory;
    this.direct = direct;
    this.names = names;
    this.filter = filter;
  }

  @Override
  public synchronized Iterator<Path> iterator() {
    directory.getFileSystem().requireOpen();
    if (closed) {
      throw new IllegalStateException("the directory stream is closed");
    }
    if (iterated) {
      throw new IllegalStateException("the directory stream has had its iterator");
    }
    iterated = true;
    return new Entries();
  }

  @Override
  public void close() {
    closed = true;
  }

  private final class Entries implements Iterator<Path> {
    private XipPath next;

    @Override
    public synchronized boolean hasNext() {
      return advance();
    }

    private boolean advance() {
      while (next == null && !closed && names.next()) {
        // A list that ended here would look like a whole one.
        directory.getFileSystem().requireOpen();
        XipPath file = directory.resolve(names.name()).listed(direct, names.inode());
        next = accepts(file) ? file : null;
      }
      return next != null;
    }

    @Override
    public synchronized Path next() {
      if (!advance()) {
        throw new NoSuchElementException();
      }
      XipPath file = next;
      next = null;
      return file;
    }
  }

  private boolean accepts(Path file) {
    try {
      return filter.accept(file);
    } catch (IOException e) {
      throw new DirectoryIteratorException(e);
    }
  }
}
