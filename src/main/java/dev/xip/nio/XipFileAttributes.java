package dev.xip.nio;

import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
import java.util.Set;

/**
 * The attributes of a file in an image, as stat(2) returns them.
 *
 * @param volume the image
 * @param inode the file's inode
 */
record XipFileAttributes(Volume volume, Inode inode) implements PosixFileAttributes {
  private static final PosixFilePermission[] PERMISSIONS = PosixFilePermission.values();

  /**
   * An image, told from all others.
   *
   * @param key equals that of each other use of the same image
   * @param device a number that nearly always differs between images
   */
  record Volume(Object key, long device) {
    /** The image that begins at a byte of a file. */
    static Volume of(Object file, long offset) {
      record Place(Object file, long offset) {
        @Override
        public String toString() {
          return offset == 0 ? file.toString() : "%s+0x%x".formatted(file, offset);
        }
      }
      Place place = new Place(file, offset);
      return new Volume(place, Integer.toUnsignedLong(place.hashCode()));
    }
  }

  /** What {@link #fileKey} returns: equal for two names of one file. */
  private record FileKey(Object image, long inode) {
    @Override
    public String toString() {
      return "(image=%s,ino=%d)".formatted(image, inode);
    }
  }

  @Override
  public FileTime lastModifiedTime() {
    return FileTime.from(inode.modified());
  }

  @Override
  public FileTime lastAccessTime() {
    return FileTime.from(inode.accessed());
  }

  /** {@return when the file was made; the time of its last change if the image does not say} */
  @Override
  public FileTime creationTime() {
    return inode.created() == null ? lastModifiedTime() : FileTime.from(inode.created());
  }

  /** {@return when the attributes were last changed} */
  FileTime changeTime() {
    return FileTime.from(inode.changed());
  }

  @Override
  public boolean isRegularFile() {
    return inode.type() == FileType.REGULAR;
  }

  @Override
  public boolean isDirectory() {
    return inode.type() == FileType.DIRECTORY;
  }

  @Override
  public boolean isSymbolicLink() {
    return inode.type() == FileType.SYMLINK;
  }

  @Override
  public boolean isOther() {
    return !isRegularFile() && !isDirectory() && !isSymbolicLink();
  }

  @Override
  public long size() {
    return inode.size();
  }

  @Override
  public Object fileKey() {
    return new FileKey(volume.key, inode.number());
  }

  @Override
  public UserPrincipal owner() {
    return Principals.user(inode.uid());
  }

  @Override
  public GroupPrincipal group() {
    return Principals.group(inode.gid());
  }

  @Override
  public Set<PosixFilePermission> permissions() {
    EnumSet<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
    for (PosixFilePermission each : PERMISSIONS) {
      if ((inode.mode() & 0400 >> each.ordinal()) != 0) {
        set.add(each);
      }
    }
    return set;
  }

  /** {@return whether any user may execute it} */
  boolean isExecutable() {
    return isDirectory() || (inode.mode() & 0111) != 0;
  }

  /** {@return the device number of a device node, in the form of dev_t of glibc (makedev(3))} */
  long deviceNumber() {
    long major = inode.deviceMajor();
    long minor = inode.deviceMinor();
    return (major & 0xffff_f000L) << 32
        | (major & 0xfffL) << 8
        | (minor & 0xffff_ff00L) << 12
        | minor & 0xffL;
  }
}
