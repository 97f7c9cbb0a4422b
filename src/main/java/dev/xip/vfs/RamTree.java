package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.file.PageCache;
import dev.xip.file.ReadableFile;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file system in RAM, empty or laid over an image. A node of the image keeps its number, and its
 * bytes lie in the image until it is opened for writing or truncated; they are copied to RAM then.
 * Linux counterpart: mm/shmem.c, and overlayfs for what lies below.
 *
 * <p>The monitor of the tree guards its directories.
 */
public final class RamTree implements Tree {
  private static final long TMPFS_MAGIC = 0x0102_1994;

  /** The number of the first new node: above those of an image. */
  private static final long FIRST_NEW = 1L << 40;

  /** The most new nodes; ENOSPC then. */
  private static final int MOST_NODES = 1 << 18;

  /** One page of so many is not for files: a program that fills them gets ENOSPC and lives. */
  private static final int KEPT_PART = 16;

  /** What programs expect at the root, and the rights it has there. */
  private static final Map<String, Integer> EXPECTED =
      Map.of("dev", 0755, "proc", 0555, "run", 0755, "sys", 0555, "tmp", 01777);

  /** Opens a regular file of an image in place. */
  @FunctionalInterface
  public interface Opener {
    /**
     * Opens it.
     *
     * @param name its name in messages
     * @param inode its inode
     * @return the file
     * @throws FileSystemException if it does not lie in place
     * @throws IOException if the image is damaged there
     */
    InPlaceFile open(String name, Inode inode) throws IOException;
  }

  private final FsImage image;

  /** Null if files of the image go through the page cache. */
  private final Opener opener;

  private final PageCache cache;
  private final long device;
  private final RamDirectory root;

  /** The nodes made from inodes of the image. Guarded by this. */
  private final Map<Long, Node> fromImage = new HashMap<>();

  /** The files that have frames. */
  private final Set<RamFile> withFrames = ConcurrentHashMap.newKeySet();

  private long lastNumber = FIRST_NEW;
  private final AtomicInteger newNodes = new AtomicInteger();

  private RamTree(FsImage image, Opener opener, PageCache cache, long device) throws IOException {
    this.image = image;
    this.opener = opener;
    this.cache = cache;
    this.device = device;
    this.root =
        image == null
            ? new RamDirectory(
                this, ++lastNumber, null, Attributes.of(FileType.DIRECTORY, 01777), 2)
            : (RamDirectory) fromImage(image.root().number());
  }

  /**
   * {@return a tree over an image, in which programs find /dev, /proc, /run, /sys and /tmp}
   *
   * @param image the image, which outlives the tree
   * @param opener opens its files in place; null to read and map them through the page cache
   * @param cache the machine's page cache
   * @param device the number that stat(2) tells as the device
   * @throws IOException if the image is damaged
   */
  public static RamTree over(FsImage image, Opener opener, PageCache cache, long device)
      throws IOException {
    RamTree tree = new RamTree(image, opener, cache, device);
    for (Map.Entry<String, Integer> each : EXPECTED.entrySet()) {
      FileName name = FileName.of(each.getKey());
      if (tree.root.find(name) == null) {
        tree.root.create(name, NewNode.of(FileType.DIRECTORY, each.getValue()));
      }
    }
    return tree;
  }

  /**
   * {@return an empty tree}
   *
   * @param cache the machine's page cache
   * @param device the number that stat(2) tells as the device
   */
  public static RamTree empty(PageCache cache, long device) {
    try {
      return new RamTree(null, null, cache, device);
    } catch (IOException e) {
      throw new IllegalStateException("a tree without an image reads none", e);
    }
  }

  @Override
  public Directory root() {
    return root;
  }

  @Override
  public long device() {
    return device;
  }

  /** {@return how many bytes its files may take up more: a part of RAM is kept for programs} */
  long room() {
    return Math.max(0, cache.available() - cache.capacity() / KEPT_PART) << Pages.SHIFT;
  }

