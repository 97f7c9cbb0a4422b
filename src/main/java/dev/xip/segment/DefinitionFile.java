package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.MalformedDataException;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * The text of a definition file. There is exactly one text for a definition, so any byte that
 * differs is damage; README.md beside this file shows the form.
 */
final class DefinitionFile {
  /** The first line; the number changes with the form. */
  private static final String FORMAT = "xip segment 1";

  /** Above the length of the longest text. */
  private static final int MAX_BYTES = 1024;

  private static final Pattern NAME = Pattern.compile("[A-Z0-9$#@_]{1,8}");
  private static final Pattern VERSION = Pattern.compile("version ([1-9][0-9]{0,17})");
  private static final Pattern PART =
      Pattern.compile("part ([0-9a-f]{1,10})-([0-9a-f]{1,10}) (SW|EW|SR|ER|SN|EN|SC)");
  private static final Pattern DATA = Pattern.compile("data ([A-Z0-9$#@_.a-z]+) ([0-9]{1,18})");
  private static final Pattern CHECKSUM = Pattern.compile("crc32c ([0-9a-f]{8})");

  private final Path file;
  private final String name;
  private final String text;

  /** Where the next line starts, in bytes; the text is ASCII. */
  private int at;

  /** The number of the line read last, counted from 1. */
  private int line;

  private DefinitionFile(Path file, String name, String text) {
    this.file = file;
    this.name = name;
    this.text = text;
  }

  /** Writes the text. */
  static byte[] format(SegmentDefinition definition, long version) {
    StringBuilder text = new StringBuilder(FORMAT).append('\n');
    text.append("name ").append(definition.name()).append('\n');
    text.append("version ").append(version).append('\n');
    definition.parts().forEach(part -> text.append("part ").append(part).append('\n'));
    StoreFile data = StoreFile.data(definition.name(), version);
    text.append("data ").append(data).append(' ').append(definition.byteSize()).append('\n');
    text.append("crc32c %08x\n".formatted(checksum(text.toString())));
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Reads a definition file, or as much of it as shows that it is too long.
   *
   * @param open the file
   * @param file its path, beside the data file
   * @param name the name that it must have, which need not be one that a segment can have
   * @throws HostException if it cannot be read
   * @throws SegmentException as {@link #parse}
   */
  static StoredSegment read(HostFile open, Path file, String name) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(MAX_BYTES + 1);
      long length = open.read(0, bytes);
      return parse(file, name, bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /**
   * Reads the text back.
   *
   * @param file the definition file, beside the data file
   * @param name the name that it must have
   * @param bytes what it holds
   * @return what the store says of the segment
   * @throws SegmentException EIO if the text is damaged, with a {@link MalformedDataException} as
   *     cause; or the code of the rule that a whole definition breaks
   */
  static StoredSegment parse(Path file, String name, byte[] bytes) throws SegmentException {
    try {
      // One char per byte, so that positions are byte offsets whatever the file holds.
      String text = new String(bytes, StandardCharsets.ISO_8859_1);
      return new DefinitionFile(file, name, text).parse();
    } catch (MalformedDataException e) {
      throw SegmentException.withCode(Errno.EIO, "segment %s: definition".formatted(name), e);
    }
  }

  private StoredSegment parse() throws MalformedDataException, SegmentException {
    expect(Pattern.compile(Pattern.quote(FORMAT)), FORMAT);
    checkChecksum();
    expect(Pattern.compile(Pattern.quote("name " + name)), "name " + name);
    if (!NAME.matcher(name).matches()) {
      throw malformed(FORMAT.length() + 1, 2, "the name of a segment");
    }
    SegmentName found = new SegmentName(name);
    long version = Long.parseLong(expect(VERSION, "version NUMBER").group(1));
    List<SegmentPart> parts = new ArrayList<>();
    do {
      MatchResult part = expect(PART, "part FIRST-LAST TYPE");
      parts.add(
          SegmentPart.of(
              SegmentType.valueOf(part.group(3)),
              Long.parseLong(part.group(1), 16),
              Long.parseLong(part.group(2), 16)));
    } while (text.startsWith("part ", at));
    SegmentDefinition definition = SegmentDefinition.of(found, parts);
    expect(DATA, "data FILE LENGTH");
    expect(CHECKSUM, "crc32c NUMBER");
    checkIdentical(definition, version);
    StoreFile data = StoreFile.data(found, version);
    return new StoredSegment(definition, version, file.resolveSibling(data.toString()));
  }

  /** Reads the next line, which ends with a newline and matches as a whole. */
  private MatchResult expect(Pattern form, String expected) throws MalformedDataException {
    line++;
    int end = text.indexOf('\n', at);
    Matcher matcher = form.matcher(text).region(at, Math.max(at, end));
    if (end < 0 || !matcher.matches()) {
      throw malformed(at, line, expected);
    }
    at = end + 1;
    return matcher.toMatchResult();
  }

  /** The sum covers every line before its own. Checked before the other lines are read. */
  private void checkChecksum() throws MalformedDataException {
    if (text.length() > MAX_BYTES) {
      throw new MalformedDataException(
          file.toString(), MAX_BYTES, "the end of the file", "more bytes");
    }
    int start = Math.max(at, text.lastIndexOf('\n', text.length() - 2) + 1);
    int number = (int) text.chars().limit(start).filter(c -> c == '\n').count() + 1;
    String expected = "crc32c %08x".formatted(checksum(text.substring(0, start)));
    if (!text.startsWith(expected + "\n", start)) {
      throw malformed(start, number, expected);
    }
  }

  /** Rejects what the patterns let through, such as leading zeros. */
  private void checkIdentical(SegmentDefinition definition, long version)
      throws MalformedDataException {
    String only = new String(format(definition, version), StandardCharsets.US_ASCII);
    int start = 0;
    for (int number = 1; start < only.length() || start < text.length(); number++) {
      int end = only.indexOf('\n', start) + 1;
      if (end == 0) {
        throw malformed(start, number, "the end of the file");
      }
      if (!text.startsWith(only.substring(start, end), start)) {
        throw malformed(start, number, only.substring(start, end - 1));
      }
      start = end;
    }
  }

  private MalformedDataException malformed(int offset, int number, String expected) {
    int end = text.indexOf('\n', offset);
    String found =
        offset >= text.length()
            ? "the end of the file"
            : end < 0
                ? SegmentName.quote(text.substring(offset)) + " and no newline"
                : SegmentName.quote(text.substring(offset, end));
    return new MalformedDataException(
        file.toString(), offset, "line %d to be \"%s\"".formatted(number, expected), found);
  }

  private static int checksum(String text) {
    CRC32C sum = new CRC32C();
    sum.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return (int) sum.getValue();
  }
}
