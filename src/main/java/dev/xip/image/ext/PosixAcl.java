package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * POSIX access control lists in their two forms. System calls use version 2: a version word, then
 * entries of 8 bytes: tag, permissions, id. Images use version 1, in which just the entries of
 * named users and groups have an id. Linux counterpart: fs/ext4/acl.c.
 */
public final class PosixAcl {
  private static final int CALL_VERSION = 2;
  private static final int DISK_VERSION = 1;
  private static final int VERSION_SIZE = 4;
  private static final int SHORT_ENTRY = 4;
  private static final int LONG_ENTRY = 8;

  /** The id of an entry that is of no named user or group. */
  private static final int NO_ID = -1;

  private PosixAcl() {}

  /**
   * Converts the form of images to that of the system calls.
   *
   * @param view the image, for errors
   * @param at the byte offset of the list in it
   * @param list the list
   * @return the list in the form of the system calls
   * @throws MalformedDataException if it is no list
   */
  static byte[] read(ByteView view, long at, byte[] list) throws MalformedDataException {
    ByteBuffer from = ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
    if (list.length < VERSION_SIZE || from.getInt() != DISK_VERSION) {
      throw view.malformed(
          at,
          "a POSIX ACL of version 1",
          list.length < VERSION_SIZE ? list.length + " bytes" : "version " + from.getInt(0));
    }
    ByteBuffer to = littleEndian(VERSION_SIZE + (list.length / SHORT_ENTRY - 1) * LONG_ENTRY);
    to.putInt(CALL_VERSION);
    while (from.hasRemaining()) {
      int tag = from.remaining() < SHORT_ENTRY ? 0 : from.getShort(from.position());
      int length = entryLength(tag);
      if (length == 0 || length > from.remaining()) {
        throw view.malformed(
            at + from.position(),
            "a whole entry of a POSIX ACL",
            "tag 0x%x, %d bytes".formatted(tag & 0xffff, from.remaining()));
      }
      to.putShort(from.getShort()).putShort(from.getShort());
      to.putInt(length == LONG_ENTRY ? from.getInt() : NO_ID);
    }
    return copy(to);
  }

  /**
   * Converts the form of the system calls to that of images.
   *
   * @param list the list as getxattr(2) returns it
   * @return the list in the form of images
   * @throws IllegalArgumentException if it is no list
   */
  public static byte[] toDisk(byte[] list) {
    ByteBuffer from = ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
    if (list.length % LONG_ENTRY != VERSION_SIZE || from.getInt() != CALL_VERSION) {
      throw new IllegalArgumentException("no POSIX ACL of version 2");
    }
    ByteBuffer disk = littleEndian(list.length).putInt(DISK_VERSION);
    while (from.hasRemaining()) {
      short tag = from.getShort();
      short permissions = from.getShort();
      int id = from.getInt();
      int length = entryLength(tag);
      if (length == 0) {
        throw new IllegalArgumentException("a POSIX ACL with tag 0x%x".formatted(tag));
      }
      disk.putShort(tag).putShort(permissions);
      if (length == LONG_ENTRY) {
        disk.putInt(id);
      }
    }
    return copy(disk);
  }

  /** {@return whether a list in the form of the system calls has no entry: then it is none} */
  static boolean isEmpty(byte[] list) {
    return list.length == VERSION_SIZE;
  }

  /** Owner, owning group, mask and others; named user and named group; 0 for an unknown tag. */
  private static int entryLength(int tag) {
    return switch (tag) {
      case 0x01, 0x04, 0x10, 0x20 -> SHORT_ENTRY;
      case 0x02, 0x08 -> LONG_ENTRY;
      default -> 0;
    };
  }

  private static ByteBuffer littleEndian(int capacity) {
    return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] copy(ByteBuffer filled) {
    byte[] bytes = new byte[filled.position()];
    filled.flip().get(bytes);
    return bytes;
  }
}
