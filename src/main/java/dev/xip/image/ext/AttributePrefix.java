package dev.xip.image.ext;

import java.nio.charset.StandardCharsets;

/**
 * The beginning of an extended attribute's name; an image holds a number in its place. Linux
 * counterpart: fs/ext4/xattr.h, and ext4_xattr_handler_map in fs/ext4/xattr.c for those that are
 * listed.
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
  /** Attributes of the Lustre file system, which are not listed. */
  LUSTRE(5, "lustre."),
  /** Attributes of security modules, and file capabilities. */
  SECURITY(6, "security."),
  /**
   * Parts of the format such as inline data, which are not listed. Comes after the longer names
   * that begin so: a search takes the first prefix that fits.
   */
  SYSTEM(7, "system."),
  /** The whole name of a rich ACL, which is not listed: nothing may follow. */
  RICH_ACL(8, "system.richacl"),
  /** How a file is encrypted, which is not listed. */
  ENCRYPTION(9, "encryption."),
  /** Attributes of GNU Hurd. */
  HURD(10, "gnu.");

  private static final AttributePrefix[] ALL = values();

  private final int number;
  private final byte[] bytes;

  AttributePrefix(int number, String text) {
    this.number = number;
    this.bytes = text.getBytes(StandardCharsets.US_ASCII);
  }

  /** {@return the prefix with a number, or null if it has none: the kernel lists no such names} */
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

  /** {@return whether the kernel lists such attributes and gives their values} */
  public boolean isListed() {
    return switch (this) {
      case USER, ACL_ACCESS, ACL_DEFAULT, TRUSTED, SECURITY, HURD -> true;
      case LUSTRE, SYSTEM, RICH_ACL, ENCRYPTION -> false;
    };
  }

  /** {@return the bytes of the prefix, which the caller must not change} */
  public byte[] bytes() {
    return bytes;
  }
}
