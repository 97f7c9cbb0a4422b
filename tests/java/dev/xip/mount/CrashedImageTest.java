package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Images that the kernel was writing to, copied at moments when the journal holds what their places
 * do not: we read from the copy what the kernel and e2fsck recover from it.
 *
 * <p>{@code -Dxip.seed=S} repeats the changes.
 */
class CrashedImageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int STEPS = 25;
  private static final int COPIES = 2;

  @TempDir Path folder;

  @BeforeAll
  static void needAKernel() throws IOException {
    Judge.loopMount();
    System.err.println("CrashedImageTest: -Dxip.seed=" + SEED);
  }

  @ParameterizedTest
  @CsvSource({
    "-t ext3 -b 4096, data=ordered",
    "-t ext3 -b 4096, data=journal",
    "-t ext3 -b 1024 -I 256, data=writeback",
    "-t ext4 -b 4096, data=journal",
    "-t ext4 -b 1024, data=ordered",
    "-t ext4 -b 4096 -O orphan_file, data=ordered",
  })
  void aCrashedImageIsReadAsItIsRecovered(String made, String mounted) throws IOException {
    Random random = new Random(SEED);
    Path image = made(made);
    List<Path> copies = new ArrayList<>();
    Images.recovered(
        image,
        mounted + ",commit=300",
        root -> {
          List<Path> folders = new ArrayList<>(List.of(root));
          List<FileChannel> deleted = new ArrayList<>();
          try {
            for (int i = 0; i < COPIES; i++) {
              for (int step = 0; step < STEPS; step++) {
                change(random, folders, deleted);
              }
              Path gone = Files.writeString(root.resolve("gone"), "still open");
              deleted.add(FileChannel.open(gone));
              Files.delete(gone);
              copies.add(copied(image, folder.resolve("crash" + i + ".img")));
            }
          } finally {
            for (FileChannel each : deleted) {
              each.close();
            }
          }
        });
    for (Path copy : copies) {
      judge(copy, made + " " + mounted);
    }
  }

  private Path made(String options) throws IOException {
    Path image = folder.resolve("live.img");
    List<String> command = new ArrayList<>(List.of("mke2fs", "-q", "-F"));
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of(image.toString(), "24M"));
    Processes.run(command.toArray(String[]::new));
    return image;
  }

  @Test
  void fastCommitsOfTheKernelAreRefusedByNameButNotWithoutRecovery() throws IOException {
    Path image = made("-t ext4 -O fast_commit");
    Path crashed = folder.resolve("crash.img");
    Images.recovered(
        image,
        "commit=300",
        root -> {
          try (FileChannel file =
              FileChannel.open(
                  root.resolve("file"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 10; i++) {
              file.write(ByteBuffer.wrap(new byte[5000]));
              file.force(true);
            }
          }
          copied(image, crashed);
        });
    assertThatThrownBy(() -> OpenImage.open(crashed).close())
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("feature fast_commit")
        .hasMessageContaining("e2fsck -fy on a copy recovers it");
    try (OpenImage open = OpenImage.open(ImageSource.of(crashed).with(Recovery.NONE))) {
      assertThat(open.image().root().number()).isEqualTo(2);
    }
  }

  /** Copies until two copies are equal: the kernel may write in the meantime. */
  private static Path copied(Path image, Path copy) throws IOException {
    do {
      Files.copy(image, copy, StandardCopyOption.REPLACE_EXISTING);
    } while (Files.mismatch(image, copy) >= 0);
    return copy;
  }

  /** Changes one file, and often waits until the change is in the journal. */
  private static void change(Random random, List<Path> folders, List<FileChannel> deleted)
      throws IOException {
    Path in = folders.get(random.nextInt(folders.size()));
    Path path = in.resolve("f" + random.nextInt(30));
    switch (random.nextInt(12)) {
      case 0 -> {
        Path made = in.resolve("d" + folders.size());
        folders.add(Files.createDirectory(made));
      }
      case 1 -> Files.deleteIfExists(path);
      case 2 -> {
        Files.deleteIfExists(path);
        Files.createSymbolicLink(path, Path.of("x".repeat(1 + random.nextInt(200))));
      }
      case 3 -> {
        Path other = folders.get(random.nextInt(folders.size())).resolve("f" + random.nextInt(30));
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
          Files.move(path, other, StandardCopyOption.REPLACE_EXISTING);
        }
      }
      case 4 -> {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          deleted.add(FileChannel.open(path));
          Files.delete(path);
        }
      }
      case 5 -> {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          byte[] value = new byte[1 + random.nextInt(400)];
          random.nextBytes(value);
          Files.setAttribute(path, "user:a" + random.nextInt(3), value);
          Files.setAttribute(path, "unix:uid", random.nextInt(100_000));
        }
      }
      case 6 -> {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            file.truncate(random.nextInt(50_000));
            file.force(true);
          }
        }
      }
      default -> write(random, path);
    }
    if (random.nextInt(4) == 0) {
      try (FileChannel directory = FileChannel.open(in)) {
        directory.force(true);
      }
    }
  }

  private static void write(Random random, Path path) throws IOException {
    if (Files.isSymbolicLink(path)) {
      Files.delete(path);
    }
    byte[] bytes = new byte[random.nextInt(60_000)];
    random.nextBytes(bytes);
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(bytes), random.nextInt(100_000));
      if (random.nextBoolean()) {
        file.force(true);
      }
    }
  }

  private static void judge(Path copy, String told) throws IOException {
    byte[] before = Files.readAllBytes(copy);
    Map<String, List<Object>> ours = new TreeMap<>();
    try (OpenImage mount = OpenImage.open(copy)) {
      assertThat(mount.overlay().isEmpty()).as(told).isFalse();
      collect(mount.image(), ours);
    }
    assertThat(Files.readAllBytes(copy)).as("the image is not written").isEqualTo(before);
    Path checked = copy.resolveSibling("checked.img");
    Files.write(checked, before);
    Processes.Output fsck = Processes.runAny("e2fsck", "-fy", checked.toString());
    assertThat(fsck.exit()).as(told + fsck.out() + fsck.err()).isLessThan(2);
    Map<String, List<Object>> theirs = new TreeMap<>();
    try (OpenImage mount = OpenImage.open(checked)) {
      assertThat(mount.overlay().isEmpty()).as(told).isTrue();
      collect(mount.image(), theirs);
    }
    assertThat(ours).as("e2fsck, " + told).isEqualTo(theirs);
    Map<String, List<Object>> kernel = new TreeMap<>();
    Images.recovered(copy, "ro,noatime", root -> collect(root, root, kernel));
    assertThat(ours).as("kernel, " + told).isEqualTo(kernel);
  }

  private static void collect(FsImage image, Map<String, List<Object>> all) throws IOException {
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          Map<String, Integer> attributes = new TreeMap<>();
          image
              .extendedAttributes(inode)
              .forEach((name, value) -> attributes.put(name.toString(), Arrays.hashCode(value)));
          List<Object> facts =
              List.of(
                  inode.number(),
                  inode.mode(),
                  inode.uid(),
                  inode.gid(),
                  inode.links(),
                  inode.size(),
                  inode.modified(),
                  inode.changed(),
                  content(image, inode),
                  attributes);
          all.put(walk.path().toString(), facts);
        });
  }

  private static Object content(FsImage image, Inode inode) throws IOException {
    return switch (inode.type()) {
      case REGULAR -> {
        byte[] bytes = new byte[(int) inode.size()];
        FileContent.of(image, inode).read(0, MemorySegment.ofArray(bytes));
        yield Arrays.hashCode(bytes);
      }
      case SYMLINK -> image.readLink(inode).toString();
      default -> "";
    };
  }

  private static void collect(Path root, Path path, Map<String, List<Object>> all)
      throws IOException {
    Map<String, Object> facts = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
    Object content = "";
    boolean directory = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    if (Files.isSymbolicLink(path)) {
      content = Files.readSymbolicLink(path).toString();
    } else if (!directory) {
      content = Arrays.hashCode(Files.readAllBytes(path));
    }
    all.put(
        root.relativize(path).toString(),
        List.of(
            facts.get("ino"),
            facts.get("mode"),
            (long) (int) facts.get("uid"),
            (long) (int) facts.get("gid"),
            (long) (int) facts.get("nlink"),
            facts.get("size"),
            ((FileTime) facts.get("lastModifiedTime")).toInstant(),
            ((FileTime) facts.get("ctime")).toInstant(),
            content,
            attributes(path)));
    if (directory) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
        for (Path child : children) {
          collect(root, child, all);
        }
      }
    }
  }

  /** The attributes of users, which links do not have. */
  private static Map<String, Integer> attributes(Path path) throws IOException {
    Map<String, Integer> attributes = new TreeMap<>();
    if (!Files.isSymbolicLink(path)) {
      UserDefinedFileAttributeView view =
          Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
      for (String name : view.list()) {
        ByteBuffer value = ByteBuffer.allocate(view.size(name));
        view.read(name, value);
        attributes.put("user." + name, Arrays.hashCode(value.array()));
      }
    }
    return attributes;
  }
}
