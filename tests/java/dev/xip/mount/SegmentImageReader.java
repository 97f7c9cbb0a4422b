package dev.xip.mount;

import dev.xip.image.BlockMap;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** A program that reads all of the file system in some segments, and holds them. */
final class SegmentImageReader {
  /** The last line, after which the segments are held until standard input ends. */
  static final String HELD = "held";

  private SegmentImageReader() {}

  /**
   * Runs the program.
   *
   * @param args the folder of the store and the segments' names
   */
  public static void main(String[] args) throws IOException {
    SegmentName[] names =
        Arrays.stream(args).skip(1).map(SegmentName::new).toArray(SegmentName[]::new);
    MachineConfig config = MachineConfig.DEFAULT.withRam(16 << 20);
    try (Machine machine = Machine.boot(config, SegmentStore.open(Path.of(args[0])));
        Mount mount = machine.mount(names)) {
      describe(mount.image()).forEach(System.out::println);
      System.out.println(HELD);
      System.in.transferTo(OutputStream.nullOutputStream());
    }
  }

  /** One line for each file: its path, all attributes, where its bytes lie and what they are. */
  static List<String> describe(FsImage image) throws IOException {
    List<String> lines = new ArrayList<>();
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          StringBuilder line = new StringBuilder("%s %s".formatted(walk.path(), inode));
          if (inode.type() == FileType.SYMLINK) {
            line.append(" -> ").append(image.readLink(inode));
          } else if (inode.type() == FileType.DIRECTORY) {
            image.list(
                inode,
                (name, number, type) -> {
                  line.append(" %s %d %s".formatted(name, number, type));
                  return true;
                });
          } else if (inode.type() == FileType.REGULAR) {
            BlockMap map = image.blockMap(inode);
            for (int i = 0; i < map.extentCount(); i++) {
              line.append(' ').append(map.extent(i));
            }
            line.append(' ').append(map.verdict()).append(' ').append(digest(read(image, inode)));
          }
          lines.add(line.toString());
        });
    return lines;
  }

  static byte[] read(FsImage image, Inode file) throws IOException {
    byte[] bytes = new byte[(int) file.size()];
    FileContent.of(image, file).read(0, MemorySegment.ofArray(bytes));
    return bytes;
  }

  private static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}
