package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the verdict on a compressed file says. */
class CompressionTest {
  @TempDir Path folder;
  private byte[] image;
  private ErofsImage opened;

  @BeforeEach
  void pack() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.write(tree.resolve("file"), new byte[300_000]);
    image = Files.readAllBytes(Images.erofs(tree, folder.resolve("image"), "-zlz4"));
    // Other algorithms are written over the one of mkfs.erofs.
    image[(int) ErofsLayout.SUPERBLOCK_OFFSET + ErofsLayout.S_FEATURE_COMPAT] &=
        ~ErofsFeatures.COMPAT_CHECKSUM;
    opened = ErofsImage.open("image", MemorySegment.ofArray(image));
  }

  private Inode file() throws IOException {
    return PathResolver.resolve(opened, "file", true);
  }

  private int algorithms() throws IOException {
    ByteView view = new ByteView(MemorySegment.ofArray(image), "image", CorruptImageException::new);
    InodeTable inodes = new InodeTable(view, Superblock.read(view), new Metabox(() -> view));
    long end = inodes.body(file()).end();
    return (int) (end + 7 & -8) + ErofsLayout.H_ALGORITHMS;
  }

  @Test
  void aFileOfLz4IsReadByCopy() throws IOException {
    Verdict verdict = opened.blockMap(file()).verdict();
    assertThat(verdict).isEqualTo(Verdict.COMPRESSED_LZ4);
    assertThat(verdict.reason()).isEqualTo("compressed with LZ4");
    assertThat(verdict.isReadable()).isTrue();
    assertThat(FileContent.of(opened, file()).size()).isEqualTo(300_000);
  }

  @ParameterizedTest
  @CsvSource({"0x01, LZMA", "0x02, DEFLATE", "0x03, Zstandard", "0x10, LZMA", "0x30, Zstandard"})
  void aFileOfAnotherAlgorithmIsRefusedByItsName(int algorithms, String name) throws IOException {
    image[algorithms()] = (byte) algorithms;
    Verdict verdict = opened.blockMap(file()).verdict();
    assertThat(verdict.reason()).isEqualTo("compressed with " + name);
    assertThat(verdict.isReadable()).isFalse();
    assertThatThrownBy(() -> FileContent.of(opened, file()))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining(verdict.reason());
  }

  @Test
  void anUnknownAlgorithmIsDamageWhereItIsRead() throws IOException {
    image[algorithms()] = 9;
    assertThat(opened.blockMap(file()).verdict()).isEqualTo(Verdict.COMPRESSED);
    assertThatThrownBy(() -> FileContent.of(opened, file()))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("the compression 9");
  }
}
