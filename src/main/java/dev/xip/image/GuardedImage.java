package dev.xip.image;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.LostPages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.ref.SoftReference;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What the readers of all formats have in common: each method that can throw turns a truncation of
 * the file underneath into a {@link CorruptImageException}, inodes of the wrong type are refused,
 * and recent directories are kept. A format reads its own structures in the methods that this
 * calls.
 */
public abstract class GuardedImage implements FsImage {
  /** A prime: the numbers of directories are often a fixed distance apart. */
  private static final int KNOWN_DIRECTORIES = 4093;

  /** The image's bytes. */
  protected final ByteView view;

  /**
   * Direct-mapped cache of recent directories, indexed by inode number modulo the length. The
   * collector takes them away before it lets the heap run out.
   */
  private final AtomicReferenceArray<SoftReference<DirectoryEntries>> directories =
      new AtomicReferenceArray<>(KNOWN_DIRECTORIES);

  /**
   * Prepares the reading of an image.
   *
   * @param view its bytes
   */
  protected GuardedImage(ByteView view) {
    this.view = view;
  }

  /** {@return the number of the root directory's inode} */
  protected abstract long rootNumber();

  /**
   * Decodes an inode.
   *
   * @param number its number
   * @return the inode
   * @throws IOException as {@link #inode} does
   */
  protected abstract Inode readInode(long number) throws IOException;

  /**
   * Opens a directory.
   *
   * @param directory the inode of a directory
   * @return its entries, which may be kept
   * @throws IOException if the map of its blocks is damaged
   */
  protected abstract DirectoryEntries openDirectory(Inode directory) throws IOException;

  /**
   * Reads the target of a symbolic link.
   *
   * @param link the inode of a symbolic link
   * @return the target
   * @throws IOException if the link is damaged
   */
  protected abstract FileName readTarget(Inode link) throws IOException;

  /**
   * Reads the extended attributes of a file.
   *
   * @param file its inode
   * @return the values by name, as {@link #extendedAttributes} returns them
   * @throws IOException if they are damaged
   */
  protected abstract SortedMap<FileName, byte[]> readAttributes(Inode file) throws IOException;

  /**
   * Reads where the bytes of a file lie.
   *
   * @param file the inode of a regular file or directory
   * @return its block map
   * @throws IOException if the map is damaged
   */
  protected abstract BlockMap readMap(Inode file) throws IOException;

  @Override
  public final String name() {
    return view.file();
  }

  @Override
  public final MemorySegment memory() {
    return view.memory();
  }

  @Override
  public final Inode root() throws IOException {
    Inode root = inode(rootNumber());
    if (root.type() != FileType.DIRECTORY) {
      throw view.malformed(
          root.offset(), "the root directory", "a file of type " + root.type().letter());
    }
    return root;
  }

  /** The inode of a directory that is kept is not decoded again, but a loss is looked for. */
  @Override
  public final Inode inode(long number) throws IOException {
    try {
      DirectoryEntries known = known(number);
      if (known == null || known.directory.number() != number) {
        return readInode(number);
      }
      LostPages.touch(view.memory());
      return known.directory;
    } finally {
      MemoryFaults.check(name(), memory());
    }
  }

  @Override
  public final void list(Inode directory, DirEntryVisitor visitor) throws IOException {
    guarded(
        () -> {
          entries(directory).list(visitor);
          return null;
        });
  }

  @Override
  public final long find(Inode directory, FileName name) throws IOException {
    try {
      return entries(directory).find(name);
    } finally {
      MemoryFaults.check(name(), memory());
    }
  }

  @Override
  public final FileName readLink(Inode link) throws IOException {
    if (link.type() != FileType.SYMLINK) {
      throw new NotLinkException(described(link));
    }
    return guarded(() -> readTarget(link));
  }

  @Override
  public final SortedMap<FileName, byte[]> extendedAttributes(Inode file) throws IOException {
    return guarded(() -> readAttributes(file));
  }

  /** Directories have maps too. The bytes of other files lie nowhere. */
  @Override
  public final BlockMap blockMap(Inode file) throws IOException {
    if (file.type() != FileType.REGULAR && file.type() != FileType.DIRECTORY) {
      return BlockMap.empty(Verdict.NOT_REGULAR);
    }
    try {
      return readMap(file);
    } finally {
      MemoryFaults.check(name(), memory());
    }
  }

  /**
   * Runs an operation, then checks that the whole image is still there.
   *
   * @param <T> its result
   * @param operation the operation
   * @return its result
   * @throws CorruptImageException if the image was cut, even if the operation threw
   * @throws IOException what the operation threw
   */
  protected final <T> T guarded(MemoryFaults.Operation<T> operation) throws IOException {
    return MemoryFaults.guarded(name(), memory(), operation);
  }

  private DirectoryEntries entries(Inode directory) throws IOException {
    if (directory.type() != FileType.DIRECTORY) {
      throw new NotDirectoryException(described(directory));
    }
    DirectoryEntries known = known(directory.number());
    if (known != null && known.isOf(directory)) {
      return known;
    }
    DirectoryEntries opened = openDirectory(directory);
    directories.set(slot(directory.number()), new SoftReference<>(opened));
    return opened;
  }

  /** The directory that is kept in the slot of an inode, which may be another; null if none is. */
  private DirectoryEntries known(long inode) {
    SoftReference<DirectoryEntries> kept = directories.get(slot(inode));
    return kept == null ? null : kept.get();
  }

  private static int slot(long inode) {
    return (int) Long.remainderUnsigned(inode, KNOWN_DIRECTORIES);
  }

  private String described(Inode inode) {
    return "%s: inode %d".formatted(name(), inode.number());
  }
}
