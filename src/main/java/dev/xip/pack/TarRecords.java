package dev.xip.pack;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarUtils;
import org.apache.commons.compress.archivers.zip.ZipEncoding;
import org.apache.commons.compress.archivers.zip.ZipEncodingHelper;

/**
 * The header of one entry of a tar archive, and the extended headers before it, as bytes: a library
 * reads their values as UTF-8 text, which names and attributes need not be. Records of POSIX (pax)
 * and long names of GNU tar, which become the records {@code path} and {@code linkpath}.
 */
final class TarRecords {
  private static final int BLOCK = 512;

  /** The most bytes of an extended header; names and attributes of a file are far fewer. */
  private static final int MOST_BYTES = 16 << 20;

  /** Offsets in a header. */
  private static final int UID = 108;

  private static final int GID = 116;
  private static final int ID_BYTES = 8;
  private static final int SIZE = 124;

  private static final int SIZE_BYTES = 12;
  private static final int SUM = 148;
  private static final int SUM_BYTES = 8;
  private static final int TYPE = 156;
  private static final int REAL_SIZE = 483;

  /** As Latin-1 a name keeps its bytes. */
  private static final ZipEncoding BYTES = ZipEncodingHelper.getZipEncoding("ISO-8859-1");

  /** The names of records about sparse files begin with it. */
  private static final String SPARSE = "GNU.sparse.";

  /** What an entry has in its header too, and the mark of sparse files of star. */
  private static final Set<String> FIELDS =
      Set.of(
          "uid",
          "gid",
          "size",
          "mtime",
          "atime",
          "SCHILY.devmajor",
          "SCHILY.devminor",
          "SCHILY.filetype");

  private final TarFile tar;
  private final Map<String, byte[]> records = new HashMap<>();

  /** The records for all entries, which those of the entry replace; shared by many. */
  private Map<String, byte[]> global;

  /** The offsets and lengths of a sparse file, each a record of its own in the form 0.0. */
  private final StringBuilder map = new StringBuilder();

  private byte[] header;

  /** The byte behind the header of the entry. */
  private long headerEnd;

  private TarRecords(TarFile tar, Map<String, byte[]> global) {
    this.tar = tar;
    this.global = global;
  }

  /**
   * Reads the header of an entry and the extended headers before it.
   *
   * @param tar the archive
   * @param from where the first of them may be: behind the entry before
   * @param before the entry before; null for the first
   * @return the headers; null at the end of the archive, which a block of zeros marks, or else the
   *     end of the file
   * @throws IOException if the archive cannot be read, a header is damaged, or the file ends inside
   *     a block or before the entry of an extended header
   */
  static TarRecords at(TarFile tar, long from, TarRecords before) throws IOException {
    TarRecords all = new TarRecords(tar, before == null ? Map.of() : before.global);
    for (long at = from; at != tar.size() || at != from; ) {
      all.header = tar.read(at, BLOCK);
      if (isZero(all.header)) {
        return null;
      }
      demandSum(all.header, at);
      int type = all.header[TYPE];
      if (type != 'x' && type != 'X' && type != 'g' && type != 'L' && type != 'K') {
        all.headerEnd = at + BLOCK;
        return all;
      }
      int bytes = size(all.header);
      byte[] data = tar.read(at + BLOCK, bytes);
      if (type == 'L' || type == 'K') {
        all.records.put(type == 'L' ? "path" : "linkpath", upToNul(data));
      } else if (type == 'g') {
        Map<String, byte[]> both = new HashMap<>(all.global);
        both.putAll(all.parsed(data));
        both.keySet().retainAll(FIELDS);
        all.global = both;
      } else {
        all.records.putAll(all.parsed(data));
      }
      at += BLOCK + Math.ceilDiv(bytes, BLOCK) * (long) BLOCK;
    }
    return null;
  }

