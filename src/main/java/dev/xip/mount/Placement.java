package dev.xip.mount;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.image.BlockMap;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Checks which regular files of a tree can be used in place, and why the others cannot. */
public final class Placement {
  /** The bytes that one entry of the level above pages (a PMD) maps. */
  public static final long HUGE_PAGE = 2L << 20;

  private final Map<Verdict, Sum> sums = new EnumMap<>(Verdict.class);

  /** The inodes seen that have more than one name. */
  private final Set<Long> linked = new HashSet<>();

  private Placement() {}

  /**
   * The verdict on one file.
   *
   * @param path its path from the root of the walk, without a leading slash; empty for the root
   * @param inode its inode
   * @param extents in how many runs its bytes lie
   * @param alignedBytes how many of its bytes page-table entries of 2 MiB can map
   * @param verdict whether they can be used there
   */
  public record FilePlacement(
      FileName path, Inode inode, int extents, long alignedBytes, Verdict verdict) {}

  /**
   * The totals of one verdict.
   *
   * @param files how many there are
   * @param bytes the sum of their sizes
   */
  public record Sum(long files, long bytes) {}

  /** Receives the files one by one. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Receives one file.
     *
     * @param file the file with its verdict
     * @throws IOException passed on
     */
    void file(FilePlacement file) throws IOException;
  }

  /**
   * Checks every regular file of a tree; one with several names is checked once.
   *
   * @param image the image
   * @param start where the tree begins; a file is a tree of one
   * @param visitor receives the files
   * @param progress receives the number of names visited, and of all inodes in use in the image
   * @return the sums by verdict; a verdict that no file has is missing
   * @throws IOException if the image is damaged, or what the visitor threw
   */
  public static Map<Verdict, Sum> check(
      FsImage image, Inode start, Visitor visitor, ProgressListener progress) throws IOException {
    Placement placement = new Placement();
    long inUse = image.info().inodes() - image.info().freeInodes();
    long[] seen = new long[1];
    TreeWalk.walk(
        image,
        start,
        (walk, inode) -> {
          progress.at(++seen[0], inUse);
          if (inode.type() == FileType.REGULAR && placement.isFirstName(inode)) {
            visitor.file(placement.of(image, walk.path(), inode));
          }
        });
    return placement.sums;
  }

  private boolean isFirstName(Inode inode) {
    return inode.links() <= 1 || linked.add(inode.number());
  }

  private FilePlacement of(FsImage image, FileName path, Inode inode) throws IOException {
    BlockMap map = image.blockMap(inode);
    sums.merge(
        map.verdict(),
        new Sum(1, inode.size()),
        (a, b) -> new Sum(a.files + b.files, a.bytes + b.bytes));
    return new FilePlacement(
        path, inode, map.extentCount(), map.alignedBytes(HUGE_PAGE), map.verdict());
  }
}
