package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * An open folder and the operations on the names in it: relative to its descriptor, one name at a
 * time and never through a symbolic link. Even if other users rename or replace the folder's path
 * or its entries, a call reaches an entry of this folder or fails.
 *
 * <p>A name is one component: not empty, not {@code .} or {@code ..}, without slash and NUL;
 * anything else is an {@link IllegalArgumentException} before the system is asked. A call on a name
 * acts on the entry that has the name at that moment; so in a folder that other users may write, a
 * file is created elsewhere, or gets its attributes through its own descriptor.
 */
public final class OpenFolder extends HostDescriptor {
  private static final int FOLDER = Libc.O_RDONLY() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC();

  /** A folder need not be readable to be passed through. */
  private static final int PASSED = Libc.O_PATH() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC();

  private static final FileName ITSELF = FileName.of(".");
  private static final FileName PARENT = FileName.of("..");

  /** Mode of a folder that other users must not enter. */
  private static final int PRIVATE = 0700;

  private static final int RANDOM_BYTES = 12;

  private static final int OTHERS_WRITE = 022;
  private static final int STICKY = 01000;
  private static final int ROOT = 0;

  private static final List<FileName> ACCESS_LISTS =
      List.of(FileName.of("system.posix_acl_access"), FileName.of("system.posix_acl_default"));

  /** An access control list of version 2 without entries, which the system takes as none. */
  private static final byte[] NO_ENTRIES = {2, 0, 0, 0};

  /** Longer names are abbreviated: folders may nest so deep that full names would fill the heap. */
  private static final int LONGEST_NAME = 4096;

  private OpenFolder(int fd, String name) {
    super(fd, name);
  }

  /**
   * Opens a folder that the caller names; links on the way are followed, as for any command.
   *
   * @param path a folder of the default file system
   * @return the open folder
   * @throws HostException if there is none (ENOENT), it is no folder (ENOTDIR) or may not be read
   */
  public static OpenFolder open(Path path) throws HostException {
    AtomicContext.mightSleep("open");
    FileName name = HostPaths.nameOf(path);
    return new OpenFolder(FileCalls.open(name, FOLDER, 0), path.toString());
  }

  /**
   * Opens a folder in this one.
   *
   * @param name its name
   * @return the open folder
   * @throws HostException if there is none (ENOENT), or it is a link (ELOOP) or no folder (ENOTDIR)
   */
  public OpenFolder folder(FileName name) throws HostException {
    int fd = BeneathCalls.open(this, checked(name), FOLDER | Libc.O_NOFOLLOW(), 0);
    return new OpenFolder(fd, place(name));
  }

  /**
   * Opens a folder from which a caller goes on to others, with O_PATH: it need not be readable, and
   * it can be neither listed nor changed until it is {@link #reopened}. Links are followed.
   *
   * @param path a folder of the default file system
   * @return the folder
   * @throws HostException if there is none (ENOENT) or it is no folder (ENOTDIR)
   */
  public static OpenFolder passed(Path path) throws HostException {
    AtomicContext.mightSleep("open");
    FileName name = HostPaths.nameOf(path);
    return new OpenFolder(FileCalls.open(name, PASSED, 0), path.toString());
  }

  /**
   * Opens a folder in this one as {@link #passed(Path)} does.
   *
   * @param name its name, or {@code ..} for the parent
   * @return the folder
   * @throws HostException if there is none (ENOENT), or it is a link or no folder (ENOTDIR)
   */
  public OpenFolder passed(FileName name) throws HostException {
    FileName one = name.equals(PARENT) ? name : checked(name);
    int fd = BeneathCalls.open(this, one, PASSED | Libc.O_NOFOLLOW(), 0);
    return new OpenFolder(fd, place(name));
  }

  /**
   * Opens this folder once more, to be listed and changed.
   *
   * @return the open folder
   * @throws HostException if it may not be read (EACCES)
   */
  public OpenFolder reopened() throws HostException {
    AtomicContext.mightSleep("open");
    return new OpenFolder(BeneathCalls.open(this, ITSELF, FOLDER, 0), name());
  }

  /**
   * Opens the parent folder. Another user may have moved this folder, so the caller must check that
   * the parent is the one it came from.
   *
   * @return the open folder
   * @throws HostException if it may not be read (EACCES) or the system refuses
   */
  public OpenFolder parent() throws HostException {
    AtomicContext.mightSleep("open");
    return new OpenFolder(BeneathCalls.open(this, PARENT, FOLDER, 0), place(PARENT));
  }

