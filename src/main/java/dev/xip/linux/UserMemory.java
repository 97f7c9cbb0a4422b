package dev.xip.linux;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.MemoryFaultException;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The memory of a program as system calls use it. An address that the program may not use is a
 * {@link MemoryFaultException}, for EFAULT. Linux counterpart: {@code copy_from_user}.
 */
final class UserMemory implements ByteSink, ByteSource {
  /** One byte more than the longest path, PATH_MAX. */
  static final int LONGEST_PATH = 4096;

  private final AddressReader reader;
  private final AddressWriter writer;

  private final Relief relief;

  /** What to do when RAM is used up. */
  interface Relief {
    /** Whether it may be tried again. */
    boolean relieve();
  }

  /** Without relief: the memory of a program that is loaded. */
  UserMemory(AddressSpace space) {
    this(space, () -> false);
  }

  UserMemory(AddressSpace space, Relief relief) {
    this.relief = relief;
    this.reader = new AddressReader(space);
    this.writer = new AddressWriter(space);
  }

  @Override
  public long take(MemorySegment from, long offset, long at, long length)
      throws MemoryFaultException {
    return each(at, length, (done, some) -> writer.copy(from, offset + done, at + done, some));
  }

  @Override
  public long give(long at, MemorySegment to, long offset, long length)
      throws MemoryFaultException {
    return each(at, length, (done, some) -> reader.copy(at + done, to, offset + done, some));
  }

  private interface Piece {
    void copy(long done, long length) throws MemoryFaultException;
  }

  /** Copies page by page, up to the first that cannot be used. */
  private long each(long at, long length, Piece piece) throws MemoryFaultException {
    long done = 0;
    try {
      while (done < length) {
        long some = Math.min(length - done, Pages.SIZE - (at + done & Pages.OFFSET_MASK));
        copy(piece, done, some);
        done += some;
      }
    } catch (MemoryFaultException e) {
      if (done == 0) {
        throw e;
      }
    }
    return done;
  }

  private void copy(Piece piece, long done, long length) throws MemoryFaultException {
    while (true) {
      try {
        piece.copy(done, length);
        return;
      } catch (MemoryFaultException.OutOfMemory e) {
        if (!relief.relieve()) {
          throw e;
        }
      }
    }
  }

  byte[] read(long va, int length) throws MemoryFaultException {
    byte[] bytes = new byte[length];
    MemorySegment to = MemorySegment.ofArray(bytes);
    copy((done, some) -> reader.copy(va, to, done, some), 0, length);
    return bytes;
  }

  void write(long va, byte[] bytes, int length) throws MemoryFaultException {
    MemorySegment from = MemorySegment.ofArray(bytes);
    copy((done, some) -> writer.copy(from, done, va, some), 0, length);
  }

  /** Reads 8 bytes at any address. */
  long getLong(long va) throws MemoryFaultException {
    long value = 0;
    byte[] bytes = read(va, Long.BYTES);
    for (int i = Long.BYTES - 1; i >= 0; i--) {
      value = value << 8 | bytes[i] & 0xff;
    }
    return value;
  }

  /** Writes 8 bytes at any address. */
  void putLong(long va, long value) throws MemoryFaultException {
    byte[] bytes = new byte[Long.BYTES];
    for (int i = 0; i < Long.BYTES; i++) {
      bytes[i] = (byte) (value >>> 8 * i);
    }
    write(va, bytes, bytes.length);
  }

  int getInt(long va) throws MemoryFaultException {
    return ByteBuffer.wrap(read(va, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  void putInt(long va, int value) throws MemoryFaultException {
    byte[] bytes = new byte[Integer.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(value);
    write(va, bytes, bytes.length);
  }

  /** Reads a path, up to its NUL; one that is too long has {@link #LONGEST_PATH} bytes. */
  String path(long va) throws MemoryFaultException {
    return string(va, LONGEST_PATH);
  }

  /** The same as bytes. */
  FileName fileName(long va) throws MemoryFaultException {
    return FileName.of(bytes(va, LONGEST_PATH));
  }

  /** Reads a string, up to its NUL or a number of bytes, as {@link FileName#exactText} has it. */
  String string(long va, int most) throws MemoryFaultException {
    return FileName.of(bytes(va, most)).exactText();
  }

  private byte[] bytes(long va, int most) throws MemoryFaultException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte next;
    while (bytes.size() < most && (next = reader.getByte(va + bytes.size())) != 0) {
      bytes.write(next);
    }
    return bytes.toByteArray();
  }

  /** Writes a string into a field of a fixed length. */
  void putString(long va, String text, int field) throws MemoryFaultException {
    write(va, Arrays.copyOf(FileName.of(text).bytes(), field), field);
  }
}
