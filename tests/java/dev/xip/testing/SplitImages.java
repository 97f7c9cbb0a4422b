package dev.xip.testing;

import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.TreeWalk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Images split into three at odd page boundaries. Loaded segments share no megabyte, so the middle
 * piece is whole megabytes long, and the others end and begin at its boundaries.
 */
public final class SplitImages {
  private static final long PAGE = 4096;
  private static final long MEGABYTE = 1 << 20;
  private static final long PLACE = 4L << 30;
  private static final long LARGEST_INODE = 256;

  private SplitImages() {}

  /**
   * A third of an image.
   *
   * @param offset where it starts in the image, in bytes
   * @param file a file with its bytes
   * @param address the physical address of its segment
   */
  public record Piece(long offset, Path file, long address) {}

  /**
   * Makes an image with an inode table of many pages and a file of several megabytes.
   *
   * @param folder the folder of the image
   * @return the image
   * @throws IOException if mke2fs is missing or fails
   */
  public static Path image(Path folder) throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    for (int i = 0; i < 300; i++) {
      Files.writeString(tree.resolve("sub/file" + i), "contents of " + i);
    }
    Random random = new Random(2);
    Trees.write(tree.resolve("large"), 0, 9_000_001, random);
    Trees.write(tree.resolve("larger"), 0, 12_345_678, random);
    return Images.ext2(tree);
  }

  /**
   * Finds two offsets at which an image can be split.
   *
   * @param image the image
   * @param inTable whether the first offset is in the inode table, or in a file as the second one
   *     always is
   * @return two offsets in bytes, odd multiples of the page size and whole megabytes apart
   * @throws IOException if the image cannot be read
   */
  public static long[] cuts(FsImage image, boolean inTable) throws IOException {
    SortedSet<Long> table = new TreeSet<>();
    List<Extent> extents = new ArrayList<>();
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          table.add(inode.offset());
          if (inode.type() == FileType.REGULAR) {
            BlockMap map = image.blockMap(inode);
            for (int i = 0; i < map.extentCount(); i++) {
              extents.add(map.extent(i));
            }
          }
        });
    for (long first = PAGE; first < image.memory().byteSize(); first += 2 * PAGE) {
      boolean found =
          inTable
              ? table.contains(first) && !table.subSet(first - LARGEST_INODE, first).isEmpty()
              : isInside(first, extents);
      for (long second = first + MEGABYTE;
          found && second < image.memory().byteSize();
          second += MEGABYTE) {
        if (isInside(second, extents)) {
          return new long[] {first, second};
        }
      }
    }
    throw new IOException(
        image.name() + ": expected an offset at which the image can be split, found none");
  }

  private static boolean isInside(long cut, List<Extent> extents) {
    return extents.stream()
        .anyMatch(
            each ->
                each.imageOffset() + PAGE <= cut
                    && cut + PAGE <= each.imageOffset() + each.length());
  }

  /**
   * Splits an image.
   *
   * @param image the image
   * @param cuts the two offsets
   * @return the three pieces
   * @throws IOException if they cannot be written
   */
  public static List<Piece> pieces(Path image, long[] cuts) throws IOException {
    byte[] bytes = Files.readAllBytes(image);
    long[] ends = {0, cuts[0], cuts[1], bytes.length};
    // The first offset is at a multiple of a megabyte in physical memory.
    long address = PLACE + MEGABYTE * (cuts[0] / MEGABYTE + 1) - cuts[0];
    List<Piece> pieces = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Path file = image.resolveSibling("piece" + i);
      Files.write(file, Arrays.copyOfRange(bytes, (int) ends[i], (int) ends[i + 1]));
      pieces.add(new Piece(ends[i], file, address + ends[i]));
    }
    return pieces;
  }
}
