package dev.xip.base;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * The name of one directory entry or the target of a link: bytes, which need not be valid UTF-8.
 * Two names are equal if their bytes are; they sort by unsigned bytes.
 */
public final class FileName implements Comparable<FileName> {
  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long ONES = 0x0101_0101_0101_0101L;
  private static final long SLASHES = '/' * ONES;

  /** Added to a byte that is not UTF-8 in {@link #exactText}; valid text has no lone surrogate. */
  private static final char ESCAPE = 0xdc00;

  /** Never modified; the name is the part between the two indexes below. */
  private final byte[] bytes;

  private final int from;
  private final int to;

  private FileName(byte[] bytes, int from, int to) {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  /** Makes a name of bytes that the caller does not keep. */
  static FileName owning(byte[] bytes) {
    return new FileName(bytes, 0, bytes.length);
  }

  /**
   * Makes a name of bytes as they stand in an image.
   *
   * @param bytes the bytes, copied
   * @return the name
   */
  public static FileName of(byte[] bytes) {
    return owning(bytes.clone());
  }

  /**
   * Makes a name of text.
   *
   * @param text the text, taken as UTF-8; a lone surrogate of {@link #exactText} is one byte
   * @return the name
   */
  public static FileName of(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    if (!hasQuestion(utf8) || !hasEscape(text)) {
      return owning(utf8);
    }
    ByteBuffer bytes = ByteBuffer.allocate(text.length() * 3);
    for (int i = 0; i < text.length(); ) {
      char c = text.charAt(i);
      if (isEscape(c)) {
        bytes.put((byte) (c - ESCAPE));
        i++;
      } else {
        int next = text.offsetByCodePoints(i, 1);
        bytes.put(text.substring(i, next).getBytes(StandardCharsets.UTF_8));
        i = next;
      }
    }
    return new FileName(bytes.array(), 0, bytes.position());
  }

  /** Each lone surrogate is encoded as a question mark. */
  private static boolean hasQuestion(byte[] utf8) {
    for (byte each : utf8) {
      if (each == '?') {
        return true;
      }
    }
    return false;
  }

  private static boolean hasEscape(String text) {
    // A loop: the first stream of a JVM takes longer than opening an image.
    for (int i = 0; i < text.length(); i++) {
      if (isEscape(text.charAt(i)) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Tells whether a character stands for one byte that is not UTF-8, where no high surrogate is
   * before it.
   *
   * @param c a character of {@link #exactText}
   * @return true for U+DC80 to U+DCFF
   */
  public static boolean isEscape(char c) {
    return c >= ESCAPE + 0x80 && c <= ESCAPE + 0xff;
  }

  /** {@return a copy of the bytes} */
  public byte[] bytes() {
    return Arrays.copyOfRange(bytes, from, to);
  }

  /**
   * Makes the path of a file in a directory.
   *
   * @param child its name or path
   * @return this path, a slash unless it ends with one, and the other; the other alone if this is
   *     empty
   */
  public FileName slash(FileName child) {
    boolean slash = length() > 0 && bytes[to - 1] != '/';
    byte[] both = new byte[length() + (slash ? 1 : 0) + child.length()];
    copyTo(both, 0);
    if (slash) {
      both[length()] = '/';
    }
    child.copyTo(both, both.length - child.length());
    return owning(both);
  }

  /**
   * Copies the bytes.
   *
   * @param target receives them
   * @param at the index there of the first
   * @throws IndexOutOfBoundsException if they do not fit
   */
  public void copyTo(byte[] target, int at) {
    System.arraycopy(bytes, from, target, at, length());
  }

  /** {@return the length in bytes} */
  public int length() {
    return to - from;
  }

  /**
   * Returns one byte.
   *
   * @param index its number, from 0
   * @return the byte
   * @throws IndexOutOfBoundsException if the name is not so long
   */
  public byte at(int index) {
    return bytes[from + Objects.checkIndex(index, length())];
  }

  /**
   * Returns up to eight bytes as one number, as {@link ByteView#word} does.
   *
   * @param index the number of the first byte
   * @return the bytes up to the end of the name, at most 8, the first one lowest, with zeros above
   *     the last
   * @throws IndexOutOfBoundsException if the name is not so long
   */
  public long word(int index) {
    int start = from + Objects.checkIndex(index, length());
    if (to - start >= Long.BYTES) {
      return (long) WORD.get(bytes, start);
    }
    if (to >= Long.BYTES) {
      return (long) WORD.get(bytes, to - Long.BYTES) >>> Long.SIZE - (to - start) * Byte.SIZE;
    }
    long word = 0;
    for (int i = to - 1; i >= start; i--) {
      word = word << Byte.SIZE | bytes[i] & 0xff;
    }
    return word;
  }

  /**
   * Tells whether a word holds a byte that no name can have.
   *
   * @param word up to eight bytes, as {@link #word} returns them
   * @param bytes how many it holds, at least 1; more than 8 are 8
   * @return whether one of them is a slash or NUL
   */
  public static boolean hasSlashOrNul(long word, int bytes) {
    long padded = bytes < Long.BYTES ? word | -1L << bytes * Byte.SIZE : word;
    return hasZero(padded) || hasZero(padded ^ SLASHES);
  }

  /** Subtracting 1 from each byte sets the highest bit only of zeros, and of bytes that have it. */
  private static boolean hasZero(long word) {
    return (word - ONES & ~word & ONES << 7) != 0;
  }

  /** Stores a word in an array, as many bytes of it as fit behind an index. */
  static void store(long word, byte[] to, int index) {
    if (to.length - index >= Long.BYTES) {
      WORD.set(to, index, word);
      return;
    }
    long rest = word;
    for (int i = index; i < to.length; i++) {
      to[i] = (byte) rest;
      rest >>>= Byte.SIZE;
    }
  }

  /**
   * Returns a part, which is not copied.
   *
   * @param start the first byte
   * @param end the byte after the last
   * @return the part as a name
   * @throws IndexOutOfBoundsException if that is no part of this name
   */
  public FileName part(int start, int end) {
    Objects.checkFromToIndex(start, end, length());
    return new FileName(bytes, from + start, from + end);
  }

  @Override
  public int compareTo(FileName other) {
    return Arrays.compareUnsigned(bytes, from, to, other.bytes, other.from, other.to);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FileName name
        && Arrays.equals(bytes, from, to, name.bytes, name.from, name.to);
  }

  @Override
  public int hashCode() {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = 31 * hash + bytes[i];
    }
    return hash;
  }

  /** Returns the name as UTF-8 text, with a replacement character for each byte that is not. */
  @Override
  public String toString() {
    return new String(bytes, from, to - from, StandardCharsets.UTF_8);
  }

  /**
   * Returns the name as text that keeps every byte.
   *
   * @return UTF-8 text, with the lone surrogate U+DC00 + byte for each byte that is not; {@link
   *     #of(String)} makes the same name of it
   */
  public String exactText() {
    StringBuilder text = new StringBuilder(length());
    for (int i = from; i < to; ) {
      int length = sequenceLength(bytes[i]);
      String character = length == 0 ? null : strict(i, length);
      if (character == null) {
        text.append((char) (ESCAPE + (bytes[i] & 0xff)));
        i++;
      } else {
        text.append(character);
        i += length;
      }
    }
    return text.toString();
  }

  /** The length of the UTF-8 sequence that starts with a byte; 0 if none does. */
  private static int sequenceLength(byte first) {
    int b = first & 0xff;
    if (b < 0x80) {
      return 1;
    }
    return b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
  }

  /** Decodes one character; null if the bytes are not valid UTF-8. */
  private String strict(int start, int length) {
    if (start + length > to) {
      return null;
    }
    if (length == 1) {
      return String.valueOf((char) bytes[start]);
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, start, length))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
