package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.FsInfo;
import dev.xip.image.GuardedImage;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Overlay;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.SortedMap;

/**
 * An image of ext2, ext3 or ext4. Immutable and safe for any number of threads.
 *
 * <p>Encrypted files are never decrypted: their contents have the verdict {@link
 * Verdict#ENCRYPTED}, and the names in encrypted directories and the targets of encrypted links are
 * those that the kernel shows without the key. The lookup of such a name finds its entry. Extended
 * attributes are those that the kernel lists.
 */
public final class ExtImage extends GuardedImage {
  private final Superblock superblock;
  private final InodeTable inodeTable;

  /** What is said of regular files whose bytes lie in blocks. */
  private final Verdict regular;

  /** What the memory has from the journal. */
  private final Overlay replayed;

  private ExtImage(ByteView view, Overlay replayed) throws IOException {
    super(view);
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
    ByteView view = CorruptImageException.view(memory, name);
    // The lambdas of a guarded operation take a JVM that starts a millisecond each.
    try {
      return new ExtImage(view, replayed);
    } finally {
      MemoryFaults.checkWhole(name, memory);
    }
  }

  @Override
  public FsInfo info() {
    return superblock.info();
  }

  @Override
  protected long rootNumber() {
    return ExtLayout.ROOT_INODE;
  }

  @Override
  protected Inode readInode(long number) throws IOException {
    return inodeTable.read(number);
  }

  @Override
  protected DirectoryBlocks openDirectory(Inode directory) throws IOException {
    return DirectoryBlocks.open(view, superblock, inodeTable, directory);
  }

  @Override
  protected FileName readTarget(Inode link) throws IOException {
    return new LinkTargets(view, superblock, inodeTable).read(link);
  }

  @Override
  protected SortedMap<FileName, byte[]> readAttributes(Inode file) throws IOException {
    return AttributeReader.read(view, superblock, inodeTable, file);
  }

  @Override
  protected BlockMap readMap(Inode file) throws IOException {
    BlockMap map =
        (file.flags() & ExtLayout.INLINE_DATA_FL) != 0
            ? InlineData.of(view, superblock, inodeTable, file).map(verdict(file))
            : BlockTree.read(view, superblock, file, verdict(file));
    return replayed.judged(map);
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
}
