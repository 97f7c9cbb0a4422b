package dev.xip.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A read-only little-endian view of the bytes of a file, checked at every access. A read past the
 * end is damage in the file, never an {@link IndexOutOfBoundsException}.
 */
public final class ByteView {
  private static final ValueLayout.OfShort LE_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt LE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LE_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int UUID_LENGTH = 36;

  private final MemorySegment mem;
  private final String file;
  private final MalformedDataException.Factory damage;

  /**
   * Makes a view.
   *
   * @param mem the bytes of the whole file
   * @param file the file's name, for errors
   * @param damage makes the exception for damaged data
   */
  public ByteView(MemorySegment mem, String file, MalformedDataException.Factory damage) {
    this.mem = mem.asReadOnly();
    this.file = file;
    this.damage = damage;
  }

  /** {@return the read-only memory of the whole file} */
  public MemorySegment memory() {
    return mem;
  }

  /** {@return the file's name, which errors carry} */
  public String file() {
    return file;
  }

  /** {@return the length in bytes} */
  public long size() {
    return mem.byteSize();
  }

  /**
   * Demands that a range lies inside: overflow first, then bounds.
   *
   * @param off the first byte
   * @param len the length in bytes
   * @param what what lies there, for the message
   * @throws MalformedDataException if it does not
   */
  public void checkRange(long off, long len, String what) throws MalformedDataException {
    if (off < 0 || len < 0 || off > mem.byteSize() - len) {
      throw malformed(
          off,
          "%s of %d bytes inside the file".formatted(what, len),
          "a file of 0x%x bytes".formatted(mem.byteSize()));
    }
  }

  /**
   * Makes the exception for damage found in this file.
   *
   * @param off the byte offset
   * @param expected what the format asks for there
   * @param found what is there
   * @return the exception, to be thrown by the caller
   */
  public MalformedDataException malformed(long off, String expected, String found) {
    return damage.at(file, off, expected, found);
  }

  /**
   * Reads an unsigned byte.
   *
   * @param off the byte offset
   * @return the value, 0..255
   * @throws MalformedDataException if it lies past the end
   */
  public int u8(long off) throws MalformedDataException {
    checkRange(off, 1, "a byte");
    return mem.get(ValueLayout.JAVA_BYTE, off) & 0xff;
  }

  /**
   * Reads an unsigned 16-bit number.
   *
   * @param off the byte offset
   * @return the value, 0..65535
   * @throws MalformedDataException if it lies past the end
   */
  public int u16(long off) throws MalformedDataException {
    checkRange(off, 2, "a 16-bit number");
    return mem.get(LE_SHORT, off) & 0xffff;
  }

  /**
   * Reads an unsigned 32-bit number.
   *
   * @param off the byte offset
   * @return the value, 0..2^32-1
   * @throws MalformedDataException if it lies past the end
   */
  public long u32(long off) throws MalformedDataException {
    checkRange(off, 4, "a 32-bit number");
    return mem.get(LE_INT, off) & 0xffff_ffffL;
  }

  /**
   * Reads a row of 32-bit numbers.
   *
   * @param off the byte offset of the first one
   * @param to receives their bits, from its start
   * @param count how many, at most the array's length
   * @throws MalformedDataException if one lies past the end
   */
  public void u32s(long off, int[] to, int count) throws MalformedDataException {
    checkRange(off, (long) count * Integer.BYTES, "a row of 32-bit numbers");
    MemorySegment.copy(mem, LE_INT, off, MemorySegment.ofArray(to), ValueLayout.JAVA_INT, 0, count);
  }

  /**
   * Reads a signed 32-bit number.
   *
   * @param off the byte offset
   * @return the value
   * @throws MalformedDataException if it lies past the end
   */
  public int s32(long off) throws MalformedDataException {
    return (int) u32(off);
  }

  /**
   * Reads a 64-bit number.
   *
   * @param off the byte offset
   * @return the 64 bits
   * @throws MalformedDataException if it lies past the end
   */
  public long u64(long off) throws MalformedDataException {
    checkRange(off, 8, "a 64-bit number");
    return mem.get(LE_LONG, off);
  }

  /**
   * Reads up to eight bytes as one number, for names that are compared or hashed.
   *
   * @param off the byte offset of the first
   * @param len how many bytes, at least 1; of more than 8 the first 8 are read
   * @return the bytes, the first one lowest, with zeros above the last
   * @throws MalformedDataException if one of them lies past the end
   */
  public long word(long off, int len) throws MalformedDataException {
    if (len >= Long.BYTES) {
      return u64(off);
    }
    if (off >= 0 && off <= mem.byteSize() - Long.BYTES) {
      return mem.get(LE_LONG, off) & -1L >>> Long.SIZE - len * Byte.SIZE;
    }
    long word = 0;
    for (int i = len - 1; i >= 0; i--) {
      word = word << Byte.SIZE | u8(off + i);
    }
    return word;
  }

  /**
   * Compares bytes with a name. No call into the JVM: its own comparison of memory does not survive
   * a truncation of the file.
   *
   * @param off the byte offset of the first
   * @param name the name
   * @return whether the bytes from there on are those of the name
   * @throws MalformedDataException if they lie past the end
   */
  public boolean holds(long off, FileName name) throws MalformedDataException {
    for (int i = 0; i < name.length(); i += Long.BYTES) {
      if (word(off + i, name.length() - i) != name.word(i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Copies bytes to the heap, for checksums and values of attributes.
   *
   * @param off the byte offset
   * @param len the length in bytes
   * @return a new array
   * @throws MalformedDataException if the range is not inside the file
   */
  public byte[] bytes(long off, int len) throws MalformedDataException {
    checkRange(off, len, "a run");
    byte[] copy = new byte[len];
    buffer(off, len).get(copy);
    return copy;
  }

  /**
   * Copies a name.
   *
   * @param off the byte offset
   * @param len the length in bytes
   * @return the name
   * @throws MalformedDataException if the range is not inside the file
   */
  public FileName name(long off, int len) throws MalformedDataException {
    checkRange(off, len, "a run");
    byte[] copy = new byte[len];
    // Eight bytes at a time: names are short, and a buffer for each takes longer.
    for (int i = 0; i < len; i += Long.BYTES) {
      FileName.store(word(off + i, len - i), copy, i);
    }
    return FileName.owning(copy);
  }

  /**
   * Reads a UUID whose bytes stand in the order in which they are written.
   *
   * @param off the byte offset
   * @return its text, in lower case (RFC 9562, section 4)
   * @throws MalformedDataException if it lies past the end
   */
  public String uuid(long off) throws MalformedDataException {
    // The first text of a java.util.UUID takes a JVM milliseconds.
    StringBuilder text = new StringBuilder(UUID_LENGTH);
    for (byte each : bytes(off, 2 * Long.BYTES)) {
      text.append(Character.forDigit(each >> 4 & 0xf, 16))
          .append(Character.forDigit(each & 0xf, 16));
      switch (text.length()) {
        case 8, 13, 18, 23 -> text.append('-');
        default -> {}
      }
    }
    return text.toString();
  }

  /** A buffer, because the first copy between two memory segments costs a JVM milliseconds. */
  private ByteBuffer buffer(long off, long len) {
    return mem.asSlice(off, len).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }
}
