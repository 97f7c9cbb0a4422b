package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file of 100,000 extents, each a block with a hole behind it, is mapped and searched at once.
 */
class ManyExtentsTest {
  private static final int EXTENTS = 100_000;
  private static final int BLOCK = 4096;
  private static final int PER_NODE = BLOCK / ExtentLayout.ENTRY_SIZE - 1;

  /** Nodes and data lie behind all that mke2fs has made. */
  private static final int FIRST_NODE = 8192;

  private static final int FIRST_BLOCK = 10_000;
  private static final int BLOCKS = FIRST_BLOCK + EXTENTS;

  @TempDir Path folder;

  @Test
  @Timeout(60)
  void everyBlockIsFound() throws IOException {
    Path file = image();
    try (Arena arena = Arena.ofShared()) {
      ExtImage image = Images.open(file, arena);
      Inode inode = PathResolver.resolve(image, "file", true);
      BlockMap map = image.blockMap(inode);
      assertThat(map.verdict()).isEqualTo(Verdict.IN_PLACE);
      assertThat(map.extentCount()).isEqualTo(EXTENTS);
      Random random = new Random(1);
      for (int i = 0; i < 1_000_000; i++) {
        int block = random.nextInt(2 * EXTENTS);
        long at = map.imageOffset((long) block * BLOCK + 5);
        assertThat(at == -1 ? -1 : at / BLOCK).isEqualTo(block % 2 == 1 ? -1 : place(block / 2));
      }
      String theirs =
          Images.debugfs(file, List.of("bmap file 0", "bmap file 140000", "bmap file 140001"));
      assertThat(theirs.lines().filter(line -> !line.startsWith("debugfs")).toList())
          .containsExactly("" + place(0), "" + place(70_000), "0");
    }
  }

  /** Neighbours in the file are none in the image. */
  private static int place(int extent) {
    return FIRST_BLOCK + EXTENTS - 1 - extent;
  }

  private Path image() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), "text");
    Path file = folder.resolve("many.img");
    try (RandomAccessFile empty = new RandomAccessFile(file.toFile(), "rw")) {
      empty.setLength((long) BLOCKS * BLOCK);
    }
    Processes.run(
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-b",
        "4096",
        "-N",
        "64",
        "-O",
        "^has_journal,^resize_inode",
        "-d",
        tree.toString(),
        file.toString());
    int inode;
    try (Arena arena = Arena.ofShared()) {
      inode = (int) PathResolver.resolve(Images.open(file, arena), "file", true).offset();
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      writeTree(channel, inode);
    }
    return file;
  }

  private static void writeTree(FileChannel channel, int inode) throws IOException {
    int leaves = Math.ceilDiv(EXTENTS, PER_NODE);
    byte[] bytes = new byte[(FIRST_NODE + leaves + 1) * BLOCK];
    ByteBuffer image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    channel.read(image, 0);
    Seals seals = new Seals();
    seals.addInode(12, inode, 256);
    image.putInt(inode + ExtLayout.I_SIZE, 2 * EXTENTS * BLOCK);
    header(image, inode + ExtLayout.I_BLOCK, 1, 4, 2);
    index(image, inode + ExtLayout.I_BLOCK, 0, 0, FIRST_NODE);
    header(image, FIRST_NODE * BLOCK, leaves, PER_NODE, 1);
    for (int leaf = 0; leaf < leaves; leaf++) {
      int first = leaf * PER_NODE;
      int node = (FIRST_NODE + 1 + leaf) * BLOCK;
      int count = Math.min(PER_NODE, EXTENTS - first);
      index(image, FIRST_NODE * BLOCK, leaf, 2 * first, FIRST_NODE + 1 + leaf);
      header(image, node, count, PER_NODE, 0);
      for (int i = 0; i < count; i++) {
        int entry = node + (1 + i) * ExtentLayout.ENTRY_SIZE;
        image.putInt(entry + ExtentLayout.E_BLOCK, 2 * (first + i));
        image.putShort(entry + ExtentLayout.EE_LEN, (short) 1);
        image.putInt(entry + ExtentLayout.EE_START_LO, place(first + i));
      }
    }
    for (int node = FIRST_NODE; node <= FIRST_NODE + leaves; node++) {
      int tail = (1 + PER_NODE) * ExtentLayout.ENTRY_SIZE;
      seals.addBlock(12, inode, node * BLOCK, node * BLOCK + tail);
    }
    seals.put(bytes);
    channel.write(ByteBuffer.wrap(bytes), 0);
  }

  private static void header(ByteBuffer image, int at, int entries, int max, int depth) {
    image.putShort(at + ExtentLayout.EH_MAGIC, (short) ExtentLayout.MAGIC);
    image.putShort(at + ExtentLayout.EH_ENTRIES, (short) entries);
    image.putShort(at + ExtentLayout.EH_MAX, (short) max);
    image.putShort(at + ExtentLayout.EH_DEPTH, (short) depth);
  }

  private static void index(ByteBuffer image, int node, int entry, int first, int block) {
    int at = node + (1 + entry) * ExtentLayout.ENTRY_SIZE;
    image.putInt(at + ExtentLayout.E_BLOCK, first);
    image.putInt(at + ExtentLayout.EI_LEAF_LO, block);
    image.putShort(at + ExtentLayout.EI_LEAF_HI, (short) 0);
  }
}
