package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The blocks of every group are where dumpe2fs says they are. */
class BlockGroupsTest {
  private static final Pattern GROUP =
      Pattern.compile(
          "Group (\\d+): \\(Blocks (\\d+)-(\\d+)\\).*?"
              + "Block bitmap at (\\d+).*?Inode bitmap at (\\d+).*?Inode table at (\\d+)",
          Pattern.DOTALL);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-b 4096 -g 1024",
        "-b 1024 -g 256 -O ^sparse_super,^resize_inode",
        "-b 1024 -g 256 -O meta_bg,^resize_inode,64bit,extent",
        "-b 4096 -g 256 -O meta_bg,^resize_inode,extent,sparse_super2,metadata_csum",
        "-b 1024 -g 256 -O 64bit,extent -E desc_size=256",
        "-b 2048 -g 256 -O flex_bg,sparse_super2,uninit_bg -G 4",
        "-b 1024 -C 4096 -g 1024 -O bigalloc,extent,meta_bg,^resize_inode"
      })
  void everyGroupIsFound(String options) throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (int i = 0; i < 1000; i++) {
      Files.createFile(tree.resolve("file" + i));
    }
    Path file = Images.ext2(tree, folder.resolve("groups.img"), options.split(" "));
    ByteView view =
        new ByteView(
            MemorySegment.ofArray(Files.readAllBytes(file)),
            "groups.img",
            CorruptImageException::new);
    Superblock superblock = Superblock.read(view);
    BlockGroups groups = new BlockGroups(view, superblock);
    Matcher theirs = GROUP.matcher(Processes.run("dumpe2fs", file.toString()).out());
    for (long group = 0; group < superblock.groups(); group++) {
      assertThat(theirs.find()).isTrue();
      assertThat(theirs.group(1)).isEqualTo(Long.toString(group));
      assertThat(groups.firstBlock(group)).isEqualTo(Long.parseLong(theirs.group(2)));
      assertThat(groups.firstBlock(group) + groups.blocks(group) - 1)
          .isEqualTo(Long.parseLong(theirs.group(3)));
      assertThat(groups.blockBitmap(group)).isEqualTo(Long.parseLong(theirs.group(4)));
      assertThat(groups.inodeBitmap(group)).isEqualTo(Long.parseLong(theirs.group(5)));
      assertThat(groups.inodeOffset(Math.max(11, group * superblock.inodesPerGroup() + 1)))
          .isEqualTo(
              Long.parseLong(theirs.group(6)) * superblock.blockSize()
                  + (group == 0 ? 10L * superblock.inodeSize() : 0));
      assertThat(groups.hasCopies(group)).isEqualTo(theirs.group().contains("superblock at"));
    }
    assertThat(theirs.find()).isFalse();
  }

  @Test
  void aGroupBehindTheEndOfTheImageIsDamageWhateverItsNumber() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    ByteView view =
        CorruptImageException.view(
            MemorySegment.ofArray(Files.readAllBytes(Images.ext2(tree))), "groups.img");
    Superblock real = Superblock.read(view);
    long groups = 0xffff_ffffL;
    Superblock large =
        new Superblock(
            real.blockShift(),
            groups,
            0,
            1,
            0,
            groups,
            1,
            real.inodeSize(),
            real.descriptorSize(),
            real.firstMetaTable(),
            real.backups(),
            real.firstInode(),
            real.features(),
            real.checksums(),
            real.info());
    for (long number : new long[] {0x7fff_ffffL, 0x8000_0001L, groups}) {
      assertThatExceptionOfType(CorruptImageException.class)
          .isThrownBy(() -> new BlockGroups(view, large).inode(number));
    }
  }
}