  /**
   * Returns the entry, with what its records say in place of its header; names and sparse files are
   * left to the caller.
   *
   * @throws IOException if a value cannot be that of an entry
   */
  TarArchiveEntry entry() throws IOException {
    try {
      byte[] plain = header.clone();
      if (header[TYPE] == TarArchiveEntry.LF_GNUTYPE_SPARSE) {
        // The library reads it as octal digits only, which end below 8 GiB.
        Arrays.fill(plain, REAL_SIZE, REAL_SIZE + SIZE_BYTES, (byte) 0);
      }
      TarArchiveEntry entry = new TarArchiveEntry(plain, BYTES, false);
      // The library keeps 32 bits of these.
      entry.setUserId(TarUtils.parseOctalOrBinary(plain, UID, ID_BYTES));
      entry.setGroupId(TarUtils.parseOctalOrBinary(plain, GID, ID_BYTES));
      for (String each : FIELDS) {
        if (get(each) != null) {
          apply(each, entry);
        }
      }
      if (entry.getSize() < 0) {
        throw new IOException("the size of an entry is negative");
      }
      return entry;
    } catch (RuntimeException e) {
      // The library has no exception of its own for damage.
      throw new IOException(e.getMessage(), e);
    }
  }

  private void apply(String key, TarArchiveEntry entry) throws IOException {
    try {
      entry.addPaxHeader(key, text(key));
    } catch (RuntimeException e) {
      throw new IOException(
          "expected a value of the record %s, found %s".formatted(key, text(key)), e);
    }
  }

  /**
   * Returns the size of the file of a sparse entry of old GNU tar.
   *
   * @throws IOException if it is no number
   */
  long realSize() throws IOException {
    try {
      return TarUtils.parseOctalOrBinary(header, REAL_SIZE, SIZE_BYTES);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Returns the value of a record, null if there is none. */
  byte[] get(String name) {
    byte[] own = records.get(name);
    return own == null ? global.get(name) : own;
  }

  /** Returns the value of a record as text of one char a byte, null if there is none. */
  String text(String name) {
    byte[] value = get(name);
    return value == null ? null : new String(value, StandardCharsets.ISO_8859_1);
  }

  /** Returns the records of the entry alone, by name. */
  Map<String, byte[]> all() {
    return records;
  }

  /** Returns the byte behind the header of the entry. */
  long headerEnd() {
    return headerEnd;
  }

  private static boolean isZero(byte[] header) {
    int bits = 0;
    for (byte each : header) {
      bits |= each;
    }
    return bits == 0;
  }

  /**
   * The sum of the bytes, blanks in the place of the sum itself. Old programs took the bytes for
   * signed.
   */
  private static void demandSum(byte[] header, long at) throws IOException {
    int signed = 0;
    int unsigned = 0;
    for (int i = 0; i < BLOCK; i++) {
      byte each = i >= SUM && i < SUM + SUM_BYTES ? (byte) ' ' : header[i];
      signed += each;
      unsigned += each & 0xff;
    }
    String digits = new String(header, SUM, SUM_BYTES, StandardCharsets.ISO_8859_1);
    int end = digits.indexOf('\0');
    String stored = (end < 0 ? digits : digits.substring(0, end)).strip();
    int sum = stored.matches("[0-7]+") ? Integer.parseInt(stored, 8) : -1;
    if (sum < 0 || sum != unsigned && sum != signed) {
      throw new IOException(
          "expected a header with the sum %o at byte 0x%x, found '%s'"
              .formatted(unsigned, at, stored));
    }
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

  /** Reads records of the form {@code LENGTH NAME=VALUE\n}. */
  private Map<String, byte[]> parsed(byte[] data) throws IOException {
    Map<String, byte[]> found = new HashMap<>();
    String text = new String(data, StandardCharsets.ISO_8859_1);
    for (int at = 0; at < data.length && data[at] != 0; ) {
      int space = text.indexOf(' ', at);
      int equals = text.indexOf('=', Math.max(space, at));
      int length = space < 0 || space > at + 9 ? 0 : number(text.substring(at, space));
      int end = at + length - 1;
      if (equals < 0 || length < 1 || end >= data.length || end < equals || data[end] != '\n') {
        throw new IOException("expected a record at byte %d of a pax header".formatted(at));
      }
      String key = text.substring(space + 1, equals);
      String value = text.substring(equals + 1, end);
      found.put(key, value.getBytes(StandardCharsets.ISO_8859_1));
      if (key.equals(SPARSE + "offset") || key.equals(SPARSE + "numbytes")) {
        map.append(map.isEmpty() ? "" : ",").append(value);
        found.put(SPARSE + "map", map.toString().getBytes(StandardCharsets.ISO_8859_1));
      }
      at = end + 1;
    }
    return found;
  }

  private static int number(String digits) {
    return digits.matches("[0-9]+") ? Integer.parseInt(digits) : 0;
  }
}
