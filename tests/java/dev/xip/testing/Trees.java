package dev.xip.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** Makes trees of files to pack. The content of a tree depends only on its seed. */
public final class Trees {
  /** The file offset at which triple indirection begins with 4 KiB blocks. */
  public static final long TRIPLE_INDIRECT = 4096L * (12 + 1024 + 1024 * 1024);

  private static final long MEBI = 1L << 20;

  private Trees() {}

  /**
   * Names a file below a folder by its bytes, independent of the host's locale.
   *
   * @param folder the folder
   * @param name the name, or several with slashes between them
   * @return the path
   */
  public static Path child(Path folder, byte[] name) {
    StringBuilder uri = new StringBuilder(folder.toUri().toString());
    if (uri.charAt(uri.length() - 1) != '/') {
      uri.append('/');
    }
    for (byte b : name) {
      uri.append(b == '/' ? "/" : "%%%02X".formatted(b & 0xff));
    }
    return Path.of(URI.create(uri.toString()));
  }

  /**
   * Returns the bytes of a file's name, independent of the host's locale.
   *
   * @param path the path
   * @return the bytes of its last name
   */
  public static byte[] nameBytes(Path path) {
    String raw = path.toUri().getRawPath().replaceFirst("/$", "");
    String name = raw.substring(raw.lastIndexOf('/') + 1);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) == '%') {
        bytes.write(Integer.parseInt(name.substring(i + 1, i + 3), 16));
        i += 2;
      } else {
        bytes.write(name.charAt(i));
      }
    }
    return bytes.toByteArray();
  }

  /**
   * Writes pseudo-random bytes at an offset, leaving a hole before it.
   *
   * @param file the file, created if missing
   * @param offset the offset
   * @param length the number of bytes
   * @param random their source
   * @throws IOException if writing fails
   */
  public static void write(Path file, long offset, int length, Random random) throws IOException {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    try (SeekableByteChannel channel =
        Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.position(offset);
      channel.write(ByteBuffer.wrap(bytes));
    }
  }

  /**
   * Makes a small tree with one file of each kind that does not need root.
   *
   * @param tree the folder to fill, created if missing
   * @return the folder
   * @throws IOException if writing fails
   */
  public static Path small(Path tree) throws IOException {
    Random random = new Random(1);
    Path sub = Files.createDirectories(tree.resolve("sub/deeper"));
    Files.writeString(tree.resolve("hello.txt"), "hello\n");
    Files.createFile(tree.resolve("empty"));
    write(tree.resolve("two-pages"), 0, 8192, random);
    write(tree.resolve("indirect"), 0, 200_001, random);
    write(tree.resolve("holes"), 40_960, 5000, random);
    write(tree.resolve("holes"), 5 * MEBI, 4096, random);
    write(sub.resolve("below"), 0, 100, random);
    Files.createLink(sub.resolve("hard"), tree.resolve("hello.txt"));
    Files.createSymbolicLink(tree.resolve("link"), Path.of("sub/deeper/below"));
    Files.createSymbolicLink(sub.resolve("up"), Path.of("../../hello.txt"));
    Files.createSymbolicLink(sub.resolve("absolute"), Path.of("/hello.txt"));
    Files.createSymbolicLink(tree.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(tree.resolve("dangling"), Path.of("not/there"));
    return tree;
  }

  /**
   * Makes a tree to test readers: over 15,000 files and 200 MB, a folder of 10,000 entries, holes,
   * files that reach each level of indirection, names of up to 255 bytes in several scripts and in
   * none, hard links, and symbolic links of 1 to 4095 bytes.
   *
   * @param tree the folder to fill, created if missing
   * @param seed the seed of the bytes
   * @return the folder
   * @throws IOException if writing fails
   */
  public static Path big(Path tree, long seed) throws IOException {
    Random random = new Random(seed);
    Files.createDirectories(tree);
    makeManyFiles(tree, random);
    makeLargeFiles(Files.createDirectory(tree.resolve("large")), random);
    makeNames(Files.createDirectory(tree.resolve("names")));
    makeLinks(Files.createDirectory(tree.resolve("links")));
    return tree;
  }

  private static void makeManyFiles(Path tree, Random random) throws IOException {
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < 10_000; i++) {
      Path file = crowd.resolve("entry-number-%05d".formatted(i));
      if (i % 10 == 0) {
        write(file, 0, 1 + i % 700, random);
      } else {
        Files.createFile(file);
      }
    }
    for (int i = 0; i < 5_000; i++) {
      Path folder = Files.createDirectories(tree.resolve("d%02d/e%d".formatted(i % 40, i % 7)));
      // Mostly small, and on both sides of block boundaries.
      int length = i % 9 == 0 ? 4096 * (i % 5) + i % 3 - 1 : random.nextInt(20_000);
      write(folder.resolve("f" + i), 0, Math.max(0, length), random);
    }
  }

  private static void makeLargeFiles(Path folder, Random random) throws IOException {
    for (int i = 0; i < 24; i++) {
      for (int mebi = 0; mebi < 8; mebi++) {
        write(folder.resolve("solid" + i), mebi * MEBI, (int) MEBI - i, random);
      }
    }
    Path sparse = folder.resolve("sparse");
    for (int i = 0; i < 300; i++) {
      write(sparse, i * 3 * 4096L + 1, 4000 + i, random);
    }
    Path triple = folder.resolve("triple-indirect");
    write(triple, 4096 * 11, 8192, random);
    write(triple, 4096L * (12 + 1024) - 100, 200, random);
    write(triple, TRIPLE_INDIRECT - 5000, 10_000, random);
    write(triple, TRIPLE_INDIRECT + 20 * MEBI, 4097, random);
    Path hole = folder.resolve("all-hole");
    Files.createFile(hole);
    Processes.run("truncate", "-s", "123456789", hole.toString());
  }

  private static void makeNames(Path folder) throws IOException {
    Files.createFile(folder.resolve("x".repeat(255)));
    Files.createFile(folder.resolve("y".repeat(254)));
    Files.createDirectory(folder.resolve("z".repeat(255)));
    for (String name :
        new String[] {
          "ä", "日本語のファイル", "Ελληνικά", "🦊", "a b", "tab\tnew\nline", "quote\"'\\", "-r", "*?"
        }) {
      Files.createFile(child(folder, name.getBytes(StandardCharsets.UTF_8)));
    }
    Files.createFile(child(folder, new byte[] {'b', (byte) 0xff, (byte) 0xfe, 1, 'd'}));
    byte[] scripts = "語".repeat(85).getBytes(StandardCharsets.UTF_8);
    Files.createFile(child(folder, scripts));
  }

  private static void makeLinks(Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "many names\n");
    for (int i = 0; i < 100; i++) {
      Files.createLink(folder.resolve("hard" + i), file);
    }
    for (int length = 1; length <= 4095; length = length < 70 ? length + 1 : length * 7 / 6) {
      symlink(folder, length);
    }
    symlink(folder, 4095);
    Files.createSymbolicLink(folder.resolve("to-file"), Path.of("./file"));
  }

  private static void symlink(Path folder, int length) throws IOException {
    // A trailing slash would be dropped.
    String target = "component/".repeat(410).substring(0, length - 1) + "x";
    Files.createSymbolicLink(folder.resolve("symlink%04d".formatted(length)), Path.of(target));
  }
}
