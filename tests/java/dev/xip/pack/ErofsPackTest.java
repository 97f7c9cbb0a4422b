package dev.xip.pack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.host.HostPaths;
import dev.xip.image.PathResolver;
import dev.xip.mount.DirectoryListing;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is given to mkfs.erofs, and what it answers. */
class ErofsPackTest {
  @TempDir Path folder;

  @BeforeEach
  void needErofsUtils() {
    Judge.program("mkfs.erofs");
  }

  private static List<String> names(Path image, String directory) throws IOException {
    try (OpenImage open = OpenImage.open(image)) {
      return DirectoryListing.of(open.image(), PathResolver.resolve(open.image(), directory, true))
          .stream()
          .map(each -> each.name().toString())
          .toList();
    }
  }

  @Test
  void aFolderWhoseNameIsNotUtf8IsPacked() throws Exception {
    byte[] bytes = (folder + "/ n\"x").getBytes(System.getProperty("sun.jnu.encoding"));
    bytes[bytes.length - 1] = (byte) 0xfd;
    Path strange = Files.createDirectory(HostPaths.of(FileName.of(bytes)));
    Path plain = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(plain.resolve("file"), "bytes");
    Path archive = folder.resolve("a.tar");
    Processes.run("tar", "-C", plain.toString(), "-cf", archive.toString(), "file");
    Path tree = Files.move(plain, strange.resolve("tree"));
    Path tar = Files.move(archive, strange.resolve("a.tar"));
    PackOptions options = PackOptions.of(PackFormat.EROFS);

    Path image = strange.resolve("image");
    Packer.pack(tree, image, options, ProgressListener.NONE);
    assertThat(names(image, "/")).containsExactly("file");
    Packer.packTar(tar, image, options, ProgressListener.NONE);
    assertThat(names(image, "/")).containsExactly("file");
  }

  @Test
  void moreFilesAreLeftOutThanArgumentsCanName() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.createDirectory(tree.resolve("sub"));
    for (int i = 0; i < 800; i++) {
      Files.createFile(tree.resolve("sub/" + "n".repeat(60) + i + ".o"));
    }
    Files.writeString(tree.resolve("sub/kept"), "bytes");
    PackOptions options =
        new PackOptions(PackFormat.EROFS, List.of("*.o"), PackOptions.KEPT, PackOptions.KEPT);

    Path image = folder.resolve("image");
    PackReport report = Packer.pack(tree, image, options, ProgressListener.NONE);
    assertThat(names(image, "/")).containsExactly("sub");
    assertThat(names(image, "/sub")).containsExactly("kept");
    assertThat(report.losses()).isEmpty();
    assertThat(report.files()).isEqualTo(1);
  }

  @Test
  void exactlyTheFilesThatMkfsErofsLeavesOutAreNamed() throws Exception {
    String[] files = {"kept", "lost+found", "lost+foundry", "sub/lost+found"};
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.createDirectory(tree.resolve("sub"));
    for (String each : files) {
      Files.writeString(tree.resolve(each), "bytes");
    }
    Path tar = folder.resolve("a.tar");
    Processes.run("tar", "-C", tree.toString(), "-cf", tar.toString(), ".");
    Path image = folder.resolve("image");
    PackOptions options = PackOptions.of(PackFormat.EROFS);

    PackReport report = Packer.pack(tree, image, options, ProgressListener.NONE);
    assertMissing(report, tree + "/", files);
    report = Packer.packTar(tar, image, options, ProgressListener.NONE);
    assertMissing(report, tar + ":", files);
  }

  /** Asserts that the report names a file if and only if the image does not have it. */
  private static void assertMissing(PackReport report, String start, String... files)
      throws IOException {
    List<String> lost = report.losses().stream().map(each -> each.path().toString()).toList();
    for (String each : files) {
      Path path = Path.of("/" + each);
      boolean there =
          names(report.image(), path.getParent().toString())
              .contains(path.getFileName().toString());
      assertThat(lost.contains(start + each)).as(each).isEqualTo(!there);
    }
  }

  @Test
  void whatAnArchiveLosesOnItsWayIsNamed() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), "bytes");
    Path tar = folder.resolve("a.tar");
    Processes.run(
        "tar",
        "-C",
        tree.toString(),
        "--format=posix",
        "--mtime=2600-01-01",
        "-cf",
        tar.toString(),
        "file");
    PackReport report =
        Packer.packTar(
            tar, folder.resolve("image"), PackOptions.of(PackFormat.EROFS), ProgressListener.NONE);
    assertThat(report.losses())
        .extracting(each -> each.path() + ": " + each.what())
        .contains(tar + ":file: a time before 1901 or after 2446");
  }

  @Test
  void theReasonOfAFailureIsTheFirstErrorAndNotTheLastLine() {
    String erofs = "warning\n<E> erofs: no such folder\n<E> \tcould not format\nmkfs.erofs 1.5\n\n";
    assertThat(new Tool.Result(1, erofs).reason()).isEqualTo("erofs: no such folder");
    assertThat(new Tool.Result(1, "mke2fs 1.47\nno room\n\n").reason()).isEqualTo("no room");
    assertThat(new Tool.Result(1, "\n").reason()).isEqualTo("no message");
  }
}
