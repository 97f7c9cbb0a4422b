package dev.xip.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.extract.CopyOut;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.HardTree;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of tar archives that GNU tar made. */
class TarPackTest {
  private static final PackOptions EXT4 = PackOptions.of(PackFormat.EXT4);

  @TempDir Path folder;

  private Path tar(Path tree, String... options) throws IOException {
    Path tar = folder.resolve("a.tar");
    String[] words = {"tar", "-C", tree.toString(), "-cf", tar.toString(), "--numeric-owner"};
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of(options));
    all.add(".");
    Processes.run(all.toArray(String[]::new));
    return tar;
  }

  private Path pack(Path tar, PackOptions options) throws IOException, InterruptedException {
    Path image = folder.resolve("image");
    PackReport report = Packer.packTar(tar, image, options, ProgressListener.NONE);
    assertThat(report.losses()).isEmpty();
    assertThat(report.notInPlace()).isEmpty();
    if (options.format() != PackFormat.EROFS) {
      Processes.run("e2fsck", "-fn", image.toString());
    }
    return image;
  }

  @Test
  void theKernelSeesEverythingThatIsInAnArchive() throws Exception {
    Judge.loopMount();
    Path tree = HardTree.make(folder.resolve("tree"));
    // GNU tar has access control lists as text only, labels apart from other attributes, and only
    // the first of several names of a pipe or device.
    Files.delete(tree.resolve("pipe2"));
    Files.delete(tree.resolve("null2"));
    Processes.run("setfacl", "-R", "-P", "-b", tree.toString());
    Processes.run(
        "sh", "-c", "cd \"$0\" && setfattr -h -x security.selinux . short null", "" + tree);
    Path tar = tar(tree, "--format=posix", "--sparse", "--xattrs", "--xattrs-include=*");
    Images.mounted(pack(tar, EXT4), "ext4", root -> HardTree.requireSame(tree, root));
  }

  @Test
  void archivesOfEveryFormatGiveTheSameFiles() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    Files.createDirectories(tree.resolve("d/".repeat(60) + "e"));
    Files.createSymbolicLink(tree.resolve("long"), Path.of("t".repeat(200)));
    Trees.write(tree.resolve("sparse"), 5_000_000, 5000, new Random(1));
    for (String format : new String[] {"gnu", "posix"}) {
      for (PackFormat each : PackFormat.values()) {
        if (each == PackFormat.EROFS) {
          Judge.program("mkfs.erofs");
        }
        Path image = pack(tar(tree, "--format=" + format, "--sparse"), PackOptions.of(each));
        Path copy = Files.createDirectory(folder.resolve("copy"));
        try (OpenImage mount = OpenImage.open(image)) {
          CopyOut.copy(
              mount,
              mount.image().root(),
              FileName.of(""),
              FileName.of(copy + "/"),
              new CopyOut.Options(true, true, true, true),
              ProgressListener.NONE);
        }
        Processes.run("diff", "-r", "--no-dereference", tree.toString(), copy.toString());
        Processes.run("rm", "-r", copy.toString());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format=posix",
        "--format=posix --sparse-version=0.1",
        "--format=posix --sparse-version=0.0",
        "--format=gnu"
      })
  void sparseFilesOfManyGibibytesAreKept(String form) throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    long[] places = new long[30];
    try (RandomAccessFile file = new RandomAccessFile(tree.resolve("sparse").toFile(), "rw")) {
      for (int i = 0; i < places.length; i++) {
        places[i] = i * 300_000_000L;
        file.seek(places[i]);
        file.writeLong(i + 1);
      }
      file.setLength(9L << 30);
    }
    List<String> options = new ArrayList<>(List.of(form.split(" ")));
    options.add("--sparse");
    try (OpenImage image = OpenImage.open(pack(tar(tree, options.toArray(String[]::new)), EXT4))) {
      Inode inode = PathResolver.resolve(image.image(), "/sparse", true);
      assertThat(inode.size()).isEqualTo(9L << 30);
      assertThat(inode.sectors()).isLessThan(1000);
      ByteBuffer bytes = ByteBuffer.allocate(2 * Long.BYTES);
      for (int i = 0; i < places.length; i++) {
        FileContent.of(image.image(), inode).read(places[i], MemorySegment.ofBuffer(bytes));
        assertThat(bytes.getLong(0)).isEqualTo(i + 1);
        assertThat(bytes.getLong(Long.BYTES)).isZero();
      }
    }
  }

  @Test
  void excludedFilesAndOwnersAreThoseAskedFor() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(Files.createDirectory(tree.resolve("sub")).resolve("junk.o"), "junk");
    Files.writeString(tree.resolve("kept"), "kept");
    PackOptions options = new PackOptions(PackFormat.EXT2, List.of("*.o"), 5, 6);
    try (OpenImage mount = OpenImage.open(pack(tar(tree), options))) {
      Inode kept = PathResolver.resolve(mount.image(), "/kept", true);
      assertThat(kept.uid()).isEqualTo(5);
      assertThat(kept.gid()).isEqualTo(6);
      assertThatThrownBy(() -> PathResolver.resolve(mount.image(), "/sub/junk.o", true))
          .isInstanceOf(NoSuchFileException.class);
      MemoryFaults.check(mount.image().name(), mount.image().memory());
    }
  }

  @Test
  void theSameArchiveGivesTheSameImage() throws Exception {
    Path tar = tar(Trees.small(folder.resolve("tree")));
    byte[] first = Files.readAllBytes(pack(tar, EXT4));
    Thread.sleep(1100);
    assertThat(pack(tar, EXT4)).hasBinaryContent(first);
  }

  @Test
  void whatIsNoArchiveIsRefusedInWords() throws Exception {
    Path text = Files.writeString(folder.resolve("text"), "no archive, but text".repeat(100));
    assertThatThrownBy(() -> pack(text, EXT4))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("tar archive");
    Path empty = Files.createFile(folder.resolve("empty"));
    assertThatThrownBy(() -> pack(empty, EXT4)).hasMessageContaining("tar archive");
    Path gzip = Files.write(folder.resolve("a.tar.gz"), new byte[] {0x1f, (byte) 0x8b, 8, 0});
    assertThatThrownBy(() -> pack(gzip, EXT4)).hasMessageContaining("gzip -dc " + gzip);
    assertThatThrownBy(() -> pack(folder, EXT4)).hasMessageContaining("Not a regular file");
    assertThat(folder.resolve("image")).doesNotExist();
  }

  @Test
  void namesThatLeadOutOfTheArchiveAreRefused() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("a"), "a");
    assertThatThrownBy(() -> pack(tar(tree, "--transform=s,a,../a,", "-P"), EXT4))
        .hasMessageContaining("leads out of the archive");
    Path tar = folder.resolve("a.tar");
    Files.createSymbolicLink(tree.resolve("l"), Path.of("/tmp"));
    Processes.run("tar", "-C", tree.toString(), "-cf", tar.toString(), "l");
    Processes.run(
        "tar", "-C", tree.toString(), "-rf", tar.toString(), "--transform=s,^a,l/a,", "a");
    assertThatThrownBy(() -> pack(tar, EXT4)).hasMessageContaining("that is no folder");
  }

  @Test
  void damagedArchivesArePackedOrRefusedAndNothingElse() throws Exception {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    Path tree = Trees.small(folder.resolve("tree"));
    Trees.write(tree.resolve("sparse"), 5_000_000, 5000, random);
    byte[] whole = Files.readAllBytes(tar(tree, "--format=posix", "--sparse"));
    for (int i = 0; i < 300; i++) {
      byte[] bytes = Arrays.copyOf(whole, whole.length - random.nextInt(2000));
      for (int j = random.nextInt(4); j >= 0; j--) {
        int header = random.nextInt(bytes.length / 512) * 512;
        bytes[header + random.nextInt(512)] = (byte) random.nextInt();
      }
      Path tar = Files.write(folder.resolve("damaged.tar"), bytes);
      try {
        TarTree.look(tar, EXT4).close();
      } catch (FileSystemException e) {
        assertThat(e.getReason()).as("-Dxip.seed=%d", seed).isNotEmpty();
      }
    }
  }
}
