package dev.xip.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.host.OpenFolder;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.testing.HardTree;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An image holds what the folder holds, or packing fails. */
class PackedTreeTest {
  @TempDir Path folder;
  private PackFormat format = PackFormat.EXT2;

  private Path pack(Path tree) throws Exception {
    return pack(tree, ProgressListener.NONE);
  }

  private Path pack(Path tree, ProgressListener progress) throws Exception {
    Path image = folder.resolve("image");
    PackReport report = Packer.pack(tree, image, format, progress);
    assertThat(report.losses()).isEmpty();
    Processes.run("e2fsck", "-fn", image.toString());
    return image;
  }

  @ParameterizedTest
  @EnumSource(names = {"EXT2", "EXT4"})
  void theKernelSeesEverythingThatWasPacked(PackFormat each) throws Exception {
    format = each;
    Judge.loopMount();
    Path tree = HardTree.make(folder.resolve("tree"));
    Images.mounted(pack(tree), "ext4", root -> HardTree.requireSame(tree, root));
  }

  @Test
  void foldersAreNestedDeeperThanAPathCanTell() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    FileName name = FileName.of("a-folder-in-a-folder");
    int depth = 3_000;
    OpenFolder at = OpenFolder.open(tree);
    for (int i = 0; i < depth; i++) {
      OpenFolder next = at.make(name);
      at.close();
      at = next;
    }
    at.create(FileName.of("end"), 0600).close();
    at.close();
    try (Arena arena = Arena.ofConfined()) {
      FsImage image = Images.open(pack(tree), arena);
      Inode inode = image.root();
      for (int i = 0; i < depth; i++) {
        inode = image.inode(image.find(inode, name));
      }
      assertThat(image.find(inode, FileName.of("end"))).isPositive();
    } finally {
      Processes.run("rm", "-r", tree.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"EXT2", "EXT4"})
  void aFolderOfManyNamesAndLongLinksGetsWhatItNeeds(PackFormat each) throws Exception {
    format = each;
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (int i = 0; i < 20_000; i++) {
      Files.createFile(tree.resolve("an-entry-with-a-rather-long-name-" + i));
    }
    for (int i = 0; i < 2_000; i++) {
      Files.createSymbolicLink(tree.resolve("link" + i), Path.of("target/".repeat(100) + i));
    }
    Path image = pack(tree);
    String facts = Processes.run("dumpe2fs", "-h", image.toString()).out();
    assertThat(facts).containsPattern("Free blocks: +[0-4]?[0-9]\n");
  }

  @Test
  void aLinkWithManyNamesIsOneFile() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path first = Files.createSymbolicLink(tree.resolve("link"), Path.of("x".repeat(100)));
    for (int i = 0; i < 500; i++) {
      Files.createLink(tree.resolve("link" + i), first);
    }
    try (Arena arena = Arena.ofConfined()) {
      FsImage image = Images.open(pack(tree), arena);
      long number = image.find(image.root(), FileName.of("link"));
      assertThat(image.inode(number).links()).isEqualTo(501);
      assertThat(image.find(image.root(), FileName.of("link499"))).isEqualTo(number);
    }
  }

  @Test
  void noFolderIsAddedAndOneOfThatNameIsKept() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    try (Arena arena = Arena.ofConfined()) {
      FsImage image = Images.open(pack(tree), arena);
      assertThat(image.find(image.root(), FileName.of("lost+found"))).isEqualTo(-1);
    }
    Files.createFile(Files.createDirectory(tree.resolve("lost+found")).resolve("file"));
    try (Arena arena = Arena.ofConfined()) {
      FsImage image = Images.open(pack(tree), arena);
      Inode kept = image.inode(image.find(image.root(), FileName.of("lost+found")));
      assertThat(image.find(kept, FileName.of("file"))).isPositive();
    }
  }

  @Test
  void whatIsExcludedIsNotThereAndOwnersAreThoseAskedFor() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(Files.createDirectories(tree.resolve("a/b")).resolve("x.o"), "object");
    Files.writeString(tree.resolve("a/b/x.c"), "source");
    Files.writeString(tree.resolve("b"), "a file, no folder");
    Path image = folder.resolve("image");
    for (PackFormat each : new PackFormat[] {PackFormat.EXT2, PackFormat.EXT4}) {
      PackOptions options = new PackOptions(each, List.of("*.o", "b"), 12, 70_000);
      Packer.pack(tree, image, options, ProgressListener.NONE);
      try (Arena arena = Arena.ofConfined()) {
        FsImage packed = Images.open(image, arena);
        Inode a = packed.inode(packed.find(packed.root(), FileName.of("a")));
        assertThat(a.uid()).isEqualTo(12);
        assertThat(a.gid()).isEqualTo(70_000);
        assertThat(packed.find(a, FileName.of("b"))).isEqualTo(-1);
        assertThat(packed.find(packed.root(), FileName.of("b"))).isEqualTo(-1);
      }
      options = new PackOptions(each, List.of("a/*/*.o"), PackOptions.KEPT, PackOptions.KEPT);
      Packer.pack(tree, image, options, ProgressListener.NONE);
      Images.debugfs(image, List.of("stat /a/b/x.c"));
      assertThatThrownBy(() -> Images.debugfs(image, List.of("stat /a/b/x.o")))
          .hasMessageContaining("not found");
    }
  }

  @Test
  void aFileThatChangesWhileItIsPackedIsNamed() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("a"), "first");
    Path later = Files.writeString(tree.resolve("b"), "second");
    ProgressListener change =
        (done, total) -> {
          try {
            if (Files.exists(later) && Files.size(later) < 100) {
              Files.writeString(later, "longer".repeat(100));
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        };
    assertThatThrownBy(() -> pack(tree, change))
        .isInstanceOf(FileSystemException.class)
        .hasMessage(later + ": changed while it was packed");
    assertThat(folder.resolve("image")).doesNotExist();
  }

  @Test
  void anImageIsAsPrivateAsWhatIsInIt() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path file = Files.writeString(tree.resolve("file"), "text");
    String fresh = mode(Files.createFile(folder.resolve("fresh")));
    chmod(tree, "rwxr-xr-x");
    chmod(file, "rw-r--r--");
    assertThat(mode(pack(tree))).isEqualTo(fresh);
    Files.delete(folder.resolve("image"));
    chmod(file, "rw-------");
    assertThat(mode(pack(tree))).isEqualTo("rw-------");
    Files.delete(folder.resolve("image"));
    chmod(file, "rw-r--r--");
    chmod(tree, "rwx--x--x");
    assertThat(mode(pack(tree))).isEqualTo("rw-------");
    chmod(folder.resolve("image"), "rw-r-----");
    assertThat(mode(pack(tree))).isEqualTo("rw-r-----");
  }

  private static void chmod(Path file, String mode) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }
}
