package dev.xip.base;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * The name of one directory entry or the target of a link: bytes, which need not be valid UTF-8.
 * Two names are equal if their bytes are; they sort by unsigned bytes.
 */
public final class FileName implements Comparable<FileName> {
  /** Never changed; the name is a part of it. */
  private final byte[] bytes;

  private final int from;
  private final int to;

  private FileName(byte[] bytes, int from, int to) {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  private static FileName owning(byte[] bytes) {
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
   * @param text the text, taken as UTF-8
   * @return the name
   */
  public static FileName of(String text) {
    return owning(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns the bytes.
   *
   * @return a copy
   */
  public byte[] bytes() {
    return Arrays.copyOfRange(bytes, from, to);
  }

  /**
   * Returns the length.
   *
   * @return the length in bytes
   */
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

  /** Starts with 0, and for each signed byte takes 31 times what is there and adds it. */
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
}
