package dev.xip.image.ext;

import java.nio.charset.StandardCharsets;

/**
 * The beginning of an extended attribute's name; an image holds a number in its place. Linux
 * counterpart: fs/ext4/xattr.h, and libext2fs for the two that the kernel does not list.
 */
public enum AttributePrefix {
  /** Attributes of users. */
  USER(1, "user."),
  /** The whole name of a POSIX ACL: nothing may follow. */
  ACL_ACCESS(2, "system.posix_acl_access"),
  /** The whole name of a directory's default POSIX ACL: nothing may follow. */
  ACL_DEFAULT(3, "system.posix_acl_default"),
  /** Attributes of privileged processes. */
  TRUSTED(4, "trusted."),
  /** Attributes of security modules, and file capabilities. */
  SECURITY(6, "security."),
  /** Comes after the longer names that begin so: a search takes the first prefix that fits. */
  SYSTEM(7, "system."),
  /** The whole name of a rich ACL: nothing may follow. */
  RICH_ACL(8, "system.richacl");

  private static final AttributePrefix[] ALL = values();

  private final int number;
  private final byte[] bytes;

  AttributePrefix(int number, String text) {
    this.number = number;
    this.bytes = text.getBytes(StandardCharsets.US_ASCII);
  }

  /** {@return the prefix with a number, or null if there is none} */
  static AttributePrefix ofNumber(int number) {
    for (AttributePrefix each : ALL) {
      if (each.number == number) {
        return each;
      }
    }
    return null;
  }

  /** {@return the number that images hold} */
  public int number() {
    return number;
  }

  /** {@return whether this is a POSIX ACL, whose value images hold in another form} */
  public boolean isAcl() {
    return this == ACL_ACCESS || this == ACL_DEFAULT;
  }

  /** {@return whether the prefix is the whole name} */
  public boolean isWhole() {
    return isAcl() || this == RICH_ACL;
  }

  /** {@return whether the kernel reads it in images; the others are written by libext2fs alone} */
  public boolean isKnownToTheKernel() {
    return number < SYSTEM.number;
  }

  /** {@return the bytes of the prefix, which the caller must not change} */
  public byte[] bytes() {
    return bytes;
  }
}
