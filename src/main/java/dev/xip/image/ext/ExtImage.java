package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.DirEntryVisitor;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.FsInfo;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Overlay;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * An image of ext2, ext3 or ext4. Immutable and safe for any number of threads. Every method that
 * can throw turns a truncation of the file underneath into a {@link CorruptImageException}.
 *
 * <p>Encrypted files are never decrypted: their contents have the verdict {@link
 * Verdict#ENCRYPTED}, and the names in encrypted directories and the targets of encrypted links are
 * those that the kernel shows without the key. The lookup of such a name finds its entry. Extended
 * attributes are those that the kernel lists.
 */
public final class ExtImage implements FsImage {
  /** A prime: the numbers of directories are often a fixed distance apart, one for each group. */
  private static final int KNOWN_DIRECTORIES = 1021;

  private final ByteView view;
  private final Superblock superblock;
  private final InodeTable inodeTable;

  /** What is said of regular files whose bytes lie in blocks. */
  private final Verdict regular;

  /** What the memory has from the journal. */
  private final Overlay replayed;

  /** Direct-mapped cache of recent directories, indexed by inode number modulo the length. */
  private final AtomicReferenceArray<DirectoryBlocks> directories =
      new AtomicReferenceArray<>(KNOWN_DIRECTORIES);

  private ExtImage(ByteView view, Overlay replayed) throws IOException {
    this.view = view;
    this.replayed = replayed;
    this.superblock = Superblock.read(view);
    this.inodeTable = new InodeTable(view, superblock);
    this.regular = Verdict.ofBlocks(view.memory(), superblock.blockSize());
  }

  /**
   * Opens an image.
   *
   * @param name the image file's name, as errors show it
   * @param memory the image, in memory or mapped by this project's own {@code host} package, which
   *     notes what is lost when the file is cut; the caller closes it
   * @return the image
   * @throws CorruptImageException if it is no such image, is damaged or shorter than it says, or
   *     needs a feature that is not read
   * @throws IOException if it cannot be read
   */
  public static ExtImage open(String name, MemorySegment memory) throws IOException {
    return open(name, memory, Overlay.NONE);
  }

  /**
   * Opens an image whose journal was replayed.
   *
   * @param name the image file's name, as errors show it
   * @param memory the image after the replay
   * @param replayed what the replay changed
   * @return the image
   * @throws IOException as {@link #open(String, MemorySegment)} does
   */
  static ExtImage open(String name, MemorySegment memory, Overlay replayed) throws IOException {
    ByteView view = new ByteView(memory, name, CorruptImageException::new);
    return MemoryFaults.guarded(name, view.memory(), () -> new ExtImage(view, replayed));
  }

  @Override
  public String name() {
    return view.file();
  }

  @Override
  public FsInfo info() {
    return superblock.info();
  }

  @Override
  public MemorySegment memory() {
    return view.memory();
  }

  @Override
  public Inode root() throws IOException {
    Inode root = inode(ExtLayout.ROOT_INODE);
    if (root.type() != FileType.DIRECTORY) {
      throw view.malformed(
          root.offset(), "the root directory", "a file of type " + root.type().letter());
    }
    return root;
  }

  @Override
  public Inode inode(long number) throws IOException {
    try {
      return inodeTable.read(number);
    } finally {
      MemoryFaults.check(name(), memory());
    }
  }

  @Override
  public void list(Inode directory, DirEntryVisitor visitor) throws IOException {
    guarded(
        () -> {
          entries(directory).list(visitor);
          return null;
        });
  }

  @Override
  public long find(Inode directory, FileName name) throws IOException {
    try {
      return entries(directory).find(name);
    } finally {
      MemoryFaults.check(name(), memory());
    }
  }

  @Override
  public FileName readLink(Inode link) throws IOException {
    if (link.type() != FileType.SYMLINK) {
      throw new NotLinkException(described(link));
    }
    return guarded(() -> new LinkTargets(view, superblock, inodeTable).read(link));
  }

  @Override
  public SortedMap<FileName, byte[]> extendedAttributes(Inode file) throws IOException {
    return guarded(() -> AttributeReader.read(view, superblock, inodeTable, file));
  }

  /** Directories have maps too. The bytes of other files lie nowhere. */
  @Override
  public BlockMap blockMap(Inode file) throws IOException {
    if (file.type() != FileType.REGULAR && file.type() != FileType.DIRECTORY) {
      return BlockMap.empty(Verdict.NOT_REGULAR);
    }
    try {
      return replayed.judged(map(file));
    } finally {
      MemoryFaults.check(name(), memory());
    }
  }

  private BlockMap map(Inode file) throws MalformedDataException {
    return (file.flags() & ExtLayout.INLINE_DATA_FL) != 0
        ? InlineData.of(view, superblock, inodeTable, file).map(verdict(file))
        : BlockTree.of(file.flags()).read(view, superblock, file, verdict(file));
  }

  private Verdict verdict(Inode file) {
    if (file.type() != FileType.REGULAR) {
      return Verdict.NOT_REGULAR;
    }
    if ((file.flags() & ExtLayout.ENCRYPT_FL) != 0) {
      return Verdict.ENCRYPTED;
    }
    if ((file.flags() & ExtLayout.VERITY_FL) != 0) {
      return Verdict.VERITY;
    }
    if (file.size() == 0) {
      return Verdict.IN_PLACE;
    }
    if ((file.flags() & ExtLayout.INLINE_DATA_FL) != 0) {
      return Verdict.INLINE;
    }
    return regular;
  }

  private <T> T guarded(MemoryFaults.Operation<T> operation) throws IOException {
    return MemoryFaults.guarded(name(), memory(), operation);
  }

  private DirectoryBlocks entries(Inode directory) throws IOException {
    if (directory.type() != FileType.DIRECTORY) {
      throw new NotDirectoryException(described(directory));
    }
    int slot = (int) (directory.number() % directories.length());
    DirectoryBlocks known = directories.get(slot);
    if (known != null && known.isOf(directory)) {
      return known;
    }
    DirectoryBlocks opened = DirectoryBlocks.open(view, superblock, inodeTable, directory);
    directories.set(slot, opened);
    return opened;
  }

  private String described(Inode inode) {
    return "%s: inode %d".formatted(name(), inode.number());
  }
}
