package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.DamageSeed;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.erofs.InodeTable.Body;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.zip.CRC32C;

/** A sound image, and the places of all fields that a reader uses. */
final class ErofsDamageSeed extends DamageSeed {
  private static final int SUPERBLOCK = (int) ErofsLayout.SUPERBLOCK_OFFSET;

  private final ErofsImage image;
  private final InodeTable inodes;

  private ErofsDamageSeed(String name, Path file) throws IOException {
    super(name, Files.readAllBytes(file));
    MemorySegment memory = MemorySegment.ofArray(sound);
    ByteView view = new ByteView(memory, name, CorruptImageException::new);
    this.image = ErofsImage.open(name, memory);
    this.inodes = new InodeTable(view, Superblock.read(view), new Metabox(() -> view));
    collect();
  }

  /** Makes the images: one tree in different layouts, those that this host's mkfs.erofs knows. */
  static List<ErofsDamageSeed> all(Path folder) throws IOException {
    Path tree = tree(folder.resolve("tree"));
    List<ErofsDamageSeed> seeds = new ArrayList<>();
    for (String options :
        List.of(
            "-x1",
            "-Enoinline_data,force-inode-extended -x0",
            "--chunksize=4096",
            "--chunksize=8192 -Eforce-chunk-indexes",
            "-zlz4",
            "-zlz4 -Elegacy-compress",
            "-zlz4 -C16384 -Eztailpacking",
            "-b1024 -zlz4 -C8192",
            "-zlz4 -Efragments",
            "-zlz4 -E48bit",
            "-zlz4 -m4096")) {
      Path file = folder.resolve("seed");
      try {
        Images.erofs(tree, file, options.split(" "));
      } catch (IOException e) {
        continue;
      }
      seeds.add(new ErofsDamageSeed(options, file));
    }
    return seeds;
  }

  private static Path tree(Path tree) throws IOException {
    Random random = new Random(1);
    Files.createDirectories(tree.resolve("a/b/c"));
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    Files.createFile(tree.resolve("empty"));
    Trees.write(tree.resolve("random"), 0, 9000, random);
    Trees.write(tree.resolve("holes"), 3 * 4096, 4096, random);
    Files.writeString(tree.resolve("text"), "some text that is repeated\n".repeat(3000));
    StringBuilder numbers = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      numbers.append(random.nextInt(1000)).append('\n');
    }
    Files.writeString(tree.resolve("numbers"), numbers);
    Path many = Files.writeString(tree.resolve("many"), "many names\n");
    for (int i = 0; i < 60; i++) {
      Files.createLink(crowd.resolve("%0180d".formatted(i)), many);
    }
    Files.createSymbolicLink(tree.resolve("fast"), Path.of("a/b/c"));
    Files.createSymbolicLink(tree.resolve("slow"), Path.of("./".repeat(1500) + "a/b"));
    Processes.run("mkfifo", tree.resolve("pipe").toString());
    for (String each : List.of("text", "random", "a", "many")) {
      Path file = tree.resolve(each);
      Files.setAttribute(file, "user:one", ByteBuffer.wrap("a value of all".getBytes()));
      Files.setAttribute(file, "user:" + each, ByteBuffer.wrap(each.getBytes()));
    }
    return tree;
  }

  private void collect() throws IOException {
    for (int width : new int[] {1, 2, 4, 8}) {
      add(Kind.SUPERBLOCK, SUPERBLOCK, ErofsLayout.SUPERBLOCK_SIZE + 16, width);
    }
    Set<Long> seen = new HashSet<>();
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          if (seen.add(inode.number())) {
            collect(inode);
          }
        });
  }

  private void collect(Inode inode) throws IOException {
    if (image.info().features().contains("metabox")) {
      // Its inodes are compressed: a change of any byte there is as good.
      return;
    }
    int at = (int) inode.offset();
    Body body = inodes.body(inode);
    add(Kind.INODE, at, (int) (body.attributes() - at), 2);
    add(Kind.INODE, at + ErofsLayout.I_SIZE, 16, 4);
    add(Kind.ATTRIBUTE, (int) body.attributes(), (int) (body.end() - body.attributes()), 1);
    if (body.isCompressed() || body.layout() == ErofsLayout.CHUNK_BASED) {
      int length = (int) Math.min(160, sound.length - body.end());
      add(Kind.MAP, (int) body.end(), length, 2);
      add(Kind.MAP, (int) body.end(), length & -4, 4);
    }
    if (inode.type() == FileType.DIRECTORY) {
      BlockMap map = image.blockMap(inode);
      for (int i = 0; i < map.extentCount(); i++) {
        int from = (int) map.extent(i).imageOffset();
        int names = ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getShort(from + 8);
        for (int entry = from; entry < from + names; entry += ErofsLayout.DIRENT_SIZE) {
          add(Kind.ENTRY, entry, 8, 8);
          add(Kind.ENTRY, entry + ErofsLayout.D_NAMEOFF, 4, 2);
        }
        add(Kind.ENTRY, from + names, 16, 1);
      }
    }
  }

  @Override
  protected void seal(byte[] image, Collection<Integer> changed, IntConsumer before) {
    for (int i = 0; i < Integer.BYTES; i++) {
      before.accept(SUPERBLOCK + ErofsLayout.S_CHECKSUM + i);
    }
    sum(image);
  }

  /** Puts the checksum of a superblock right, so that damage goes deep. */
  static void sum(byte[] image) {
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    int shift = image[SUPERBLOCK + ErofsLayout.S_BLKSZBITS];
    if (shift < 9 || shift > 16 || 1 << shift > image.length) {
      return;
    }
    int length = shift > 10 ? (1 << shift) - SUPERBLOCK : 1 << shift;
    byte[] covered = Arrays.copyOfRange(image, SUPERBLOCK, SUPERBLOCK + length);
    Arrays.fill(covered, ErofsLayout.S_CHECKSUM, ErofsLayout.S_CHECKSUM + 4, (byte) 0);
    CRC32C sum = new CRC32C();
    sum.update(covered);
    bytes.putInt(SUPERBLOCK + ErofsLayout.S_CHECKSUM, ~(int) sum.getValue());
  }
}
