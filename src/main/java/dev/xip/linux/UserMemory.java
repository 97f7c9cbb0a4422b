package dev.xip.linux;

import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.MemoryFaultException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The memory of a program as system calls use it. An address that the program may not use is a
 * {@link MemoryFaultException}, for EFAULT. Linux counterpart: {@code copy_from_user}.
 */
final class UserMemory {
  private static final int LONGEST_PATH = 4096;

  private final AddressReader reader;
  private final AddressWriter writer;

  UserMemory(AddressSpace space) {
    this.reader = new AddressReader(space);
    this.writer = new AddressWriter(space);
  }

  byte[] read(long va, int length) throws MemoryFaultException {
    byte[] bytes = new byte[length];
    reader.copy(va, MemorySegment.ofArray(bytes), 0, length);
    return bytes;
  }

  void write(long va, byte[] bytes, int length) throws MemoryFaultException {
    writer.copy(MemorySegment.ofArray(bytes), 0, va, length);
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

  /** Reads a path, up to its NUL; the longest has 4095 bytes. */
  String path(long va) throws MemoryFaultException {
    byte[] bytes = new byte[LONGEST_PATH];
    int length = 0;
    byte next;
    while (length < LONGEST_PATH && (next = reader.getByte(va + length)) != 0) {
      bytes[length++] = next;
    }
    return new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
  }

  /** Writes a string into a field of a fixed length. */
  void putString(long va, String text, int field) throws MemoryFaultException {
    byte[] bytes = Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), field);
    write(va, bytes, field);
  }
}
