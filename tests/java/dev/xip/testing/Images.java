package dev.xip.testing;

import dev.xip.host.HostMapping;
import dev.xip.image.ext.ExtImage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Makes file-system images with e2fsprogs and erofs-utils, and reads them with e2fsprogs and the
 * kernel.
 */
public final class Images {
  private static final long BLOCK = 4096;

  private Images() {}

  /** Visits a mounted file system. */
  @FunctionalInterface
  public interface MountVisitor {
    /**
     * Visits it.
     *
     * @param root the folder where the image is mounted
     * @throws IOException thrown to the caller of {@link #mounted}
     */
    void visit(Path root) throws IOException;
  }

  /**
   * Packs a tree as ext2 with 4 KiB blocks into a file beside the tree, named like it with {@code
   * .img} added.
   *
   * @param tree the folder to pack
   * @return the image
   * @throws IOException if mke2fs is missing or fails
   */
  public static Path ext2(Path tree) throws IOException {
    return ext2(tree, tree.resolveSibling(tree.getFileName() + ".img"), "-b", "4096");
  }

  /**
   * Packs a tree as ext2.
   *
   * @param tree the folder to pack
   * @param image the image to make
   * @param options more options of mke2fs, such as {@code -b 1024} or {@code -O ^filetype}
   * @return the image
   * @throws IOException if mke2fs is missing or fails
   */
  public static Path ext2(Path tree, Path image, String... options) throws IOException {
    return ext("ext2", tree, image, options);
  }

