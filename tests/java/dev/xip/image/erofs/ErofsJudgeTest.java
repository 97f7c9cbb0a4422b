package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.HardTree;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.MountedTree;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Images of a hard tree, made by mkfs.erofs in many forms, are what the kernel says they are. */
class ErofsJudgeTest {
  /** Options of mkfs.erofs. */
  private static final List<String> FORMS =
      List.of(
          "-x2",
          "-x0 -Eforce-inode-extended",
          "-x1000",
          "-Enoinline_data",
          "-b512",
          "-b1024 -Enoinline_data",
          "-b2048 -zlz4",
          "--chunksize=4096",
          "--chunksize=1048576 -Eforce-chunk-indexes",
          "-T1000000000 --all-root",
          "--xattr-prefix=trusted. --xattr-prefix=user.n1 -x0",
          "-zlz4",
          "-zlz4 -Elegacy-compress",
          "-zlz4 -C65536",
          "-zlz4 -C16384 -Eztailpacking",
          "-zlz4 -C1048576",
          "-zlz4 -Efragments",
          "-zlz4 -Eall-fragments,dedupe -C32768",
          "-zlz4 -E48bit",
          "-zlz4 -E48bit,fragments -b1024",
          "-zlz4 -m4096",
          "-zlz4 -m4096 -x1 --xattr-prefix=trusted. -Efragments",
          "-zlz4 --zD=1",
          "--MZ=id",
          "-zlzma",
          "-zdeflate:lz4 -Efragments",
          "-zzstd -C65536");

  @TempDir static Path folder;
  private static Path tree;

  @BeforeAll
  static void makeTheTree() throws IOException {
    Judge.loopMount();
    tree = HardTree.make(folder.resolve("tree"));
    // What mkfs.erofs 1.5 cannot pack or leaves out.
    Files.delete(tree.resolve("0".repeat(255)));
    Files.delete(tree.resolve("lost+found"));
    Files.delete(tree.resolve("deep"));
    // Bytes that LZ4 makes smaller, and a directory of several blocks.
    Processes.run(
        "sh",
        "-c",
        "cd \"$0\"; seq 1 200000 >numbers; head -c 5000 numbers >few; mkdir crowd;"
            + " for i in $(seq 1 600); do echo $i >crowd/one-of-many-names-$i; done",
        tree.toString());
  }

  /** The forms that this host's mkfs.erofs makes; the others are named, and not judged. */
  static List<String> forms() throws IOException {
    Judge.program("mkfs.erofs");
    List<String> made = new ArrayList<>();
    for (String each : FORMS) {
      if (isMade(each)) {
        made.add(each);
      } else {
        System.out.printf("ErofsJudgeTest: not judged, mkfs.erofs does not make: %s%n", each);
      }
    }
    return made;
  }

  /** Whether the option is taken, and leads to the feature that it names. */
  private static boolean isMade(String options) throws IOException {
    Path image = folder.resolve("probe");
    try {
      Images.erofs(tree, image, options.split(" "));
    } catch (IOException e) {
      return false;
    }
    byte[] bytes = Files.readAllBytes(image);
    String features =
        ErofsImage.open("probe.img", MemorySegment.ofArray(bytes)).info().features().toString();
    return Stream.of("ztailpacking", "fragments", "48bit")
        .allMatch(each -> !options.contains(each) || features.contains(each));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void anImageIsWhatTheKernelMounts(String options) throws IOException {
    Path file = folder.resolve("image");
    Images.erofs(tree, file, options.split(" "));
    byte[] bytes = Files.readAllBytes(file);
    ErofsImage image = ErofsImage.open("judged.img", MemorySegment.ofArray(bytes));
    Images.mounted(
        file,
        "erofs",
        root -> {
          int refused = MountedTree.requireSame(image, root);
          boolean others = options.matches(".*-z(lzma|deflate|zstd).*");
          assertThat(refused > 0).as("%d refused", refused).isEqualTo(others);
        });
  }
}
