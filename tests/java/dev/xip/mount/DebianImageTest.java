package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.DebianTree;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;

/**
 * Images of Debian are read as the kernel reads them: one that mmdebstrap makes by itself, and the
 * root file system that it makes in a folder, packed by mke2fs and mkfs.erofs. Compared is all that
 * {@link ImageMatrixTest} compares.
 */
@ExtendWith(DebianImageTest.Tree.class)
class DebianImageTest {
  private static Path tree;

  @TempDir Path folder;

  /** Takes the tree that tests share. */
  static final class Tree implements BeforeEachCallback {
    @Override
    public void beforeEach(ExtensionContext context) {
      tree = DebianTree.of(context).path();
    }
  }

  @BeforeAll
  static void needJudge() throws IOException {
    Judge.loopMount();
  }

  @Test
  void anImageThatMmdebstrapMakesIsReadAsByTheKernel() throws IOException {
    Path image = folder.resolve("debian.ext2");
    DebianTree.mmdebstrap(
        image, "--quiet", "--variant=extract", "--include=base-files,bash,ca-certificates");
    assertReadAsByTheKernel(image, "ext4", 1000);
  }

  @Test
  void aRootFileSystemInExt4IsReadAsByTheKernel() throws IOException {
    Path image = Images.ext("ext4", tree, folder.resolve("image"), "-b", "4096");
    assertReadAsByTheKernel(image, "ext4", 10_000);
  }

  @Test
  void aRootFileSystemInErofsIsReadAsByTheKernel() throws IOException {
    Judge.program("mkfs.erofs");
    assertReadAsByTheKernel(Images.erofs(tree, folder.resolve("image")), "erofs", 10_000);
  }

  private static void assertReadAsByTheKernel(Path image, String driver, int atLeast)
      throws IOException {
    try (OpenImage opened = OpenImage.open(image);
        FileSystem files = FileSystems.newFileSystem(image)) {
      SeenTree ours = SeenTree.of(opened.image());
      SeenTree provided = SeenTree.of(files.getPath("/"), ours);
      Images.mounted(
          image,
          driver,
          root -> {
            SeenTree judge = SeenTree.of(root);
            assertThat(judge.files).hasSizeGreaterThan(atLeast);
            SeenTree.assertSame(ours, judge);
            SeenTree.assertSame(provided, judge);
          });
    }
    Files.delete(image);
  }
}
