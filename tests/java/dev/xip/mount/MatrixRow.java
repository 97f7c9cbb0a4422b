package dev.xip.mount;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One image of the matrix.
 *
 * @param tool the program that makes it: {@code mke2fs}, {@code genext2fs} or {@code mkfs.erofs}
 * @param options the options of the program, words separated by blanks
 * @param tune options of tune2fs, or empty
 * @param debugfs commands of debugfs for the empty image, separated by semicolons, or empty
 * @param mounted shell commands that run in the tree while the kernel has it mounted for writing
 * @param by who fills and mounts it
 */
record MatrixRow(String tool, String options, String tune, String debugfs, String mounted, By by) {
  /** What fills the image if the test runs as root, and whether the kernel can mount it. */
  enum By {
    /** The kernel fills and mounts it. */
    KERNEL,
    /** The tool fills it, the kernel mounts it. */
    TOOL,
    /** The tool fills it, and kernels mount it from some version on, or with some options. */
    TOOL_ALONE
  }

  private static final long MEBI = 1L << 20;
  private static final int PAGE = 4096;
  private static final Pattern BLOCK_SIZE = Pattern.compile("(?:^| )-[bB] (\\d+)");

  /** Mkfs.erofs 1.5 writes all zeros of a hole, and fails on names of 255 bytes. */
  private static final String NOT_IN_EROFS = "--exclude-path=huge --exclude-regex=^0{254}";

  static MatrixRow ext(String options) {
    return new MatrixRow("mke2fs", options, "", "", "", By.KERNEL);
  }

  static MatrixRow erofs(String options) {
    return new MatrixRow("mkfs.erofs", options, "", "", "", By.TOOL);
  }

  static MatrixRow genext2fs(String options) {
    return new MatrixRow("genext2fs", options, "", "", "", By.TOOL);
  }

  MatrixRow by(By other) {
    return new MatrixRow(tool, options, tune, debugfs, mounted, other);
  }

  MatrixRow tune2fs(String more) {
    return new MatrixRow(tool, options, more, debugfs, mounted, by);
  }

  MatrixRow debugfs(String commands) {
    return new MatrixRow(tool, options, tune, commands, mounted, by);
  }

  MatrixRow mounted(String commands) {
    return new MatrixRow(tool, options, tune, debugfs, commands, by);
  }

  boolean isExt() {
    return !tool.equals("mkfs.erofs");
  }

  int blockSize() {
    Matcher size = BLOCK_SIZE.matcher(options);
    return size.find() ? Integer.parseInt(size.group(1)) : PAGE;
  }

  /** The form of the test's name. */
  @Override
  public String toString() {
    String name = tool + " " + options;
    name += tune.isEmpty() ? "" : "; tune2fs " + tune;
    name += debugfs.isEmpty() ? "" : "; debugfs " + debugfs;
    name += mounted.isEmpty() ? "" : "; " + mounted;
    return tool.equals("mke2fs") && by != By.KERNEL ? name + ", from a folder" : name;
  }

  /**
   * Makes the image.
   *
   * @param file the file to make
   * @param tree the tree to pack
   */
  void make(Path file, Path tree) throws IOException {
    if (tool.equals("genext2fs")) {
      Files.deleteIfExists(file);
      long blocks = 40 * MEBI / blockSize();
      String always = "genext2fs -N 2000 -b %d ".formatted(blocks);
      Processes.run(words(always + options, "-d", tree.toString(), file.toString()));
    } else if (isExt()) {
      makeExt(file, tree);
    } else {
      Files.deleteIfExists(file);
      Judge.needs(
          !options.contains("--chunksize")
              || Files.getFileStore(file.getParent()).equals(Files.getFileStore(Path.of("/tmp"))),
          "temporary files on the file system of /tmp for mkfs.erofs");
      String always = "mkfs.erofs --quiet " + NOT_IN_EROFS + " ";
      Processes.run(words(always + options, file.toString(), tree.toString()));
    }
  }

  private void makeExt(Path file, Path tree) throws IOException {
    Files.deleteIfExists(file);
    try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
      sized.setLength((blockSize() > PAGE || options.contains("bigalloc") ? 256 : 40) * MEBI);
    }
    boolean byKernel = by == By.KERNEL && Judge.isRoot();
    String[] from = byKernel ? new String[0] : new String[] {"-d", tree.toString()};
    Processes.run(
        Stream.of(words("mke2fs -q -F " + options), from, new String[] {file.toString()})
            .flatMap(Stream::of)
            .toArray(String[]::new));
    if (!tune.isEmpty()) {
      Processes.run(words("tune2fs " + tune, file.toString()));
    }
    if (!debugfs.isEmpty()) {
      Images.debugfsWrite(file, debugfs.split("; *"));
    }
    if (byKernel) {
      Images.mounted(
          file,
          "ext4",
          "loop",
          root -> {
            Processes.run("cp", "-a", tree + "/.", root.toString());
            Processes.run("sh", "-c", "set -e; cd \"$0\"; " + mounted, root.toString());
          });
    } else {
      // Exit code 1 says that something was changed, such as a folder that has an index now.
      Processes.Output checked = Processes.runAny("e2fsck", "-fyD", file.toString());
      if (checked.exit() > 1) {
        throw new IOException("e2fsck: " + checked.out());
      }
    }
  }

  private static String[] words(String line, String... more) {
    List<String> words = new ArrayList<>(List.of(line.split(" +")));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }
}