  /**
   * Opens a name with O_PATH, a link as itself: what the caller then inspects, and opens through
   * the descriptor's path, is the same file.
   *
   * @param name its name
   * @return the file, held but not opened
   * @throws HostException if it does not exist (ENOENT) or the system refuses
   */
  public HostNode hold(FileName name) throws HostException {
    int flags = Libc.O_PATH() | Libc.O_NOFOLLOW() | Libc.O_CLOEXEC();
    return new HostNode(BeneathCalls.open(this, checked(name), flags, 0), place(name));
  }

  /**
   * Makes a folder of mode 0700, mkdirat(2), and opens it.
   *
   * @param name its name
   * @return the open folder, of mode 0700
   * @throws HostException if the name exists (EEXIST) or the system refuses; EBUSY if another user
   *     has replaced the folder
   */
  public OpenFolder make(FileName name) throws HostException {
    BeneathCalls.mkdir(this, checked(name), PRIVATE);
    OpenFolder made = folder(name);
    try {
      if (!made.isOfCaller()) {
        throw new HostException("mkdirat", "path=" + place(name), Errno.EBUSY);
      }
      return made;
    } catch (HostException refused) {
      made.close();
      throw refused;
    }
  }

  /**
   * Opens a regular file for reading.
   *
   * @param name its name
   * @return the open file
   * @throws HostException if there is none (ENOENT), it may not be read (EACCES), or it is a link
   *     (ELOOP), a directory (EISDIR) or something else that is no regular file (ENODEV)
   */
  public HostFile openReadOnly(FileName name) throws HostException {
    return HostFile.beneath(this, checked(name), Libc.O_RDONLY(), 0);
  }

  /**
   * Opens a regular file for reading and writing.
   *
   * @param name its name
   * @return the open file
   * @throws HostException as {@link #openReadOnly}; EROFS or ETXTBSY if it cannot be written
   */
  public HostFile openReadWrite(FileName name) throws HostException {
    return HostFile.beneath(this, checked(name), Libc.O_RDWR(), 0);
  }

  /**
   * Makes a new, empty file for reading and writing.
   *
   * @param name its name
   * @param mode the permission bits, from which the process's umask is taken away
   * @return the open file
   * @throws HostException if the name exists (EEXIST), even as a link, or it cannot be made
   */
  public HostFile create(FileName name, int mode) throws HostException {
    int flags = Libc.O_RDWR() | Libc.O_CREAT() | Libc.O_EXCL();
    return HostFile.beneath(this, checked(name), flags, mode);
  }

  /**
   * Returns the attributes of a name; of a symbolic link, its own.
   *
   * @param name the name
   * @return the attributes, as of now
   * @throws HostException if it does not exist (ENOENT) or the system refuses
   */
  public HostStat stat(FileName name) throws HostException {
    return FileCalls.statxAt(fd(), name(), checked(name));
  }