  /**
   * Packs a tree as ext2, ext3 or ext4.
   *
   * @param type the name of the format
   * @param tree the folder to pack
   * @param image the image to make
   * @param options more options of mke2fs, such as {@code -b 1024} or {@code -O ^filetype}
   * @return the image
   * @throws IOException if mke2fs is missing or fails
   */
  public static Path ext(String type, Path tree, Path image, String... options) throws IOException {
    long entries;
    try (Stream<Path> files = Files.walk(tree)) {
      entries = files.count();
    }
    String used = Processes.run("du", "-s", "-B1", tree.toString()).out().split("\\s")[0];
    // Indirect blocks, directories and inode tables are in addition to the files' own blocks.
    long blocks = (Long.parseLong(used) * 5 / 4 + entries * 512) / BLOCK + 2048;
    long larger = Math.max(0, unit(options) - BLOCK) * (entries + 2048);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(0);
      file.setLength(blocks * BLOCK + larger);
    }
    String inodes = Long.toString(entries + 64);
    String[] always = {"mke2fs", "-q", "-F", "-t", type, "-N", inodes, "-d", tree.toString()};
    Processes.run(
        Stream.of(List.of(always), Arrays.asList(options), List.of(image.toString()))
            .flatMap(List::stream)
            .toArray(String[]::new));
    return image;
  }

  /** The size of a block or a cluster that the options name: the least that a file takes. */
  private static long unit(String... options) {
    long unit = BLOCK;
    for (int i = 0; i < options.length - 1; i++) {
      if (options[i].equals("-b") || options[i].equals("-C")) {
        unit = Math.max(unit, Long.parseLong(options[i + 1]));
      }
    }
    return unit;
  }

  /**
   * Packs a tree as EROFS.
   *
   * @param tree the folder to pack
   * @param image the image to make
   * @param options more options of mkfs.erofs, such as {@code -zlz4}
   * @return the image
   * @throws IOException if mkfs.erofs fails
   */
  public static Path erofs(Path tree, Path image, String... options) throws IOException {
    Files.deleteIfExists(image);
    Processes.run(
        Stream.of(
                List.of("mkfs.erofs", "-d0"),
                Arrays.asList(options),
                List.of(image.toString(), tree.toString()))
            .flatMap(List::stream)
            .toArray(String[]::new));
    return image;
  }

  /**
   * Maps an image and opens it with our own reader.
   *
   * @param image the image
   * @param arena the arena of the mapping
   * @return the open image
   * @throws IOException if the reader refuses it
   */
  public static ExtImage open(Path image, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(image)) {
      HostMapping mapping = HostMapping.map(channel, image.toString());
      return ExtImage.open(
          image.toString(), mapping.memory().reinterpret(arena, memory -> mapping.close()));
    }
  }

  /**
   * Changes an image with debugfs.
   *
   * @param image the image
   * @param commands its commands, such as {@code set_inode_field <12> uid 70000}
   * @throws IOException if debugfs is missing or reports an error
   */
  public static void debugfsWrite(Path image, String... commands) throws IOException {
    debugfs(image, List.of(commands), "-w");
  }

  /**
   * Leaves new bytes of a file's first block in the journal of an image, as a crash does.
   *
   * @param image an image with a journal
   * @param path the file in it
   * @param bytes the bytes, a block
   * @throws IOException if debugfs is missing or reports an error
   */
  public static void journal(Path image, String path, byte[] bytes) throws IOException {
    String block = debugfs(image, List.of("bmap %s 0".formatted(path))).lines().toList().getLast();
    Path content = Files.createTempFile("xip-journal", "");
    try {
      Files.write(content, bytes);
      debugfsWrite(image, "jo", "jw -b %s \"%s\"".formatted(block, content), "jc");
    } finally {
      Files.delete(content);
    }
  }

  /**
   * Queries an image with debugfs, by one process for all commands.
   *
   * @param image the image
   * @param commands its commands; {@code <inode>} needs no quoting where a path would
   * @return what it printed, each answer after a line {@code debugfs: command}, one char per byte
   * @throws IOException if debugfs is missing or reports an error
   */
  public static String debugfs(Path image, List<String> commands) throws IOException {
    return debugfs(image, commands, "-c");
  }

  /**
   * Extracts an image with debugfs. Unless run as root it complains that it may not set owners, so
   * its messages are ignored: the caller checks the result.
   *
   * @param image the image
   * @param folder the folder to make
   * @return the folder
   * @throws IOException if debugfs cannot be run
   */
  public static Path dump(Path image, Path folder) throws IOException {
    Files.createDirectory(folder);
    Processes.run("debugfs", "-R", "rdump / \"%s\"".formatted(folder), image.toString());
    return folder;
  }

  private static String debugfs(Path image, List<String> commands, String mode) throws IOException {
    Path script = Files.createTempFile("xip-debugfs", ".cmd");
    try {
      Files.write(script, commands, StandardCharsets.UTF_8);
      Processes.Output output =
          Processes.run("debugfs", mode, "-f", script.toString(), image.toString());
      // debugfs always exits 0; on standard error only its version line is not a complaint.
      String complaints =
          output.err().lines().filter(line -> !line.startsWith("debugfs 1.")).toList().toString();
      if (!complaints.equals("[]")) {
        throw new IOException("debugfs %s: %s".formatted(image, complaints));
      }
      return output.out();
    } finally {
      Files.delete(script);
    }
  }

  /**
   * Mounts an image read-only, calls the visitor and unmounts the image in any case.
   *
   * @param image the image
   * @param driver the kernel's driver, such as {@code ext4}
   * @param visitor called with the mounted tree
   * @throws IOException if it cannot be mounted, or thrown by the visitor
   */
  public static void mounted(Path image, String driver, MountVisitor visitor) throws IOException {
    mounted(image, driver, "loop,ro", visitor);
  }

  /**
   * Mounts an image, calls the visitor and unmounts the image in any case.
   *
   * @param image the image
   * @param driver the kernel's driver, such as {@code ext4}
   * @param options of the mount, such as {@code loop}, which lets the visitor write
   * @param visitor called with the mounted tree
   * @throws IOException if it cannot be mounted, or thrown by the visitor
   */
  public static void mounted(Path image, String driver, String options, MountVisitor visitor)
      throws IOException {
    Path folder = Files.createTempDirectory("xip-mount");
    try {
      Processes.run("mount", "-t", driver, "-o", options, image.toString(), folder.toString());
      try {
        visitor.visit(folder);
      } finally {
        Processes.run("umount", folder.toString());
      }
    } finally {
      Files.delete(folder);
    }
  }

  /**
   * Mounts an image on a writable loop device, so that the kernel recovers it, calls the visitor
   * and unmounts the image in any case.
   *
   * @param image the image
   * @param options of mount(8), such as {@code ro}
   * @param visitor called with the mounted tree
   * @throws IOException if it cannot be mounted, or thrown by the visitor
   */
  public static void recovered(Path image, String options, MountVisitor visitor)
      throws IOException {
    String losetup = Judge.program("losetup").toString();
    String device = Processes.run(losetup, "--find", "--show", image.toString()).out().strip();
    try {
      Path folder = Files.createTempDirectory("xip-mount");
      try {
        Processes.run("mount", "-t", "ext4", "-o", options, device, folder.toString());
        try {
          visitor.visit(folder);
        } finally {
          Processes.run("umount", folder.toString());
        }
      } finally {
        Files.delete(folder);
      }
    } finally {
      Processes.run(losetup, "--detach", device);
    }
  }
}
