package dev.xip.image.ext;

import java.nio.charset.StandardCharsets;

/**
 * What the name of an extended attribute begins with; an image holds its number in place of it.
 * Linux counterpart: fs/ext4/xattr.h, and libext2fs for the two that the kernel does not list.
 */
enum AttributePrefix {
  USER(1, "user."),
  /** The whole name: nothing may follow. */
  ACL_ACCESS(2, "system.posix_acl_access"),
  /** The whole name: nothing may follow. */
  ACL_DEFAULT(3, "system.posix_acl_default"),
  TRUSTED(4, "trusted."),
  SECURITY(6, "security."),
  /** Stands behind the others that begin so, for the first that fits is taken. */
  SYSTEM(7, "system."),
  RICH_ACL(8, "system.richacl");

  private static final AttributePrefix[] ALL = values();

  private final int number;
  private final byte[] bytes;

  AttributePrefix(int number, String text) {
    this.number = number;
    this.bytes = text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Returns the prefix with a number, or null if there is none. */
  static AttributePrefix ofNumber(int number) {
    for (AttributePrefix each : ALL) {
      if (each.number == number) {
        return each;
      }
    }
    return null;
  }

  /** Returns the number that stands in images. */
  int number() {
    return number;
  }

  /** Tells whether this is a POSIX ACL, which has a form of its own in images. */
  boolean isAcl() {
    return this == ACL_ACCESS || this == ACL_DEFAULT;
  }

  /** Tells whether the prefix is all of the name. */
  boolean isWhole() {
    return isAcl() || this == RICH_ACL;
  }

  /** Tells whether the kernel knows of it in images; the others just libext2fs writes. */
  boolean isKnownToTheKernel() {
    return number < SYSTEM.number;
  }

  /** Returns the bytes of the prefix; not to be changed. */
  byte[] bytes() {
    return bytes;
  }
}
