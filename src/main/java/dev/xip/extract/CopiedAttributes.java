package dev.xip.extract;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostDescriptor;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import dev.xip.host.HostTimes;
import dev.xip.host.OpenFolder;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.IOException;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Gives copies the attributes that their originals have in an image: owner, extended attributes,
 * mode, times. Counts the attributes that the system refuses.
 */
final class CopiedAttributes {
  /** The bits of a mode that let a program run as its owner or group. */
  static final int SET_ID_BITS = 06000;

  private static final FileName CAPABILITIES = FileName.of("security.capability");
  private static final FileName ACCESS_LIST = FileName.of("system.posix_acl_access");

  /** Of an access list, acl(5): a header of 4 bytes, then entries of 8 with tag, rights, id. */
  private static final int LIST_HEADER = 4;

  private static final int LIST_ENTRY = 8;
  private static final int GROUP_OBJECT = 4;

  private final FsImage image;
  private final boolean root = OpenFolder.callerIsRoot();
  private final boolean extended;
  private final boolean setId;
  private long foreign;
  private final Losses privileged = new Losses();
  private final Losses refused = new Losses();

  /** How many attributes were lost, and the first one. */
  private static final class Losses {
    private long count;
    private String first;

    void add(String what) {
      count++;
      first = first == null ? what : first;
    }
  }

  /**
   * Prepares to give attributes.
   *
   * @param image where they come from
   * @param extended whether extended attributes are copied
   * @param setId whether set-id bits and capabilities are copied
   */
  CopiedAttributes(FsImage image, boolean extended, boolean setId) {
    this.image = image;
    this.extended = extended;
    this.setId = setId;
  }

  /** Returns the result of a copy. */
  CopyOut.Outcome outcome(long files, long leftOut, String firstLeftOut) {
    return new CopyOut.Outcome(
        files,
        leftOut,
        firstLeftOut,
        foreign,
        privileged.count,
        privileged.first,
        refused.count,
        refused.first);
  }

  /** Sets an extended attribute of an open file, or of a name. */
  private interface Setter {
    void set(FileName attribute, byte[] value) throws HostException;
  }

  private interface Giver {
    void give(int uid, int gid) throws HostException;
  }

  /** Gives a file or folder its attributes, the times last. The place is for messages. */
  void give(Inode from, HostDescriptor to, Supplier<String> place) throws IOException {
    boolean own = giveOwner(from, to.stat(), to::setOwner);
    boolean listed = giveExtended(from, place, to::setExtendedAttribute);
    to.setMode(mode(from, own, listed));
    to.setTimes(times(from));
  }

  /** Gives a folder its attributes, or leaves those of another user's folder as they were. */
  void giveFolder(Inode from, OpenFolder to, boolean there, Supplier<String> place)
      throws IOException {
    if (!there) {
      give(from, to, place);
    } else if (root || to.isOfCaller()) {
      to.removeAccessLists();
      give(from, to, place);
    } else {
      foreign++;
    }
  }

  /** Gives a link or node its attributes. Precondition: no other user may write the folder. */
  void give(Inode from, OpenFolder folder, FileName name, Supplier<String> place)
      throws IOException {
    boolean own = giveOwner(from, folder.stat(name), (uid, gid) -> folder.setOwner(name, uid, gid));
    boolean listed =
        giveExtended(
            from, place, (attribute, value) -> folder.setExtendedAttribute(name, attribute, value));
    if (from.type() != FileType.SYMLINK) {
      folder.setMode(name, mode(from, own, listed));
    }
    folder.setTimes(name, times(from));
  }

  private static HostTimes times(Inode from) {
    return new HostTimes(from.accessed(), from.modified());
  }

  /** Returns whether the copy has owner and group of the original. */
  private boolean giveOwner(Inode from, HostStat now, Giver giver) throws HostException {
    int uid = (int) from.uid();
    int gid = (int) from.gid();
    if (now.uid() == uid && now.gid() == gid) {
      return true;
    }
    try {
      // A user may give a file to a group of theirs.
      giver.give(root ? uid : -1, gid);
      if (root || now.uid() == uid) {
        return true;
      }
    } catch (HostException e) {
      if (e.errno() != Errno.EPERM && e.errno() != Errno.EINVAL) {
        throw e;
      }
    }
    foreign++;
    return false;
  }

  /** Returns whether the copy has the access list of the original. */
  private boolean giveExtended(Inode from, Supplier<String> place, Setter setter)
      throws IOException {
    boolean listed = true;
    if (extended) {
      for (Map.Entry<FileName, byte[]> each : image.extendedAttributes(from).entrySet()) {
        FileName attribute = each.getKey();
        if (setId || !attribute.equals(CAPABILITIES)) {
          listed &=
              give(attribute, each.getValue(), place, setter) || !attribute.equals(ACCESS_LIST);
        }
      }
      return listed;
    }
    return false;
  }

  private boolean give(FileName attribute, byte[] value, Supplier<String> place, Setter setter) {
    try {
      setter.set(attribute, value);
      return true;
    } catch (HostException e) {
      boolean privilege = !root && isPrivileged(attribute);
      (privilege ? privileged : refused)
          .add("%s of %s: %s".formatted(attribute, place.get(), e.errno()));
      return false;
    }
  }

  private static boolean isPrivileged(FileName attribute) {
    String name = attribute.toString();
    return name.startsWith("security.") || name.startsWith("trusted.");
  }

  /**
   * Drops the set-id bits if the owner differs: a set-id program must not run as another user. If
   * the access list is lost, the group bits become the rights that it gave to the owning group, in
   * place of its mask.
   */
  private int mode(Inode from, boolean own, boolean listed) throws IOException {
    int mode = from.permissions();
    if (!own || !setId) {
      mode &= ~SET_ID_BITS;
    }
    if (!listed) {
      byte[] list = image.extendedAttributes(from).get(ACCESS_LIST);
      for (int at = LIST_HEADER; list != null && at + LIST_ENTRY <= list.length; at += LIST_ENTRY) {
        if (list[at] == GROUP_OBJECT && list[at + 1] == 0) {
          mode &= ~070 | (list[at + 2] & 7) << 3;
        }
      }
    }
    return mode;
  }

  /**
   * Gives a file an attribute of the file that it replaces, but no capabilities, and what only root
   * may set if the system allows it.
   */
  static void keep(FileName attribute, byte[] value, HostDescriptor file) throws HostException {
    if (attribute.equals(CAPABILITIES)) {
      return;
    }
    try {
      file.setExtendedAttribute(attribute, value);
    } catch (HostException e) {
      if (e.errno() != Errno.EPERM || !isPrivileged(attribute)) {
        throw e;
      }
    }
  }
}
