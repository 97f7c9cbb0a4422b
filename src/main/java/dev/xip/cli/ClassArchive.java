package dev.xip.cli;

import dev.xip.extract.ExtentTransfer;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.scenario.HostTree;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Runs typical commands once, so that a JVM started with {@code -XX:DumpLoadedClassList} lists the
 * classes that they load. The build runs it with its output in a file. Without mke2fs only the help
 * is run.
 */
final class ClassArchive {
  /** Offsets of the data of a sparse file: extents enough for the sort of large arrays. */
  private static final long[] LARGE = LongStream.range(0, 100).map(i -> i << 16).toArray();

  private ClassArchive() {}

  /**
   * Runs the commands.
   *
   * @param arguments none
   * @throws IOException if the scratch folder cannot be made or removed
   */
  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createTempDirectory("xip-classes");
    try {
      Main.run("--help");
      runOnImage(folder);
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path each : files.toList().reversed()) {
          Files.delete(each);
        }
      }
    }
  }

  private static void runOnImage(Path folder) throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), "a few bytes\n");
    try (RandomAccessFile large = new RandomAccessFile(tree.resolve("large").toFile(), "rw")) {
      for (long at : LARGE) {
        large.seek(at);
        large.write(1);
      }
    }
    Files.createSymbolicLink(tree.resolve("link"), Path.of("file"));
    String program = HostTree.find("true");
    if (program != null) {
      new HostTree(tree).add(program);
    }
    String image = folder.resolve("image").toString();
    String store = folder.resolve("store").toString();
    if (Main.run("pack", tree.toString(), image) != Main.DONE) {
      return;
    }
    for (List<String> command :
        List.of(
            List.of("ls", "-l", "-R", image),
            List.of("ls", "--json", image),
            List.of("cat", image, "/link"),
            List.of("paths", "--", image, "/f"),
            List.of("stat", image, "/file"),
            List.of("check", image),
            List.of("cp", "-r", image, "/", folder.resolve("copy").toString()),
            List.of("segment", "define", "ARCHIVE", "--from", image, "--store", store),
            List.of("segment", "list", "--store", store),
            // Without /dev/kvm this is one line that says so.
            List.of("run", image, String.valueOf(program)),
            List.of("cat", image, "/missing"))) {
      Main.run(command.toArray(String[]::new));
    }
    try (OpenImage mount = OpenImage.open(Path.of(image));
        FileChannel device = FileChannel.open(Path.of("/dev/null"), StandardOpenOption.WRITE)) {
      Inode large = PathResolver.resolve(mount.image(), "/large", true);
      ExtentTransfer.toDevice(mount).stream(large, device);
    }
  }
}
