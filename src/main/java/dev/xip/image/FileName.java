package dev.xip.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The name of one directory entry or the target of a link: bytes, which need not be valid UTF-8.
 * Two names are equal if their bytes are; they sort by unsigned bytes.
 */
public final class FileName implements Comparable<FileName> {
  private final byte[] bytes;

  private FileName(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Makes a name of bytes as they stand in an image.
   *
   * @param bytes the bytes, copied
   * @return the name
   */
  public static FileName of(byte[] bytes) {
    return new FileName(bytes.clone());
  }

  /**
   * Makes a name of text.
   *
   * @param text the text, taken as UTF-8
   * @return the name
   */
  public static FileName of(String text) {
    return new FileName(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns the bytes.
   *
   * @return a copy
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  /**
   * Returns the length.
   *
   * @return the length in bytes
   */
  public int length() {
    return bytes.length;
  }

  @Override
  public int compareTo(FileName other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FileName name && Arrays.equals(bytes, name.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** Returns the name as UTF-8 text, with a replacement character for each byte that is not. */
  @Override
  public String toString() {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