  /**
   * Tells whether a name exists, even as a dangling link.
   *
   * @param name the name
   * @return false if it does not (ENOENT)
   * @throws HostException if that cannot be determined
   */
  public boolean exists(FileName name) throws HostException {
    try {
      stat(name);
      return true;
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Lists the names, getdents64(2), without {@code .} and {@code ..}.
   *
   * @return the names, unordered; those created or removed meanwhile may be in it or not
   * @throws HostException if the system refuses
   */
  public List<FileName> names() throws HostException {
    return names(FileName.of(""));
  }

  /**
   * Lists the names with a prefix; other names cost next to nothing.
   *
   * @param start the prefix, empty for all names
   * @return the names, unordered; those created or removed meanwhile may be in it or not
   * @throws HostException if the system refuses
   */
  public List<FileName> names(FileName start) throws HostException {
    AtomicContext.mightSleep("getdents64");
    // Opened again: a descriptor has one directory offset, and this may run in two threads.
    int fd = BeneathCalls.open(this, FileName.of("."), FOLDER, 0);
    try {
      return DirectoryRecords.names(fd, name(), start);
    } finally {
      FileCalls.close(fd);
    }
  }

  /**
   * Makes a symbolic link.
   *
   * @param name its name
   * @param target its target, any bytes but NUL
   * @throws HostException if the name exists (EEXIST) or the system refuses
   */
  public void symlink(FileName name, FileName target) throws HostException {
    BeneathCalls.symlink(target, this, checked(name));
  }

  /**
   * Reads the target of a symbolic link.
   *
   * @param name its name
   * @return the target
   * @throws HostException if it is no link (EINVAL) or there is none (ENOENT)
   */
  public FileName readLink(FileName name) throws HostException {
    return BeneathCalls.readlink(fd(), checked(name), () -> place(name));
  }

  /**
   * Makes a device node, pipe or socket, mknodat(2).
   *
   * @param name its name
   * @param mode its type and permission bits, from which the process's umask is taken away
   * @param device the device's number as {@link HostStat#device} makes it, 0 for pipe and socket
   * @throws HostException if the caller may not (EPERM), the name exists (EEXIST), or the system
   *     refuses
   */
  public void node(FileName name, int mode, long device) throws HostException {
    BeneathCalls.mknod(this, checked(name), mode, device);
  }

  /**
   * Makes a hard link, linkat(2); a symbolic link is linked itself.
   *
   * @param old a name that it has in this folder
   * @param to the folder of its new name
   * @param name its new name
   * @throws HostException if the name is taken (EEXIST), on another file system (EXDEV), or the
   *     system refuses
   */
  public void link(FileName old, OpenFolder to, FileName name) throws HostException {
    BeneathCalls.link(this, checked(old), to, checked(name));
  }

  /**
   * Renames a file atomically, replacing a file that has the new name. Two names of one file are
   * left as they are.
   *
   * @param old its name in this folder
   * @param to the folder of its new name
   * @param name its new name
   * @throws HostException if there is no such file (ENOENT), the name is a folder's (EISDIR), on
   *     another file system (EXDEV), or the system refuses
   */
  public void rename(FileName old, OpenFolder to, FileName name) throws HostException {
    BeneathCalls.rename(this, checked(old), to, checked(name), 0);
  }

  /**
   * Removes a name of a file or link, unlinkat(2). A file is deleted with its last name and last
   * user.
   *
   * @param name the name
   * @return false if it did not exist
   * @throws HostException if it is a folder's (EISDIR) or the system refuses
   */
  public boolean unlink(FileName name) throws HostException {
    return remove(name, 0);
  }

  /**
   * Removes an empty folder.
   *
   * @param name its name
   * @return false if it did not exist
   * @throws HostException if it is no folder (ENOTDIR), not empty (ENOTEMPTY), or the system
   *     refuses
   */
  public boolean removeFolder(FileName name) throws HostException {
    return remove(name, Libc.AT_REMOVEDIR());
  }

  private boolean remove(FileName name, int flags) throws HostException {
    try {
      BeneathCalls.unlink(this, checked(name), flags);
      return true;
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Sets the permissions of a file. Links are not followed.
   *
   * @param name the name of anything but a link
   * @param mode the low twelve bits: set-id, sticky, permissions
   * @throws IOException if it is a link, the caller may not or the system refuses
   */
  public void setMode(FileName name, int mode) throws IOException {
    // fchmodat(2) of older systems follows links, so the file is held by O_PATH.
    try (HostNode node = hold(name)) {
      Files.setAttribute(node.descriptorPath(), "unix:mode", mode);
    }
  }

  /**
   * Tells whether the folder belongs to the caller.
   *
   * @return true if its owner is the user that this process acts as
   * @throws HostException if the system refuses
   */
  public boolean isOfCaller() throws HostException {
    return stat().uid() == Libc.geteuid();
  }

  /**
   * Tells whether another user could have put an entry here: it is not the caller's, and the folder
   * belongs to a user other than the caller and root, or others may write it. In a sticky folder of
   * the caller or root, an entry of the folder's owner is trusted, as the kernel does for links
   * (protected_symlinks, proc(5)).
   *
   * @param thing the attributes of the entry
   * @return true if it must not be followed or written into
   * @throws HostException if the system refuses the folder's attributes
   */
  public boolean mayBeStrangers(HostStat thing) throws HostException {
    int caller = Libc.geteuid();
    if (thing.uid() == caller) {
      return false;
    }
    HostStat folder = stat();
    if (folder.uid() != caller && folder.uid() != ROOT) {
      return true;
    }
    boolean othersWrite = (folder.mode() & OTHERS_WRITE) != 0;
    boolean sticky = (folder.mode() & STICKY) != 0;
    return othersWrite && !(sticky && thing.uid() == folder.uid());
  }

  /**
   * Removes the access control lists, acl(5), that a new folder has inherited from its parent, so
   * that files made in it inherit none.
   *
   * @throws HostException if the caller may not (EPERM) or the system refuses
   */
  public void removeAccessLists() throws HostException {
    for (FileName each : ACCESS_LISTS) {
      try {
        setExtendedAttribute(each, NO_ENTRIES);
      } catch (HostException e) {
        if (e.errno() != Errno.EOPNOTSUPP) {
          throw e;
        }
        // The file system has no such lists.
      }
    }
  }

  /**
   * Sets owner and group. Links are not followed.
   *
   * @param name the name
   * @param uid the owner, -1 to leave it
   * @param gid the group, -1 to leave it
   * @throws HostException if the caller may not (EPERM) or the system refuses
   */
  public void setOwner(FileName name, int uid, int gid) throws HostException {
    AttributeCalls.fchownat(fd(), name(), checked(name), uid, gid);
  }

  /**
   * Sets the times. Links are not followed.
   *
   * @param name the name
   * @param times of access and change
   * @throws HostException if the caller may not (EPERM) or the system refuses
   */
  public void setTimes(FileName name, HostTimes times) throws HostException {
    AttributeCalls.utimensat(fd(), name(), checked(name), times);
  }

  /**
   * Reads all extended attributes. Links are not followed.
   *
   * @param name the name
   * @return the values by full name, sorted; empty where the file system has none
   * @throws HostException if the system refuses
   */
  public SortedMap<FileName, byte[]> extendedAttributes(FileName name) throws HostException {
    return AttributeCalls.extendedAttributes(path(checked(name)));
  }

  /**
   * Sets one extended attribute. Links are not followed.
   *
   * @param name the name
   * @param attribute the attribute's full name, such as {@code user.origin}
   * @param value its value
   * @throws HostException as {@link HostDescriptor#setExtendedAttribute}
   */
  public void setExtendedAttribute(FileName name, FileName attribute, byte[] value)
      throws HostException {
    AttributeCalls.setExtendedAttribute(path(checked(name)), attribute, value);
  }

  /** {@return whether this process acts as root, which may give files to other users} */
  public static boolean callerIsRoot() {
    return Libc.geteuid() == ROOT;
  }

  /**
   * Makes a random name that other users cannot guess.
   *
   * @param start what it begins with
   * @return the name, of the start and 24 hexadecimal digits
   */
  public static FileName randomName(String start) {
    StringBuilder name = new StringBuilder(start);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(RANDOM_BYTES);
      // Up to 256 bytes are never returned in part, random(7).
      if (Libc.getrandom(bytes, RANDOM_BYTES, 0) != RANDOM_BYTES) {
        throw new IllegalStateException("getrandom: expected %d bytes".formatted(RANDOM_BYTES));
      }
      for (int i = 0; i < RANDOM_BYTES; i++) {
        name.append("%02x".formatted(bytes.get(ValueLayout.JAVA_BYTE, i)));
      }
    }
    return FileName.of(name.toString());
  }

  /** The path of an entry, for messages. */
  String place(FileName name) {
    String above = name().length() > LONGEST_NAME ? "..." : name();
    return (above.equals("/") ? "" : above) + "/" + name;
  }

  /** A path to an entry that leads through the descriptor. */
  FileName path(FileName name) {
    byte[] start = (descriptorPath() + "/").getBytes(StandardCharsets.US_ASCII);
    byte[] path = Arrays.copyOf(start, start.length + name.length());
    System.arraycopy(name.bytes(), 0, path, start.length, name.length());
    return FileName.of(path);
  }

  private static FileName checked(FileName name) {
    int length = name.length();
    boolean dots = length <= 2 && name.equals(FileName.of("..".substring(0, length)));
    boolean bad = length == 0 || dots;
    for (int i = 0; i < length; i++) {
      bad |= name.at(i) == '/' || name.at(i) == 0;
    }
    if (bad) {
      throw new IllegalArgumentException("name '%s': expected one component".formatted(name));
    }
    AtomicContext.mightSleep("call on a name");
    return name;
  }
}
