package dev.xip.pack;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveSparseEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveStructSparse;

/**
 * Which bytes of a file a tar archive holds, and where. The map of a sparse file is in its header
 * and the blocks behind it (GNU), in its records (the forms 0.0 and 0.1 for pax) or before its
 * bytes (1.0). The library itself reads sizes in pax records as 32-bit numbers.
 *
 * @param size the size of the file
 * @param at where the bytes begin in the archive
 * @param runs the bytes, in ascending order
 */
record TarSparse(long size, long at, List<Run> runs) {
  private static final int BLOCK = 512;

  /** The most bytes of a map that is stored before a file. */
  private static final int MOST_MAP = 16 << 20;

  /**
   * Bytes of a file that are stored.
   *
   * @param offset the first of them in the file
   * @param length how many there are, at least 1
   */
  record Run(long offset, long length) {}

  /**
   * Reads the map of a file.
   *
   * @param archive the archive
   * @param header the header of the entry, with its records
   * @param entry the entry
   * @throws IOException if the map is damaged, or does not fit to the bytes
   */
  static TarSparse of(TarFile archive, TarRecords header, TarArchiveEntry entry)
      throws IOException {
    long at = header.headerEnd();
    long stored = entry.getSize();
    List<Run> runs = new ArrayList<>();
    if (entry.isStarSparse()) {
      throw new IOException(entry.getName() + " is a sparse file in the form of star");
    }
    if (entry.isOldGNUSparse()) {
      add(entry.getSparseHeaders(), runs);
      for (boolean more = entry.isExtended(); more; at += BLOCK) {
        TarArchiveSparseEntry next = new TarArchiveSparseEntry(archive.read(at, BLOCK));
        add(next.getSparseHeaders(), runs);
        more = next.isExtended();
      }
      return checked(header.realSize(), at, runs, stored);
    }
    String map = header.text("GNU.sparse.map");
    if (map != null) {
      String[] numbers = map.isEmpty() ? new String[0] : map.split(",");
      for (int i = 0; i + 1 < numbers.length; i += 2) {
        add(number(numbers[i]), number(numbers[i + 1]), runs);
      }
      return checked(number(header.text("GNU.sparse.size")), at, runs, stored);
    }
    if ("1".equals(header.text("GNU.sparse.major"))) {
      Lines lines = new Lines(archive, at, stored);
      for (long count = lines.next(); count > 0; count--) {
        long offset = lines.next();
        add(offset, lines.next(), runs);
      }
      long bytes = lines.blocks();
      return checked(number(header.text("GNU.sparse.realsize")), at + bytes, runs, stored - bytes);
    }
    add(0, stored, runs);
    return new TarSparse(stored, at, runs);
  }

  /** Returns how many bytes are stored. */
  long stored() {
    return runs.stream().mapToLong(Run::length).sum();
  }

  private static void add(List<TarArchiveStructSparse> structs, List<Run> runs) {
    structs.forEach(each -> add(each.getOffset(), each.getNumbytes(), runs));
  }

  private static void add(long offset, long length, List<Run> runs) {
    if (length != 0) {
      runs.add(new Run(offset, length));
    }
  }

  private static TarSparse checked(long size, long at, List<Run> runs, long stored)
      throws IOException {
    long end = 0;
    long sum = 0;
    for (Run each : runs) {
      if (each.offset < end || each.length < 0 || each.length > size - each.offset) {
        throw new IOException(
            "expected stored bytes behind byte %d of a file of %d, found %d at %d"
                .formatted(end, size, each.length, each.offset));
      }
      end = each.offset + each.length;
      sum += each.length;
    }
    if (size < 0 || sum != stored) {
      throw new IOException(
          "expected %d stored bytes of a file of %d, found %d".formatted(sum, size, stored));
    }
    return new TarSparse(size, at, runs);
  }

  private static long number(String digits) throws IOException {
    if (digits == null || !digits.matches("[0-9]{1,18}")) {
      throw new IOException("expected a number in the map of a sparse file, found " + digits);
    }
    return Long.parseLong(digits);
  }

  /** Decimal numbers, each in a line. */
  private static final class Lines {
    private final TarFile archive;
    private final long at;
    private final long most;
    private String block = "";
    private int next;
    private int blocks;

    Lines(TarFile archive, long at, long stored) {
      this.archive = archive;
      this.at = at;
      this.most = Math.min(stored, MOST_MAP);
    }

    long next() throws IOException {
      StringBuilder digits = new StringBuilder();
      while (true) {
        if (next == block.length()) {
          if (blocks() + BLOCK > most) {
            throw new IOException("the map of a sparse file passes its %d bytes".formatted(most));
          }
          byte[] bytes = archive.read(at + blocks(), BLOCK);
          block = new String(bytes, StandardCharsets.ISO_8859_1);
          next = 0;
          blocks++;
        }
        char c = block.charAt(next++);
        if (c == '\n' || digits.length() > 18) {
          return number(digits.toString());
        }
        digits.append(c);
      }
    }

    /** The bytes of the map, in whole blocks. */
    long blocks() {
      return (long) blocks * BLOCK;
    }
  }
}
