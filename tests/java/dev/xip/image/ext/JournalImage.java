package dev.xip.image.ext;

import dev.xip.image.Overlay;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/** A small image with a journal, whose blocks and those of one file are known. */
final class JournalImage {
  private static final int DATA_BLOCKS = 300;
  private static final Pattern RANGE = Pattern.compile("\\((\\d+)(?:-(\\d+))?\\):(\\d+)");

  final String options;
  final int blockSize;
  final byte[] clean;

  /** The blocks of the journal, and those of a file that a journal may log. */
  final long[] journal;

  final long[] data;

  private JournalImage(Path file, String options, int blockSize) throws IOException {
    this.options = options;
    this.blockSize = blockSize;
    this.clean = Files.readAllBytes(file);
    this.journal = blocks(file, "<8>");
    this.data = blocks(file, "/data");
  }

  /**
   * Makes an image.
   *
   * @param folder where
   * @param options of mke2fs, with a block size
   */
  static JournalImage make(Path folder, String options) throws IOException {
    int blockSize = Integer.parseInt(options.replaceAll(".*-b (\\d+).*", "$1"));
    Path tree = Files.createDirectories(folder.resolve("tree" + blockSize));
    byte[] content = new byte[DATA_BLOCKS * blockSize];
    new Random(blockSize).nextBytes(content);
    Files.write(tree.resolve("data"), content);
    Path file = Files.createTempFile(folder, "journal", ".img");
    List<String> command = new ArrayList<>(List.of("mke2fs", "-q", "-F", "-d", tree.toString()));
    command.addAll(List.of(options.split(" ")));
    int blocks = options.contains("-J") ? 6000 : 4000;
    command.addAll(List.of(file.toString(), Integer.toString(blocks)));
    Processes.run(command.toArray(String[]::new));
    return new JournalImage(file, options, blockSize);
  }

  /** The blocks of a file's bytes in order, without those of its block map. */
  private static long[] blocks(Path file, String name) throws IOException {
    LongStream blocks = LongStream.empty();
    Matcher ranges = RANGE.matcher(Images.debugfs(file, List.of("stat " + name)));
    while (ranges.find()) {
      long count =
          ranges.group(2) == null
              ? 1
              : Long.parseLong(ranges.group(2)) - Long.parseLong(ranges.group(1)) + 1;
      long first = Long.parseLong(ranges.group(3));
      blocks = LongStream.concat(blocks, LongStream.range(first, first + count));
    }
    return blocks.toArray();
  }

  /** What we say the replay of a journal changes. */
  static Overlay overlay(byte[] image) throws IOException {
    return new ExtFormat().overlay("dirty.img", MemorySegment.ofArray(image));
  }

  /** The image after our replay. */
  static byte[] replayed(byte[] image) throws IOException {
    byte[] copy = image.clone();
    overlay(image).storeInto(MemorySegment.ofArray(copy));
    return copy;
  }

  /**
   * Puts equal bytes where a recovery writes besides the logged blocks: both superblocks.
   *
   * @return the image
   */
  byte[] comparable(byte[] image) {
    ByteBuffer bytes = ByteBuffer.wrap(image);
    bytes.put(1024, new byte[1024]);
    bytes.put((int) journal[0] * blockSize, new byte[1024]);
    return image;
  }
}
