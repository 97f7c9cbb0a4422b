package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * The beginnings of the names of extended attributes, for which an image holds a number: those of
 * every image, and the image's own, which are longer. Linux counterpart:
 * fs/erofs/xattr.c:erofs_xattr_prefixes_init.
 */
final class NamePrefixes {
  private static final int ACL_ACCESS = 2;
  private static final int ACL_DEFAULT = 3;

  /** By number; 0 and that of Lustre (5) are of no attribute that the kernel lists. */
  private static final List<String> SHORT =
      List.of(
          "",
          "user.",
          "system.posix_acl_access",
          "system.posix_acl_default",
          "trusted.",
          "",
          "security.");

  private final byte[][] own;

  private NamePrefixes(byte[][] own) {
    this.own = own;
  }

  /**
   * Reads the prefixes of an image.
   *
   * @param view what they lie in
   * @param start the byte offset of the first one
   * @param count how many there are
   * @return the prefixes
   * @throws MalformedDataException if one is damaged
   */
  static NamePrefixes read(ByteView view, long start, int count) throws MalformedDataException {
    byte[][] own = new byte[count][];
    long at = start;
    for (int i = 0; i < count; i++) {
      at = at + 3 & -4;
      int length = view.u16(at);
      if (length < 1 || length > ErofsLayout.MAX_LONG_PREFIX) {
        throw view.malformed(
            at,
            "a prefix of attribute names of 1..%d bytes".formatted(ErofsLayout.MAX_LONG_PREFIX),
            "one of %d".formatted(length));
      }
      at += Short.BYTES;
      byte[] base = shortOne(view, at, view.u8(at));
      byte[] rest = view.bytes(at + 1, length - 1);
      own[i] = Arrays.copyOf(base, base.length + rest.length);
      System.arraycopy(rest, 0, own[i], base.length, rest.length);
      at += length;
    }
    return new NamePrefixes(own);
  }

  /**
   * Tells whether a prefix is the whole name of an attribute.
   *
   * @param number its number
   * @return whether it is
   */
  static boolean isWhole(int number) {
    return number == ACL_ACCESS || number == ACL_DEFAULT;
  }

  /**
   * Finds a prefix.
   *
   * @param view what its number stands in
   * @param at where that stands, for the message
   * @param number the number
   * @return its bytes, which the caller must not change
   * @throws MalformedDataException if there is none
   */
  byte[] get(ByteView view, long at, int number) throws MalformedDataException {
    if ((number & ErofsLayout.LONG_PREFIX) == 0) {
      return shortOne(view, at, number);
    }
    int index = number & ~ErofsLayout.LONG_PREFIX;
    if (index >= own.length) {
      throw view.malformed(
          at,
          "one of %d long prefixes of attribute names".formatted(own.length),
          "number " + index);
    }
    return own[index];
  }

  private static byte[] shortOne(ByteView view, long at, int number) throws MalformedDataException {
    String prefix = number < SHORT.size() ? SHORT.get(number) : "";
    if (prefix.isEmpty()) {
      throw view.malformed(
          at, "an attribute of user, trusted, security or an ACL", "one of the kind " + number);
    }
    return prefix.getBytes(StandardCharsets.US_ASCII);
  }
}
