package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An EROFS image that is truncated while it is mapped gives checked exceptions. */
class TruncatedErofsImageTest {
  @TempDir Path folder;

  /** An operation that reads the image. */
  @FunctionalInterface
  private interface Reading {
    void run() throws IOException;
  }

  private Path pack(String option) throws IOException {
    Judge.program("mkfs.erofs");
    Path tree = Trees.small(folder.resolve("tree"));
    Trees.write(tree.resolve("random"), 0, 300_000, new Random(5));
    StringBuilder text = new StringBuilder();
    new Random(6).ints(150_000, 0, 1000).forEach(each -> text.append(each).append('\n'));
    Files.writeString(tree.resolve("text"), text);
    return Images.erofs(tree, folder.resolve("image"), option);
  }

  private static void cut(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(0);
    }
  }

  private static void assertReported(Path file, List<Reading> readings) throws IOException {
    for (Reading each : readings) {
      each.run();
    }
    cut(file);
    for (Reading each : readings) {
      assertThatExceptionOfType(CorruptImageException.class)
          .isThrownBy(each::run)
          .satisfies(
              damage -> {
                assertThat(damage.getFile()).isEqualTo(file.toString());
                assertThat(damage.found()).isEqualTo("0x0 bytes: it was truncated while in use");
              });
    }
  }

  @Test
  void everyMethodOfAnImageReportsATruncation() throws IOException {
    Path file = pack("-x1");
    try (OpenImage mount = OpenImage.open(file)) {
      FsImage image = mount.image();
      Inode root = image.root();
      Inode link = PathResolver.resolve(image, "link", false);
      Inode text = PathResolver.resolve(image, "text", false);
      assertReported(
          file,
          List.of(
              image::root,
              () -> image.inode(text.number()),
              () -> image.find(root, FileName.of("text")),
              () -> image.list(root, (name, number, type) -> true),
              () -> image.readLink(link),
              () -> image.extendedAttributes(text),
              () -> image.blockMap(text),
              () -> FileContent.of(image, text)));
    }
  }

  @Test
  void bytesThatAreDecodedReportATruncation() throws IOException {
    Path file = pack("-zlz4");
    try (OpenImage mount = OpenImage.open(file)) {
      FsImage image = mount.image();
      MemorySegment page = MemorySegment.ofArray(new byte[4096]);
      Inode text = PathResolver.resolve(image, "text", false);
      // Its bytes do not become fewer, so they are stored as they are.
      Inode random = PathResolver.resolve(image, "random", false);
      FileContent compressed = FileContent.of(image, text);
      FileContent plain = FileContent.of(image, random);
      assertThat(compressed.blockMap().verdict().copyable()).isFalse();
      assertReported(
          file,
          List.of(
              () -> {
                // Two extents, of which one at most is decoded already.
                compressed.read(0, page);
                compressed.read(500_000, page);
              },
              () -> plain.read(0, page),
              () -> image.decoder(text).decode(0)));
    }
  }
}
