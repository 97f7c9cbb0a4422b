package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The mappings of this process, proc(5), to verify where memory is and what a test left behind. */
public final class ProcMaps {
  private ProcMaps() {}

  /**
   * Finds the mappings of a range.
   *
   * @param start its first address
   * @param length its length in bytes
   * @return the lines of /proc/self/maps that cover a part of it
   */
  public static List<String> overlapping(long start, long length) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(
            line -> {
              String[] ends = line.substring(0, line.indexOf(' ')).split("-");
              // The vsyscall page lies past 2^63.
              long from = Long.parseUnsignedLong(ends[0], 16);
              long to = Long.parseUnsignedLong(ends[1], 16);
              return from >= 0 && from < start + length && start < to;
            })
        .toList();
  }

  /**
   * Finds mappings by their text.
   *
   * @param text a part of their lines, such as the name of a file
   * @return the lines of /proc/self/maps that contain it
   */
  public static List<String> containing(String text) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.contains(text))
        .toList();
  }

  /**
   * Finds out which byte of a file an address shows.
   *
   * @param address the address
   * @param file the file
   * @return the offset in the file, or -1 if it is not mapped there
   */
  public static long fileOffset(long address, Path file) throws IOException {
    for (String line : overlapping(address, 1)) {
      String[] fields = line.split(" +", 6);
      if (fields[5].equals(file.toString())) {
        long start = Long.parseUnsignedLong(fields[0].split("-")[0], 16);
        return Long.parseUnsignedLong(fields[2], 16) + (address - start);
      }
    }
    return -1;
  }
}
