package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.FsImage;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Where the files of an image are that are called in place: in mappings of the image itself. */
final class InPlaceFiles {
  /** A line of /proc/self/maps. */
  private record Mapping(long end, long offset, String file) {}

  /** The place of an extent in memory, up to the end of the file. */
  private record Mapped(Path path, Extent extent, long address, long end) {}

  private InPlaceFiles() {}

  /**
   * Maps each file that is in place through its channel, and asserts that each byte lies in a
   * mapping of the image, at the offset that the block map says.
   *
   * @param root the root of the image's java.nio file system
   * @param image the same image
   * @param packed its file
   * @return how many files are in place and have bytes
   */
  static int assertMapped(Path root, FsImage image, Path packed) throws IOException {
    Set<Long> files = new HashSet<>();
    try (Arena arena = Arena.ofShared();
        Stream<Path> all = Files.walk(root)) {
      List<Mapped> mapped = new ArrayList<>();
      for (Path each : (Iterable<Path>) all::iterator) {
        long inode = (long) Files.getAttribute(each, "unix:ino", LinkOption.NOFOLLOW_LINKS);
        if (Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS) && !files.contains(inode)) {
          BlockMap map = image.blockMap(image.inode(inode));
          if (map.verdict() == Verdict.IN_PLACE && map.extentCount() > 0) {
            files.add(inode);
            map(each, map, arena, mapped);
          }
        }
      }
      assertInImage(mapped, packed.toRealPath().toString());
    }
    return files.size();
  }

  private static void map(Path file, BlockMap map, Arena arena, List<Mapped> mapped)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long size = channel.size();
      long address = channel.map(MapMode.READ_ONLY, 0, size, arena).address();
      for (int i = 0; i < map.extentCount() && map.extent(i).fileOffset() < size; i++) {
        Extent extent = map.extent(i);
        long end = address + Math.min(size, extent.fileEnd());
        mapped.add(new Mapped(file, extent, address + extent.fileOffset(), end));
      }
    }
  }

  private static void assertInImage(List<Mapped> mapped, String packed) throws IOException {
    TreeMap<Long, Mapping> mappings = mappings();
    for (Mapped each : mapped) {
      for (long at = each.address; at < each.end; ) {
        Map.Entry<Long, Mapping> found = mappings.floorEntry(at);
        long offset = each.extent.imageOffset() + at - each.address;
        assertThat(found.getValue().end).as("%s at 0x%x", each, at).isGreaterThan(at);
        assertThat(found.getValue().file).as("%s at 0x%x", each, at).isEqualTo(packed);
        assertThat(found.getValue().offset + at - found.getKey())
            .as("%s at 0x%x", each, at)
            .isEqualTo(offset);
        at = found.getValue().end;
      }
    }
  }

  private static TreeMap<Long, Mapping> mappings() throws IOException {
    TreeMap<Long, Mapping> mappings = new TreeMap<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] fields = line.split(" +", 6);
      String[] ends = fields[0].split("-");
      long start = Long.parseUnsignedLong(ends[0], 16);
      // The vsyscall page lies past 2^63.
      if (start >= 0) {
        mappings.put(
            start,
            new Mapping(
                Long.parseUnsignedLong(ends[1], 16),
                Long.parseUnsignedLong(fields[2], 16),
                fields.length < 6 ? "" : fields[5]));
      }
    }
    return mappings;
  }
}