  @Override
  public Usage usage() {
    long files = MOST_NODES + (image == null ? 0 : image.info().inodes());
    return new Usage(
        TMPFS_MAGIC, cache.capacity(), room() >>> Pages.SHIFT, files, MOST_NODES - newNodes.get());
  }

  @Override
  public SortedMap<FileName, byte[]> extended(Node node) throws IOException {
    return node.number() < FIRST_NEW
        ? image.extendedAttributes(image.inode(node.number()))
        : new TreeMap<>();
  }

  FsImage image() {
    return image;
  }

  /** The node of an inode of the image. */
  synchronized Node fromImage(long number) throws IOException {
    Node known = fromImage.get(number);
    if (known == null) {
      known = made(image.inode(number));
      fromImage.put(number, known);
    }
    return known;
  }

  private Node made(Inode inode) throws IOException {
    Attributes attributes = Attributes.of(inode);
    long number = inode.number();
    return switch (inode.type()) {
      case DIRECTORY -> new RamDirectory(this, number, inode, attributes, inode.links());
      case REGULAR -> new RamFile(this, number, inode, attributes, Math.max(1, inode.links()));
      case SYMLINK -> new RamLink(this, number, attributes, image.readLink(inode));
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET ->
          new Special(this, number, attributes, inode.deviceMajor(), inode.deviceMinor());
      case UNKNOWN ->
          throw new FileException(Errno.EIO, "inode %d: its type is not known".formatted(number));
    };
  }

  /** Makes a new node. Precondition: the monitor is held. */
  Node made(NewNode wanted, Directory in) throws FileException {
    if (newNodes.get() >= MOST_NODES) {
      throw new FileException(Errno.ENOSPC, "%d new files".formatted(MOST_NODES));
    }
    newNodes.incrementAndGet();
    long number = ++lastNumber;
    Attributes attributes = inherited(Attributes.of(wanted.type(), wanted.permissions()), in);
    return switch (wanted.type()) {
      case DIRECTORY -> new RamDirectory(this, number, null, attributes, 2);
      case REGULAR -> new RamFile(this, number, null, attributes, 1);
      case SYMLINK -> new RamLink(this, number, attributes, wanted.target());
      default -> new Special(this, number, attributes, wanted.major(), wanted.minor());
    };
  }

  /** Linux counterpart: {@code inode_init_owner}. */
  private static Attributes inherited(Attributes own, Directory in) {
    Attributes parent = in.attributes();
    if ((parent.mode() & Attributes.SET_GROUP) == 0) {
      return own;
    }
    int more = own.type() == FileType.DIRECTORY ? Attributes.SET_GROUP : 0;
    return own.withOwners(-1, parent.gid()).withPermissions(own.mode() | more);
  }

  /** A new node is gone. */
  void forget(Node node) {
    if (node.number() >= FIRST_NEW) {
      newNodes.decrementAndGet();
    }
  }

  /**
   * Opens a file of the image as it lies there, or if it does not lie in place through the cache.
   */
  ReadableFile open(RamFile file, String name, Inode inode) throws IOException {
    if (opener != null) {
      try {
        return opener.open(name, inode);
      } catch (FileSystemException e) {
        // Its bytes are packed, or in blocks below a page.
        return cached(file, name, inode);
      }
    }
    return cached(file, name, inode);
  }

  private CachedFile cached(RamFile file, String name, Inode inode) throws IOException {
    CachedFile made = cache.open(name, image, inode);
    withFrames.add(file);
    return made;
  }

  CachedFile create(RamFile file, String name) {
    withFrames.add(file);
    return cache.create(name);
  }

  void hasNoFrames(RamFile file) {
    withFrames.remove(file);
  }

  @Override
  public void close() {
    withFrames.forEach(RamFile::evict);
    withFrames.clear();
  }
}
