package dev.xip.testing;

import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Scatters a file of an ext2 image: e2fsprogs lay files out contiguously and have no option for it.
 */
public final class Fragments {
  private static final long BLOCK = 4096;
  private static final long I_BLOCK = 40;
  private static final int DIRECT = 12;
  private static final int POINTERS = 1024;
  private static final ValueLayout.OfInt POINTER = ValueLayout.JAVA_INT_UNALIGNED;

  private final MemorySegment image;

  /** The image offsets of the pointers to the file's blocks, in file order, without holes. */
  private final List<Long> pointers = new ArrayList<>();

  private Fragments(MemorySegment image) {
    this.image = image;
  }

  /**
   * Reorders the blocks of a file at random, in pieces of some blocks, and moves their bytes. The
   * image stays clean for e2fsck.
   *
   * @param path the image
   * @param file the file's path in it
   * @param blocks the blocks of a piece
   * @param seed the seed of the order
   * @throws IOException if the image cannot be read or written
   */
  public static void scatter(Path path, String file, int blocks, long seed) throws IOException {
    try (Arena arena = Arena.ofConfined();
        FileChannel channel =
            FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Inode inode = PathResolver.resolve(Images.open(path, arena), file, true);
      MemorySegment image = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size(), arena);
      new Fragments(image).scatter(inode, blocks, new Random(seed));
    }
  }

  private void scatter(Inode inode, int together, Random random) {
    long at = inode.offset() + I_BLOCK;
    collect(at, DIRECT, 0);
    for (int depth = 1; depth <= 3; depth++) {
      collect(at + 4L * (DIRECT + depth - 1), 1, depth);
    }
    List<List<Integer>> pieces = new ArrayList<>();
    List<Integer> places =
        pointers.stream().map(each -> image.get(POINTER, each)).sorted().toList();
    for (int i = 0; i < places.size(); i += together) {
      pieces.add(places.subList(i, Math.min(i + together, places.size())));
    }
    Collections.shuffle(pieces, random);
    List<Integer> shuffled = pieces.stream().flatMap(List::stream).toList();
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(places.size() * BLOCK)]);
    for (int i = 0; i < places.size(); i++) {
      MemorySegment.copy(block(image.get(POINTER, pointers.get(i))), 0, bytes, i * BLOCK, BLOCK);
    }
    for (int i = 0; i < places.size(); i++) {
      image.set(POINTER, pointers.get(i), shuffled.get(i));
      MemorySegment.copy(bytes, i * BLOCK, block(shuffled.get(i)), 0, BLOCK);
    }
  }

  private void collect(long at, int count, int depth) {
    for (int i = 0; i < count; i++) {
      int block = image.get(POINTER, at + 4L * i);
      if (block != 0 && depth == 0) {
        pointers.add(at + 4L * i);
      } else if (block != 0) {
        collect(block * BLOCK, POINTERS, depth - 1);
      }
    }
  }

  private MemorySegment block(int number) {
    return image.asSlice(number * BLOCK, BLOCK);
  }
}
