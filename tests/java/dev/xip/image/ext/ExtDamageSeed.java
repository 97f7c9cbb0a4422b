package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.DamageSeed;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * A sound image with every structure of ext2 or ext4, and the places of all fields that a reader
 * uses.
 */
final class ExtDamageSeed extends DamageSeed {
  /** The checksums of the structures, none in an image without them. */
  final Seals seals = new Seals();

  private final ByteBuffer bytes;
  private final int blockSize;
  private final ByteView view;
  private final Superblock superblock;
  private final ExtImage image;

  private static final String INLINE = "^has_journal,^metadata_csum,inline_data,ea_inode";

  private ExtDamageSeed(String name, Path file) throws IOException {
    super(name, Files.readAllBytes(file));
    this.bytes = ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN);
    MemorySegment memory = MemorySegment.ofArray(sound);
    this.view = new ByteView(memory, name, CorruptImageException::new);
    this.superblock = Superblock.read(view);
    this.blockSize = superblock.blockSize();
    this.image = ExtImage.open(name, memory);
    collect();
  }

  private static final String MANY = "^has_journal,meta_bg,^resize_inode,sparse_super2,bigalloc";

  /** Makes the images: one tree with different features, sizes of inodes and of groups. */
  static List<ExtDamageSeed> all(Path folder) throws IOException {
    Path tree = tree(folder.resolve("tree"));
    String plain = "filetype,sparse_super,large_file,ext_attr";
    return List.of(
        make(
            tree,
            "ext2",
            "hashed",
            "-b",
            "4096",
            "-I",
            "256",
            "-O",
            "none," + plain + ",dir_index"),
        make(
            tree,
            "ext2",
            "small-inodes",
            "-b",
            "4096",
            "-I",
            "128",
            "-O",
            "none,ext_attr",
            "-g",
            "1024"),
        make(tree, "ext2", "revision-0", "-b", "4096", "-r", "0"),
        make(
            tree,
            "ext2",
            "many-groups",
            "-b",
            "1024",
            "-I",
            "256",
            "-O",
            "none," + plain,
            "-g",
            "256"),
        make(
            tree,
            "ext2",
            "to-be-grown",
            "-b",
            "4096",
            "-I",
            "512",
            "-O",
            "none,resize_inode," + plain),
        make(tree, "ext4", "extents", "-b", "4096", "-O", "^has_journal"),
        make(tree, "ext4", "inline", "-b", "4096", "-O", INLINE),
        make(tree, "ext4", "small-extents", "-b", "1024", "-g", "1024", "-O", MANY));
  }

  /** {@return whether all structures have checksums} */
  private boolean isSealed() {
    return superblock.checksums().inBlocks();
  }

  @Override
  protected void seal(byte[] image, Collection<Integer> changed, IntConsumer before) {
    seals.put(image, changed, before);
  }

  private static Path tree(Path tree) throws IOException {
    Random random = new Random(1);
    Files.createDirectories(tree.resolve("a/b/c/d/e"));
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    Files.createFile(tree.resolve("empty"));
    Trees.write(tree.resolve("direct"), 0, 5000, random);
    Trees.write(tree.resolve("indirect"), 0, 60_000, random);
    Trees.write(tree.resolve("holes"), 3 * 4096, 4096, random);
    for (int i = 0; i < 400; i++) {
      Trees.write(tree.resolve("comb"), 8192L * i, 4096, random);
    }
    Trees.write(tree.resolve("double"), 4096L * (12 + 1024 + 3), 9000, random);
    Trees.write(tree.resolve("triple"), 4096L * 13, 4096, random);
    Trees.write(tree.resolve("triple"), Trees.TRIPLE_INDIRECT + 4096, 9000, random);
    // Names so long that the folder itself needs an indirect block.
    Path many = Files.writeString(tree.resolve("many"), "many names\n");
    for (int i = 0; i < 260; i++) {
      Files.createLink(crowd.resolve("%0220d".formatted(i)), many);
    }
    Files.createSymbolicLink(tree.resolve("fast"), Path.of("a/b/c"));
    Files.createSymbolicLink(tree.resolve("slow"), Path.of("./".repeat(60) + "a/b"));
    return tree;
  }

  private static ExtDamageSeed make(Path tree, String type, String name, String... options)
      throws IOException {
    Path file = tree.resolveSibling(name + ".img");
    Path value = Files.writeString(tree.resolveSibling("value"), "v".repeat(900));
    Images.ext(type, tree, file, options);
    Images.debugfsWrite(
        file,
        "mknod null c 1 3",
        "mknod disk b 8 1",
        "mknod pipe p",
        "mknod socket p",
        "set_inode_field socket mode 0140644",
        "ea_set direct user.small value",
        "ea_set direct security.other value",
        "ea_set indirect user.one 1",
        "ea_set -f \"%s\" indirect user.large".formatted(value),
        "ea_set -f \"%s\" a user.large".formatted(value),
        "ea_set fast user.of-a-link value");
    // Exit code 1 says that something was changed, such as a folder that has an index now.
    Processes.runAny("e2fsck", "-fyD", file.toString());
    Processes.run("e2fsck", "-fn", file.toString());
    return new ExtDamageSeed(name, file);
  }

  private void collect() throws IOException {
    add(Kind.SUPERBLOCK, (int) ExtLayout.SUPERBLOCK_OFFSET, 0x108, 4);
    if (isSealed()) {
      seals.addSuperblock();
      add(Kind.SUPERBLOCK, (int) ExtLayout.SUPERBLOCK_OFFSET + 0x108, 0x178, 4);
    }
    for (int group = 0; group < superblock.groups(); group++) {
      int at = (int) new BlockGroups(view, superblock).descriptor(group);
      add(Kind.GROUP, at, superblock.descriptorSize(), 4);
      if (isSealed()) {
        seals.addGroup(group, at, superblock.descriptorSize());
      }
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
    int at = (int) inode.offset();
    add(Kind.INODE, at, 128, 4);
    // Mode and link count are 16-bit fields.
    add(Kind.INODE, at, 2, 2);
    add(Kind.INODE, at + ExtLayout.I_LINKS_COUNT, 2, 2);
    if (superblock.inodeSize() > 128) {
      add(Kind.INODE, at + 128, 32, 2);
      add(Kind.ATTRIBUTE, at + 160, 64, 2);
    }
    if (isSealed()) {
      seals.addInode(inode.number(), at, superblock.inodeSize());
    }
    int attributes = bytes.getInt(at + ExtLayout.I_FILE_ACL);
    if (attributes != 0) {
      add(Kind.ATTRIBUTE, attributes * blockSize, 128, 2);
    }
    if ((inode.flags() & ExtLayout.INLINE_DATA_FL) != 0) {
      if (inode.type() == FileType.DIRECTORY) {
        add(Kind.ENTRY, at + ExtLayout.I_BLOCK, ExtLayout.I_BLOCK_SIZE, 2);
      }
    } else if (inode.type() == FileType.REGULAR || inode.type() == FileType.DIRECTORY) {
      if ((inode.flags() & ExtLayout.EXTENTS_FL) != 0) {
        addExtents(inode, at + ExtLayout.I_BLOCK);
      } else {
        for (int depth = 1; depth <= ExtLayout.MAX_DEPTH; depth++) {
          addIndirect(bytes.getInt(at + ExtLayout.I_BLOCK + (11 + depth) * 4), depth);
        }
      }
      BlockMap map = image.blockMap(inode);
      if (inode.type() == FileType.DIRECTORY) {
        for (int done = 0; done < inode.size(); done += blockSize) {
          int block = (int) map.imageOffset(done);
          addEntries(block);
          int tail = block + blockSize - ExtLayout.D_TAIL_SIZE;
          if (isSealed() && bytes.get(tail + ExtLayout.D_FILE_TYPE) == (byte) 0xde) {
            seals.addLeaf(inode.number(), at, block, tail);
          }
        }
      }
    }
  }

  private void addExtents(Inode inode, int node) {
    int size = ExtentLayout.ENTRY_SIZE;
    int entries = bytes.getShort(node + ExtentLayout.EH_ENTRIES);
    add(Kind.MAP, node, 8, 2);
    for (int i = 1; i <= entries; i++) {
      int entry = node + i * size;
      add(Kind.MAP, entry, 4, 4);
      add(Kind.MAP, entry + 4, 4, 2);
      add(Kind.MAP, entry + 8, 4, 4);
      if (bytes.getShort(node + ExtentLayout.EH_DEPTH) > 0) {
        int child = bytes.getInt(entry + ExtentLayout.EI_LEAF_LO) * blockSize;
        int max = bytes.getShort(child + ExtentLayout.EH_MAX);
        if (isSealed()) {
          seals.addBlock(inode.number(), (int) inode.offset(), child, child + (1 + max) * size);
        }
        addExtents(inode, child);
      }
    }
  }

  private void addIndirect(int block, int depth) {
    if (block != 0) {
      addPointers(block * blockSize);
      for (int i = 0; depth > 1 && i < blockSize / 4; i++) {
        addIndirect(bytes.getInt(block * blockSize + 4 * i), depth - 1);
      }
    }
  }

  private void addPointers(int block) {
    int count = blockSize / 4;
    for (int i = 0; i < count; i++) {
      if (i < 8 || i == count - 1 || bytes.getInt(block + 4 * i) != 0) {
        add(Kind.MAP, block + 4 * i, 4, 4);
      }
    }
  }

  private void addEntries(int block) {
    for (int at = block; at < block + blockSize; at += bytes.getShort(at + ExtLayout.D_REC_LEN)) {
      add(Kind.ENTRY, at, 4, 4);
      add(Kind.ENTRY, at + ExtLayout.D_REC_LEN, 2, 2);
      add(Kind.ENTRY, at + ExtLayout.D_NAME_LEN, 4, 1);
    }
  }
}
