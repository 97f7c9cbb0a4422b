package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Group descriptors are found whatever their size. */
class BlockGroupsTest {
  @ParameterizedTest
  @ValueSource(ints = {32, 64, 1024})
  void descriptorsLieAsFarApartAsTheSuperblockSays(int size) throws IOException {
    byte[] image = new byte[32 * ExtLayout.BLOCK_SIZE];
    int descriptor = ExtLayout.BLOCK_SIZE + 3 * size;
    ByteBuffer.wrap(image)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(descriptor + ExtLayout.BG_BLOCK_BITMAP, 25)
        .putInt(descriptor + ExtLayout.BG_INODE_TABLE, 26);
    FsInfo info = new FsInfo("ext2", "", "", ExtLayout.BLOCK_SIZE, 32, 0, 64, 0, List.of());
    Superblock superblock = new Superblock(32, 8, 64, 16, 256, size, 11, true, info);
    BlockGroups groups =
        new BlockGroups(
            new ByteView(MemorySegment.ofArray(image), "large.img", CorruptImageException::new),
            superblock);
    assertThat(groups.blockBitmap(3)).isEqualTo(25);
    assertThat(groups.inode(3 * 16 + 2)).isEqualTo(26 * ExtLayout.BLOCK_SIZE + 256);
    assertThat(groups.descriptorBlocks()).isEqualTo(Math.ceilDiv(4 * size, 4096));
  }
}
