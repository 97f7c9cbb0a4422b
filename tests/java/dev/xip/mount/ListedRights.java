package dev.xip.mount;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.GroupPrincipal;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The rights that access control lists give, in the words of getfacl: {@link
 * dev.xip.testing.ToldAttributes#rights}.
 */
final class ListedRights {
  private static final int USER_OBJ = 0x01;
  private static final int USER = 0x02;
  private static final int GROUP_OBJ = 0x04;
  private static final int GROUP = 0x08;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;
  private static final int HEADER = 4;
  private static final int ENTRY = 8;

  private ListedRights() {}

  /**
   * Reads the rights out of the values of attributes.
   *
   * @param mode the mode, for a file without a list
   * @param access the value of system.posix_acl_access, or null
   * @param inherited the value of system.posix_acl_default, or null
   */
  static SortedSet<String> of(int mode, byte[] access, byte[] inherited) {
    SortedSet<String> rights = new TreeSet<>();
    if (access == null) {
      rights.add("user::" + text(mode >> 6));
      rights.add("group::" + text(mode >> 3));
      rights.add("other::" + text(mode));
    } else {
      add(access, "", rights);
    }
    if (inherited != null) {
      add(inherited, "default:", rights);
    }
    return rights;
  }

  private static void add(byte[] list, String prefix, SortedSet<String> rights) {
    ByteBuffer bytes = ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
    int mask = 7;
    for (int at = HEADER; at < list.length; at += ENTRY) {
      mask = bytes.getShort(at) == MASK ? bytes.getShort(at + 2) : mask;
    }
    for (int at = HEADER; at < list.length; at += ENTRY) {
      int given = bytes.getShort(at + 2);
      String id = Integer.toUnsignedString(bytes.getInt(at + 4));
      String line =
          switch (bytes.getShort(at)) {
            case USER_OBJ -> "user::" + text(given);
            case USER -> "user:%s:%s".formatted(id, text(given & mask));
            case GROUP_OBJ -> "group::" + text(given & mask);
            case GROUP -> "group:%s:%s".formatted(id, text(given & mask));
            case OTHER -> "other::" + text(given);
            default -> null;
          };
      if (line != null) {
        rights.add(prefix + line);
      }
    }
  }

  private static String text(int rights) {
    return text((rights & 4) != 0, (rights & 2) != 0, (rights & 1) != 0);
  }

  private static String text(boolean read, boolean write, boolean execute) {
    return (read ? "r" : "-") + (write ? "w" : "-") + (execute ? "x" : "-");
  }

  /** Reads the rights out of a list of java.nio. */
  static SortedSet<String> of(List<AclEntry> entries) {
    SortedSet<String> rights = new TreeSet<>();
    for (AclEntry each : entries) {
      if (each.type() == AclEntryType.ALLOW) {
        String given =
            text(
                each.permissions().contains(AclEntryPermission.READ_DATA),
                each.permissions().contains(AclEntryPermission.WRITE_DATA),
                each.permissions().contains(AclEntryPermission.EXECUTE));
        String prefix = each.flags().contains(AclEntryFlag.INHERIT_ONLY) ? "default:" : "";
        rights.add(prefix + subject(each) + given);
      }
    }
    return rights;
  }

  private static String subject(AclEntry entry) {
    String name = entry.principal().getName();
    return switch (name) {
      case "OWNER@" -> "user::";
      case "GROUP@" -> "group::";
      case "EVERYONE@" -> "other::";
      default -> (entry.principal() instanceof GroupPrincipal ? "group:" : "user:") + name + ":";
    };
  }
}
