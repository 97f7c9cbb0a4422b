package dev.xip.vfs;

import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.time.Instant;

/**
 * The attributes of a node at one moment. Linux counterpart: {@code struct kstat}.
 *
 * @param mode type, set-id and sticky bits, permissions
 * @param uid the owner
 * @param gid the group
 * @param accessed the time of the last access
 * @param modified the time of the last change of its bytes
 * @param changed the time of the last change of its attributes
 * @param created when it was made, null if not known
 */
public record Attributes(
    int mode,
    long uid,
    long gid,
    Instant accessed,
    Instant modified,
    Instant changed,
    Instant created) {
  /** S_ISGID: of a directory, that what is made in it gets its group. */
  static final int SET_GROUP = 02000;

  private static final int TYPE = 0xf000;

  /**
   * {@return the attributes of a node that is made now by root}
   *
   * @param type its type
   * @param permissions the low twelve bits of its mode
   */
  public static Attributes of(FileType type, int permissions) {
    Instant now = Instant.now();
    return new Attributes(type.mode() | permissions & 07777, 0, 0, now, now, now, now);
  }

  static Attributes of(Inode inode) {
    return new Attributes(
        inode.mode() & 0xffff,
        inode.uid(),
        inode.gid(),
        inode.accessed(),
        inode.modified(),
        inode.changed(),
        inode.created());
  }

  /** {@return the type} */
  public FileType type() {
    return FileType.ofMode(mode);
  }

  /**
   * {@return the same with other permissions}
   *
   * @param permissions the low twelve bits of the mode
   */
  public Attributes withPermissions(int permissions) {
    return new Attributes(
        mode & TYPE | permissions & 07777, uid, gid, accessed, modified, Instant.now(), created);
  }

  /**
   * {@return the same with other owners}
   *
   * @param newUid the owner, -1 for the one before
   * @param newGid the group, -1 for the one before
   */
  public Attributes withOwners(long newUid, long newGid) {
    return new Attributes(
        mode,
        newUid < 0 ? uid : newUid,
        newGid < 0 ? gid : newGid,
        accessed,
        modified,
        Instant.now(),
        created);
  }

  /**
   * {@return the same with other times}
   *
   * @param newAccessed of the last access, null for the one before
   * @param newModified of the last change, null for the one before
   */
  public Attributes withTimes(Instant newAccessed, Instant newModified) {
    return new Attributes(
        mode,
        uid,
        gid,
        newAccessed == null ? accessed : newAccessed,
        newModified == null ? modified : newModified,
        Instant.now(),
        created);
  }
}
