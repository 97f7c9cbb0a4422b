package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the kernel's ext4 driver wrote, not mke2fs, is read as the kernel reads it. */
class KernelWrittenTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-b 4096",
        "-b 1024 -O bigalloc -C 8192",
        "-b 1024 -O uninit_bg,^metadata_csum",
        "-b 4096 -O ^extent,^64bit"
      })
  void everyByteIsWhatTheKernelReads(String options) throws IOException {
    Judge.loopMount();
    Path file = folder.resolve("written.img");
    List<String> command = new ArrayList<>(List.of("mke2fs", "-q", "-F", "-t", "ext4"));
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of(file.toString(), "64M"));
    Processes.run(command.toArray(String[]::new));
    Path root = Files.createDirectory(folder.resolve("mount"));
    Processes.run("mount", "-t", "ext4", "-o", "loop", file.toString(), root.toString());
    try {
      write(root, options.contains("^extent"));
    } finally {
      Processes.run("umount", root.toString());
    }
    try (Arena arena = Arena.ofShared()) {
      ExtImage image = Images.open(file, arena);
      Images.mounted(file, "ext4", mounted -> assertSame(image, mounted));
    }
  }

  private static void write(Path root, boolean indirect) throws IOException {
    Random random = new Random(7);
    // Blocks allocated in an order that is not that of the file.
    for (int i = 0; i < 400; i++) {
      put(root.resolve("comb"), (i * 257L & 1023) * 6000, 1 + random.nextInt(4000), random);
    }
    put(root.resolve("solid"), 0, 900_000, random);
    Files.createSymbolicLink(root.resolve("slow"), Path.of("t".repeat(80)));
    Path crowd = Files.createDirectory(root.resolve("crowd"));
    for (int i = 0; i < 600; i++) {
      put(crowd.resolve("a-name-to-fill-blocks-" + i), 0, i % 40, random);
    }
    for (int i = 0; i < 600; i += 3) {
      Files.delete(crowd.resolve("a-name-to-fill-blocks-" + i));
    }
    if (!indirect) {
      Path unwritten = root.resolve("unwritten");
      Processes.run("fallocate", "-l", "2000000", unwritten.toString());
      put(unwritten, 700_000, 10_000, random);
      String solid = root.resolve("solid").toString();
      Processes.run("fallocate", "-n", "-l", "3000000", solid);
      Processes.run("fallocate", "-p", "-o", "100000", "-l", "200000", solid);
      Processes.run("fallocate", "-z", "-o", "0", "-l", "50000", solid);
    }
  }

  private static void put(Path file, long offset, int length, Random random) throws IOException {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.seek(offset);
      out.write(bytes);
    }
  }

  private static void assertSame(ExtImage image, Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : (Iterable<Path>) all.filter(each -> !each.equals(root))::iterator) {
        String name = root.relativize(path).toString();
        Inode inode = PathResolver.resolve(image, name, false);
        ExtJudgeTest.assertSameAttributes(path, inode);
        if (inode.type() == FileType.REGULAR) {
          byte[] bytes = new byte[(int) inode.size()];
          FileContent.of(image, inode).read(0, MemorySegment.ofArray(bytes));
          assertThat(bytes).as(name).isEqualTo(Files.readAllBytes(path));
        } else if (Files.isSymbolicLink(path)) {
          assertThat(image.readLink(inode)).hasToString(Files.readSymbolicLink(path).toString());
        } else {
          assertThat(Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)).isTrue();
        }
      }
    }
  }
}
