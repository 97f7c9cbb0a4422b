package dev.xip.pack.ext;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.ext.ExtLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * A file for an {@link ImageWriter} to write: its attributes, and its names, link target or data
 * runs. Not thread safe.
 */
public final class NewFile {
  /** The highest link count of a file, and of a directory without the feature dir_nlink. */
  public static final int MOST_LINKS = 65_000;

  /** The most bytes that a file can have. */
  public static final long MOST_BYTES = NewBlock.MOST_FILE_BYTES;

  /** The most bytes that can be allocated to a file: i_blocks counts sectors in 32 bits. */
  public static final long MOST_ALLOCATED = 0xffff_0000L * 512;

  /** The longest target of a symbolic link in bytes. */
  public static final int LONGEST_TARGET = NewBlock.LONGEST_TARGET;

  private static final byte[] NO_TARGET = {};

  /** One name in a directory. */
  record Entry(FileName name, NewFile file) {}

  private final Inode inode;
  private final NewAttributes attributes;
  private final byte[] target;
  private final List<Entry> entries = new ArrayList<>(0);

  /** The data runs, each as first block and number of blocks, and spare room. */
  private long[] runs = {};

  /** How much of {@link #runs} is in use. */
  private int runsEnd;

  /** The directory that holds this one; the root holds itself. */
  private NewFile parent = this;

  private int number;
  private int names;
  private int folders;

  private NewFile(Inode inode, SortedMap<FileName, byte[]> attributes, byte[] target) {
    this.inode = inode;
    this.attributes = NewAttributes.of(attributes);
    this.target = target;
  }

  /**
   * Describes a file that is no symbolic link. A regular file is one hole until {@link #addData}, a
   * directory empty until {@link #add}.
   *
   * @param inode its attributes; the writer replaces number, offset, links and sectors
   * @param attributes its extended attributes, as the system calls have them
   * @return the file
   */
  public static NewFile of(Inode inode, SortedMap<FileName, byte[]> attributes) {
    return new NewFile(inode, attributes, NO_TARGET);
  }

  /**
   * Describes a symbolic link.
   *
   * @param inode its attributes, as for other files
   * @param attributes its extended attributes
   * @param target what it leads to, 1..{@link #LONGEST_TARGET} bytes
   * @return the link
   */
  public static NewFile link(Inode inode, SortedMap<FileName, byte[]> attributes, FileName target) {
    NewFile link = new NewFile(inode, attributes, target.bytes());
    if (link.target.length >= ExtLayout.I_BLOCK_SIZE) {
      link.addData(0, link.target.length);
    }
    return link;
  }

  /**
   * Adds a data run to a regular file. Precondition: runs are added in ascending order.
   *
   * @param offset its first byte
   * @param length its length in bytes, at least 1
   */
  public void addData(long offset, long length) {
    long first = offset >>> NewBlock.SHIFT;
    long end = offset + length + NewBlock.SIZE - 1 >>> NewBlock.SHIFT;
    int last = runsEnd - 2;
    if (last >= 0 && first <= runs[last] + runs[last + 1]) {
      runs[last + 1] = end - runs[last];
      return;
    }
    if (runsEnd == runs.length) {
      runs = Arrays.copyOf(runs, Math.max(2, 2 * runsEnd));
    }
    runs[runsEnd++] = first;
    runs[runsEnd++] = end - first;
  }

  /**
   * Gives a file a name in this directory.
   *
   * @param name the name, 1..255 bytes, not used in this directory
   * @param file the file
   */
  public void add(FileName name, NewFile file) {
    entries.add(new Entry(name, file));
    file.names++;
    if (file.inode.type() == FileType.DIRECTORY) {
      folders++;
      file.parent = this;
    }
  }

  /** {@return its attributes, for the image} */
  public Inode inode() {
    return inode;
  }

  /** {@return the number of directory entries that name it so far} */
  public int names() {
    return names;
  }

  /**
   * {@return the names of the extended attributes that the image cannot hold: the kernel does not
   * know them in images, or inode and block have no room}
   */
  public List<FileName> attributesLeftOut() {
    return attributes.leftOut();
  }

  /**
   * {@return whether the image can hold all its times, 1901-12-13 to 2446-05-10; it gets the
   * nearest of these}
   */
  public boolean keepsTimes() {
    return InodeWriter.isHeld(inode.accessed())
        && InodeWriter.isHeld(inode.modified())
        && InodeWriter.isHeld(inode.changed())
        && InodeWriter.isHeld(inode.created());
  }

  /** {@return whether this directory has more directories in it than its link count can tell} */
  boolean needsDirNlink() {
    return folders + 2 > MOST_LINKS;
  }

  /**
   * {@return the link count: the names of a file; of a directory 2 and one for each directory in
   * it, or 1 if that is too many}
   */
  int links() {
    if (inode.type() != FileType.DIRECTORY) {
      return names;
    }
    return needsDirNlink() ? 1 : folders + 2;
  }

  NewFile parent() {
    return parent;
  }

  NewAttributes attributes() {
    return attributes;
  }

  List<Entry> entries() {
    return entries;
  }

  byte[] target() {
    return target;
  }

  int number() {
    return number;
  }

  void number(int given) {
    number = given;
  }

  /** {@return the runs that need blocks, each as first block and number of blocks} */
  long[] runs() {
    if (inode.type() == FileType.DIRECTORY) {
      return new long[] {0, DirectoryWriter.blocks(this)};
    }
    if (runsEnd < runs.length) {
      runs = Arrays.copyOf(runs, runsEnd);
    }
    return runs;
  }

  /**
   * {@return how many blocks it takes, with those that name its blocks and that of its attributes}
   *
   * @param format how blocks are named
   */
  long blocks(NewFormat format) {
    long[] all = runs();
    long sum = format.rows(all) + (attributes.needBlock() ? 1 : 0);
    for (int i = 0; i < all.length; i += 2) {
      sum += all[i + 1];
    }
    return sum;
  }
}
