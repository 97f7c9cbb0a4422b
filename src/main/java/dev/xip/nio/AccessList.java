package dev.xip.nio;

import static java.nio.file.attribute.AclEntryPermission.APPEND_DATA;
import static java.nio.file.attribute.AclEntryPermission.DELETE_CHILD;
import static java.nio.file.attribute.AclEntryPermission.EXECUTE;
import static java.nio.file.attribute.AclEntryPermission.READ_ACL;
import static java.nio.file.attribute.AclEntryPermission.READ_ATTRIBUTES;
import static java.nio.file.attribute.AclEntryPermission.READ_DATA;
import static java.nio.file.attribute.AclEntryPermission.SYNCHRONIZE;
import static java.nio.file.attribute.AclEntryPermission.WRITE_ACL;
import static java.nio.file.attribute.AclEntryPermission.WRITE_ATTRIBUTES;
import static java.nio.file.attribute.AclEntryPermission.WRITE_DATA;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;

/**
 * A POSIX access list as the entries of NFSv4 that give the same rights. An NFSv4 list is read from
 * its start, and the first entry that names the user and a right decides about that right. So the
 * order is: the owner, the named users, the groups, everyone. A user who is named gets no right
 * from a group or as one of everyone, therefore the rights left out are denied at once; a user gets
 * a right if any of the user's groups has it, therefore those of all groups are allowed before any
 * is denied. The mask is applied to named users and to groups. A file without a list has the
 * entries of its mode.
 *
 * <p>r becomes READ_DATA; w WRITE_DATA and APPEND_DATA, and DELETE_CHILD of a directory; x EXECUTE.
 * Everyone may READ_ATTRIBUTES, READ_ACL and SYNCHRONIZE; the owner may also WRITE_ATTRIBUTES and
 * WRITE_ACL. The default list of a directory follows, with entries that only new files inherit. The
 * set-id and sticky bits are not shown.
 *
 * @param entries the entries, in the order in which they are read
 */
record AccessList(List<AclEntry> entries) {
  private static final FileName ACCESS = FileName.of("system.posix_acl_access");
  private static final FileName DEFAULT = FileName.of("system.posix_acl_default");

  private static final int HEADER_SIZE = 4;

  /** What an entry of a POSIX access list is about: include/uapi/linux/posix_acl.h. */
  private static final int USER_OBJ = 0x01;

  private static final int USER = 0x02;
  private static final int GROUP_OBJ = 0x04;
  private static final int GROUP = 0x08;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  private static final int ALL = 7;

  /** An entry of a POSIX access list. */
  private record Posix(int tag, int permissions, long id) {}

  /** Makes the entries of one list. */
  private record Mapping(boolean directory, Set<AclEntryFlag> flags, List<AclEntry> to) {
    void addAll(List<Posix> list) {
      int mask =
          list.stream()
              .filter(each -> each.tag == MASK)
              .mapToInt(Posix::permissions)
              .findFirst()
              .orElse(ALL);
      for (Posix each : list) {
        if (each.tag == USER_OBJ) {
          allow(Principals.OWNER, each.permissions, true);
          deny(Principals.OWNER, each.permissions);
        } else if (each.tag == USER) {
          allow(Principals.user(each.id), each.permissions & mask, false);
          deny(Principals.user(each.id), each.permissions & mask);
        }
      }
      List<Posix> groups = list.stream().filter(e -> (e.tag & (GROUP | GROUP_OBJ)) != 0).toList();
      groups.forEach(each -> allow(principal(each), each.permissions & mask, false));
      groups.forEach(each -> deny(principal(each), each.permissions & mask));
      list.stream()
          .filter(each -> each.tag == OTHER)
          .forEach(each -> allow(Principals.EVERYONE, each.permissions, false));
    }

    private static UserPrincipal principal(Posix group) {
      return group.tag == GROUP_OBJ ? Principals.GROUP : Principals.group(group.id);
    }

    private void allow(UserPrincipal who, int permissions, boolean owner) {
      Set<AclEntryPermission> rights = rights(permissions);
      rights.addAll(EnumSet.of(READ_ATTRIBUTES, READ_ACL, SYNCHRONIZE));
      if (owner) {
        rights.addAll(EnumSet.of(WRITE_ATTRIBUTES, WRITE_ACL));
      }
      add(AclEntryType.ALLOW, who, rights);
    }

    private void deny(UserPrincipal who, int allowed) {
      Set<AclEntryPermission> rights = rights(~allowed);
      if (!rights.isEmpty()) {
        add(AclEntryType.DENY, who, rights);
      }
    }

    private void add(AclEntryType type, UserPrincipal who, Set<AclEntryPermission> rights) {
      to.add(
          AclEntry.newBuilder()
              .setType(type)
              .setPrincipal(who)
              .setPermissions(rights)
              .setFlags(flags)
              .build());
    }

    private Set<AclEntryPermission> rights(int permissions) {
      EnumSet<AclEntryPermission> rights = EnumSet.noneOf(AclEntryPermission.class);
      if ((permissions & 4) != 0) {
        rights.add(READ_DATA);
      }
      if ((permissions & 2) != 0) {
        rights.addAll(EnumSet.of(WRITE_DATA, APPEND_DATA));
        if (directory) {
          rights.add(DELETE_CHILD);
        }
      }
      if ((permissions & 1) != 0) {
        rights.add(EXECUTE);
      }
      return rights;
    }
  }

  /** Reads the access list of a file, whose form the image's reader has checked. */
  static AccessList of(FsImage image, Inode inode) throws IOException {
    SortedMap<FileName, byte[]> attributes = image.extendedAttributes(inode);
    boolean directory = inode.type() == FileType.DIRECTORY;
    List<AclEntry> entries = new ArrayList<>();
    byte[] access = attributes.get(ACCESS);
    new Mapping(directory, Set.of(), entries)
        .addAll(access == null ? ofMode(inode.mode()) : parse(access));
    byte[] inherited = attributes.get(DEFAULT);
    if (inherited != null) {
      Set<AclEntryFlag> flags =
          EnumSet.of(
              AclEntryFlag.FILE_INHERIT, AclEntryFlag.DIRECTORY_INHERIT, AclEntryFlag.INHERIT_ONLY);
      new Mapping(true, flags, entries).addAll(parse(inherited));
    }
    return new AccessList(List.copyOf(entries));
  }

  private static List<Posix> ofMode(int mode) {
    return List.of(
        new Posix(USER_OBJ, mode >> 6 & ALL, 0),
        new Posix(GROUP_OBJ, mode >> 3 & ALL, 0),
        new Posix(OTHER, mode & ALL, 0));
  }

  /** Linux counterpart: fs/posix_acl.c:posix_acl_from_xattr. */
  private static List<Posix> parse(byte[] value) {
    ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    bytes.position(HEADER_SIZE);
    List<Posix> list = new ArrayList<>();
    while (bytes.hasRemaining()) {
      int tag = bytes.getShort();
      int permissions = bytes.getShort();
      list.add(new Posix(tag, permissions & ALL, Integer.toUnsignedLong(bytes.getInt())));
    }
    return list;
  }
}
