package dev.xip.image.ext;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * A file that an {@link ImageWriter} is to put into an image: its attributes, and what the image
 * must know of its contents. Not thread safe.
 */
public final class NewFile {
  /** The most names that a file can have, and the most folders in a folder that are counted. */
  public static final int MOST_LINKS = 65_000;

  /** The most bytes that a file can have. */
  public static final long MOST_BYTES = ExtLayout.MAX_FILE_SIZE;

  /** The most bytes of a file that can lie in the image: the sectors are counted in 32 bits. */
  public static final long MOST_ALLOCATED = 0xffff_0000L * 512;

  /** The longest target of a symbolic link in bytes. */
  public static final int LONGEST_TARGET = ExtLayout.MAX_LINK_TARGET;

  private static final byte[] NO_TARGET = {};

  /** One name in a directory. */
  record Entry(FileName name, NewFile file) {}

  private final Inode says;
  private final NewAttributes attributes;
  private final byte[] target;
  private final List<Entry> entries = new ArrayList<>(0);

  /** First block and number of blocks of each stretch that is no hole, in pairs, and room. */
  private long[] runs = {};

  /** How much of the array is in use. */
  private int runsEnd;

  /** The directory that this one stands in; the root stands in itself. */
  private NewFile parent = this;

  private int number;
  private int names;
  private int folders;

  private NewFile(Inode says, SortedMap<FileName, byte[]> attributes, byte[] target) {
    this.says = says;
    this.attributes = NewAttributes.of(attributes);
    this.target = target;
  }

  /**
   * Describes a file that is no symbolic link. A regular one is all hole, and a directory empty,
   * until more is said.
   *
   * @param says its attributes; number, place, links and sectors are the writer's to find
   * @param attributes its extended attributes, as the system calls have them
   * @return the file
   */
  public static NewFile of(Inode says, SortedMap<FileName, byte[]> attributes) {
    return new NewFile(says, attributes, NO_TARGET);
  }

  /**
   * Describes a symbolic link.
   *
   * @param says its attributes, as for other files
   * @param attributes its extended attributes
   * @param target what it leads to, 1..{@link #LONGEST_TARGET} bytes
   * @return the link
   */
  public static NewFile link(Inode says, SortedMap<FileName, byte[]> attributes, FileName target) {
    NewFile link = new NewFile(says, attributes, target.bytes());
    if (link.target.length >= ExtLayout.I_BLOCK_SIZE) {
      link.addData(0, link.target.length);
    }
    return link;
  }

  /**
   * Says that a stretch of a regular file is no hole. Stretches come in ascending order.
   *
   * @param offset its first byte
   * @param length its length in bytes, at least 1
   */
  public void addData(long offset, long length) {
    long first = offset >>> ExtLayout.BLOCK_SHIFT;
    long end = offset + length + ExtLayout.BLOCK_SIZE - 1 >>> ExtLayout.BLOCK_SHIFT;
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
   * @param name the name, 1..255 bytes, which nothing here has yet
   * @param file the file
   */
  public void add(FileName name, NewFile file) {
    entries.add(new Entry(name, file));
    file.names++;
    if (file.says.type() == FileType.DIRECTORY) {
      folders++;
      file.parent = this;
    }
  }

  /**
   * Returns what the file is to be in the image.
   *
   * @return its attributes
   */
  public Inode says() {
    return says;
  }

  /**
   * Returns how many names it has so far.
   *
   * @return the number of directory entries
   */
  public int names() {
    return names;
  }

  /**
   * Tells which extended attributes are left out: those that the kernel knows nothing of in an
   * image, and those that find no room, for all but a few bytes must fit into one block.
   *
   * @return their names
   */
  public List<FileName> attributesLeftOut() {
    return attributes.leftOut();
  }

  /**
   * Tells whether the image can hold all its times.
   *
   * @return false if one is before 1901-12-13 or after 2446-05-10; it becomes the nearest that is
   *     not
   */
  public boolean keepsTimes() {
    return InodeWriter.isHeld(says.accessed())
        && InodeWriter.isHeld(says.modified())
        && InodeWriter.isHeld(says.changed())
        && InodeWriter.isHeld(says.created());
  }

  /** Whether more folders lie in this one than links can be counted. */
  boolean isCrowd() {
    return folders + 2 > MOST_LINKS;
  }

  /**
   * The link count: names, and for a directory itself and those in it; 1 where that is too many.
   */
  int links() {
    if (says.type() != FileType.DIRECTORY) {
      return names;
    }
    return isCrowd() ? 1 : folders + 2;
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

  /** First block and number of blocks of each stretch that needs blocks, in pairs. */
  long[] runs() {
    if (says.type() == FileType.DIRECTORY) {
      return new long[] {0, DirectoryWriter.blocks(this)};
    }
    if (runsEnd < runs.length) {
      runs = Arrays.copyOf(runs, runsEnd);
    }
    return runs;
  }

  /** How many blocks it takes, with all that leads to them and the block of its attributes. */
  long blocks() {
    long[] all = runs();
    long sum = PointerRows.count(all) + (attributes.needBlock() ? 1 : 0);
    for (int i = 0; i < all.length; i += 2) {
      sum += all[i + 1];
    }
    return sum;
  }
}
