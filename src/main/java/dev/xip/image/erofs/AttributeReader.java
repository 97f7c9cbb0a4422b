package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.erofs.InodeTable.Body;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads the extended attributes of one inode: those behind its fields, and those that it shares
 * with others. Values stand in the form of the system calls, ACLs too. Linux counterpart:
 * fs/erofs/xattr.c.
 */
final class AttributeReader {
  private final NamePrefixes prefixes;
  private final SortedMap<FileName, byte[]> found = new TreeMap<>();

  private AttributeReader(NamePrefixes prefixes) {
    this.prefixes = prefixes;
  }

  /**
   * Reads all attributes.
   *
   * @param body the rest of the inode, which has attributes
   * @param shared what shared attributes lie in
   * @param base the byte offset there from which their numbers count
   * @param prefixes the prefixes of names
   * @return the values by whole name
   * @throws MalformedDataException if they are damaged
   */
  static SortedMap<FileName, byte[]> read(
      Body body, ByteView shared, long base, NamePrefixes prefixes) throws MalformedDataException {
    AttributeReader reader = new AttributeReader(prefixes);
    ByteView view = body.view();
    int count = view.u8(body.attributes() + ErofsLayout.H_SHARED_COUNT);
    long ids = body.attributes() + ErofsLayout.ATTRIBUTES_HEADER_SIZE;
    long first = ids + (long) count * ErofsLayout.SHARED_ID_SIZE;
    if (first > body.end() || ids == body.end()) {
      throw view.malformed(
          body.attributes(),
          "attributes or numbers of shared ones in %d bytes"
              .formatted(body.end() - body.attributes()),
          "%d numbers of shared ones".formatted(count));
    }
    for (long at = first; at < body.end(); ) {
      at += reader.entry(view, at, body.end());
    }
    for (long id = ids; id < first; id += ErofsLayout.SHARED_ID_SIZE) {
      reader.entry(shared, base + view.u32(id) * ErofsLayout.ATTRIBUTE_ALIGNMENT, shared.size());
    }
    return reader.found;
  }

  /**
   * Reads one attribute.
   *
   * @param end where it must end at the latest
   * @return its length with padding
   */
  private int entry(ByteView view, long at, long end) throws MalformedDataException {
    int nameLength = view.u8(at + ErofsLayout.E_NAME_LEN);
    int valueSize = view.u16(at + ErofsLayout.E_VALUE_SIZE);
    int length = ErofsLayout.E_NAME + nameLength + valueSize;
    int padded = length + ErofsLayout.ATTRIBUTE_ALIGNMENT - 1 & -ErofsLayout.ATTRIBUTE_ALIGNMENT;
    if (at + length > end) {
      throw view.malformed(
          at,
          "an attribute of at most %d bytes".formatted(end - at),
          "a name of %d and a value of %d".formatted(nameLength, valueSize));
    }
    FileName name = name(view, at, nameLength);
    long place = at + ErofsLayout.E_NAME + nameLength;
    byte[] value = view.bytes(place, valueSize);
    if (NamePrefixes.isWhole(view.u8(at + ErofsLayout.E_NAME_INDEX))
        && isEmpty(view, place, value)) {
      return padded;
    }
    if (found.put(name, value) != null) {
      throw view.malformed(at, "each attribute once", "another " + name);
    }
    return padded;
  }

  /**
   * Checks a POSIX ACL, and takes the ids out of entries that are of no named user or group. Linux
   * counterpart: fs/posix_acl.c:posix_acl_from_xattr and posix_acl_to_xattr.
   *
   * @return whether it has no entry: then the file has none
   */
  private static boolean isEmpty(ByteView view, long at, byte[] acl) throws MalformedDataException {
    ByteBuffer list = ByteBuffer.wrap(acl).order(ByteOrder.LITTLE_ENDIAN);
    if (acl.length % ErofsLayout.ACL_ENTRY_SIZE != ErofsLayout.ACL_HEADER_SIZE
        || list.getInt(0) != ErofsLayout.ACL_VERSION) {
      throw view.malformed(
          at, "a POSIX ACL of version 2", "%d bytes of another form".formatted(acl.length));
    }
    for (int entry = ErofsLayout.ACL_HEADER_SIZE;
        entry < acl.length;
        entry += ErofsLayout.ACL_ENTRY_SIZE) {
      switch (list.getShort(entry)) {
        case ErofsLayout.ACL_USER, ErofsLayout.ACL_GROUP -> {}
        case ErofsLayout.ACL_USER_OBJ,
            ErofsLayout.ACL_GROUP_OBJ,
            ErofsLayout.ACL_MASK,
            ErofsLayout.ACL_OTHER ->
            list.putInt(entry + ErofsLayout.ACL_ID, -1);
        default ->
            throw view.malformed(
                at + entry,
                "an entry of a POSIX ACL",
                "one with the tag 0x%x".formatted(list.getShort(entry) & 0xffff));
      }
    }
    return acl.length == ErofsLayout.ACL_HEADER_SIZE;
  }

  private FileName name(ByteView view, long at, int length) throws MalformedDataException {
    int number = view.u8(at + ErofsLayout.E_NAME_INDEX);
    byte[] prefix = prefixes.get(view, at + ErofsLayout.E_NAME_INDEX, number);
    byte[] rest = view.bytes(at + ErofsLayout.E_NAME, length);
    boolean isLong = (number & ErofsLayout.LONG_PREFIX) != 0;
    boolean ends = length == 0 && !isLong;
    for (byte each : rest) {
      ends |= each == 0;
    }
    boolean whole = NamePrefixes.isWhole(number);
    if (whole ? length != 0 : ends) {
      throw view.malformed(
          at + ErofsLayout.E_NAME_LEN,
          whole ? "no name but the prefix" : "a name without a zero byte",
          "%d bytes of name".formatted(length));
    }
    byte[] all = Arrays.copyOf(prefix, prefix.length + length);
    System.arraycopy(rest, 0, all, prefix.length, length);
    return FileName.of(all);
  }
}
