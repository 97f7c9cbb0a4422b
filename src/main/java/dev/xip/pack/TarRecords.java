package dev.xip.pack;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The extended header of one entry of a tar archive, as bytes: the library reads its values as
 * UTF-8 text, which names and attributes need not be. Records of POSIX (pax) and long names of GNU
 * tar, which become the records {@code path} and {@code linkpath}.
 */
final class TarRecords {
  private static final int BLOCK = 512;

  /** The most bytes of an extended header; names and attributes of a file are far fewer. */
  private static final int MOST_BYTES = 16 << 20;

  /** Offsets in a header. */
  private static final int SIZE = 124;

  private static final int SIZE_BYTES = 12;
  private static final int SUM = 148;
  private static final int SUM_BYTES = 8;
  private static final int TYPE = 156;

  private final FileChannel tar;
  private final Map<String, byte[]> records = new HashMap<>();

  /** The byte behind the header of the entry. */
  private long headerEnd;

  private TarRecords(FileChannel tar) {
    this.tar = tar;
  }

  /**
   * Reads the extended headers before an entry.
   *
   * @param tar the archive
   * @param from where the first of them may be: behind the entry before
   * @return the records
   * @throws IOException if the archive cannot be read, or a header is damaged
   */
  static TarRecords before(FileChannel tar, long from) throws IOException {
    TarRecords all = new TarRecords(tar);
    long at = from;
    while (true) {
      byte[] header = all.read(at, BLOCK);
      demandSum(header, at);
      int type = header[TYPE];
      if (type != 'x' && type != 'X' && type != 'g' && type != 'L' && type != 'K') {
        all.headerEnd = at + BLOCK;
        return all;
      }
      int bytes = size(header);
      byte[] data = all.read(at + BLOCK, bytes);
      if (type == 'L' || type == 'K') {
        all.records.put(type == 'L' ? "path" : "linkpath", upToNul(data));
      } else if (type != 'g') {
        all.addRecords(data);
      }
      at += BLOCK + Math.ceilDiv(bytes, BLOCK) * (long) BLOCK;
    }
  }

  /**
   * The sum of the bytes, blanks in the place of the sum itself. Old programs took the bytes for
   * signed. A header of zeros ends the archive.
   */
  private static void demandSum(byte[] header, long at) throws IOException {
    int signed = 0;
    int unsigned = 0;
    int bits = 0;
    for (int i = 0; i < BLOCK; i++) {
      byte each = i >= SUM && i < SUM + SUM_BYTES ? (byte) ' ' : header[i];
      signed += each;
      unsigned += each & 0xff;
      bits |= header[i];
    }
    String digits = new String(header, SUM, SUM_BYTES, StandardCharsets.ISO_8859_1);
    int end = digits.indexOf('\0');
    String stored = (end < 0 ? digits : digits.substring(0, end)).strip();
    boolean fits =
        stored.matches("[0-7]+")
            && (Integer.parseInt(stored, 8) == unsigned || Integer.parseInt(stored, 8) == signed);
    if (bits != 0 && !fits) {
      throw new IOException(
          "expected a header with the sum %o at byte 0x%x, found '%s'"
              .formatted(unsigned, at, stored));
    }
  }

  /** Returns the value of a record, null if there is none. */
  byte[] get(String name) {
    return records.get(name);
  }

  /** Returns all records by name. */
  Map<String, byte[]> all() {
    return records;
  }

  /** Returns the byte behind the header of the entry. */
  long headerEnd() {
    return headerEnd;
  }

  private byte[] read(long at, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      if (tar.read(bytes, at + bytes.position()) < 0) {
        throw new IOException("expected %d bytes at 0x%x, found the end".formatted(count, at));
      }
    }
    return bytes.array();
  }

  private static int size(byte[] header) throws IOException {
    String digits = new String(header, SIZE, SIZE_BYTES, StandardCharsets.ISO_8859_1);
    try {
      int bytes = Integer.parseInt(digits.replace('\0', ' ').strip(), 8);
      if (bytes >= 0 && bytes <= MOST_BYTES) {
        return bytes;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new IOException(
        "expected an extended header of at most %d bytes, found the size '%s'"
            .formatted(MOST_BYTES, digits));
  }

  private static byte[] upToNul(byte[] data) {
    int end = 0;
    while (end < data.length && data[end] != 0) {
      end++;
    }
    return Arrays.copyOf(data, end);
  }

  /** Adds records of the form {@code LENGTH NAME=VALUE\n}. */
  private void addRecords(byte[] data) throws IOException {
    String text = new String(data, StandardCharsets.ISO_8859_1);
    for (int at = 0; at < data.length && data[at] != 0; ) {
      int space = text.indexOf(' ', at);
      int equals = text.indexOf('=', Math.max(space, at));
      int length = space < 0 || space > at + 9 ? 0 : number(text.substring(at, space));
      int end = at + length - 1;
      if (equals < 0 || length < 1 || end >= data.length || end < equals || data[end] != '\n') {
        throw new IOException("expected a record at byte %d of a pax header".formatted(at));
      }
      records.put(
          text.substring(space + 1, equals),
          text.substring(equals + 1, end).getBytes(StandardCharsets.ISO_8859_1));
      at = end + 1;
    }
  }

  private static int number(String digits) {
    return digits.matches("[0-9]+") ? Integer.parseInt(digits) : 0;
  }
}
