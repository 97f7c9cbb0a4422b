package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.image.CorruptImageException;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A small image to damage, and the claim that the damage is reported. */
abstract class DamagedImage {
  static final int SUPERBLOCK = (int) ExtLayout.SUPERBLOCK_OFFSET;

  @TempDir static Path folder;
  static byte[] sound;

  byte[] image;
  ByteBuffer bytes;

  @BeforeAll
  static void packATree() throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    Files.createSymbolicLink(tree.resolve("slow"), Path.of("s".repeat(100)));
    sound = Files.readAllBytes(Images.ext2(tree));
  }

  @BeforeEach
  void copyTheSoundImage() {
    image = sound.clone();
    bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
  }

  ExtImage open() throws IOException {
    return ExtImage.open("damaged.img", MemorySegment.ofArray(image));
  }

  Inode inode(String path) throws IOException {
    return PathResolver.resolve(open(), path, false);
  }

  int offset(String path) throws IOException {
    return (int) inode(path).offset();
  }

  /** Returns where the first block of a file lies. */
  int block(String path) throws IOException {
    return bytes.getInt(offset(path) + ExtLayout.I_BLOCK) * 4096;
  }

  static void assertDamage(ThrowingCallable reading, long offset, String expected, String found) {
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(reading)
        .satisfies(
            damage -> {
              assertThat(damage.getFile()).isEqualTo("damaged.img");
              assertThat(damage).hasMessageContaining("at byte 0x%x: ".formatted(offset));
              assertThat(damage.expected()).contains(expected);
              assertThat(damage.found()).contains(found);
            });
  }
}
