package dev.xip.disk;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What the bytes of an image or partition are, by their magic numbers. Immutable. */
public final class Contents {
  /** What can be done with contents. */
  public enum Kind {
    /** A file system that xip has a reader for. */
    READABLE,
    /** Another file system, or what file systems are built on. */
    OTHER,
    /** Data that must be converted first. */
    PACKED
  }

  private static final int EXT = 0x400;
  private static final int EXT_MAGIC = 0xef53;
  private static final int EROFS = 0x400;
  private static final long EROFS_MAGIC = 0xe0f5_e1e2L;
  private static final int LABEL_BYTES = 16;

  /** Features that make an ext file system a journal, an ext4 or an ext3: fs/ext4/ext4.h. */
  private static final long HAS_JOURNAL = 0x4;

  private static final int JOURNAL_DEVICE = 0x8;
  private static final long EXT3_INCOMPATIBLE = 0x2 | 0x4 | 0x10;
  private static final long EXT3_READ_ONLY = 0x1 | 0x2 | 0x4;

  private final Kind kind;
  private final String name;
  private final long at;
  private final String advice;
  private final ByteView image;

  /** Where the volume label and the UUID are, 0 if there are none or it is not known. */
  private final long labelAt;

  private final long uuidAt;

  private Contents(
      Kind kind, String name, long at, String advice, ByteView image, long labelAt, long uuidAt) {
    this.kind = kind;
    this.name = name;
    this.at = at;
    this.advice = advice;
    this.image = image;
    this.labelAt = labelAt;
    this.uuidAt = uuidAt;
  }

  /**
   * Recognises contents.
   *
   * @param image the image or partition
   * @return all that the bytes may be, the likeliest first; empty if nothing is known
   * @throws MalformedDataException if the image cannot be read
   */
  public static List<Contents> of(ByteView image) throws MalformedDataException {
    List<Contents> found = new ArrayList<>();
    if (image.size() >= EXT + 0x88 && image.u16(EXT + 0x38) == EXT_MAGIC) {
      boolean journal = (image.u32(EXT + 0x60) & JOURNAL_DEVICE) != 0;
      found.add(
          new Contents(
              journal ? Kind.OTHER : Kind.READABLE,
              journal ? "external journal" : extName(image),
              EXT + 0x38,
              journal ? "it holds no files" : "",
              image,
              EXT + 0x78,
              EXT + 0x68));
    }
    if (image.size() >= EROFS + 0x80 && image.u32(EROFS) == EROFS_MAGIC) {
      found.add(new Contents(Kind.READABLE, "erofs", EROFS, "", image, EROFS + 0x40, EROFS + 0x30));
    }
    for (Signature each : Signature.ALL) {
      if (each.isIn(image)) {
        found.add(new Contents(each.kind(), each.name(), each.at(), each.advice(), image, 0, 0));
      }
    }
    return found;
  }

  /** {@return what can be done with them} */
  public Kind kind() {
    return kind;
  }

  /** {@return what they are, such as {@code ext4} or {@code gzip-compressed data}} */
  public String name() {
    return name;
  }

  /** {@return the byte offset of the magic number} */
  public long at() {
    return at;
  }

  /**
   * {@return what a user does about contents that are not read, in words}
   *
   * @param file the name of the file that holds them
   */
  public String adviceFor(String file) {
    return advice.replace("%s", file);
  }

  /** Tells ext2, ext3 and ext4 apart by the features that the older drivers know. */
  private static String extName(ByteView image) throws MalformedDataException {
    long compatible = image.u32(EXT + 0x5c);
    long incompatible = image.u32(EXT + 0x60);
    long readOnly = image.u32(EXT + 0x64);
    if ((incompatible & ~EXT3_INCOMPATIBLE) != 0 || (readOnly & ~EXT3_READ_ONLY) != 0) {
      return "ext4";
    }
    return (compatible & HAS_JOURNAL) != 0 ? "ext3" : "ext2";
  }

  /**
   * {@return the volume label, empty if there is none or it is not known}
   *
   * @throws MalformedDataException if the image cannot be read
   */
  String label() throws MalformedDataException {
    if (labelAt == 0) {
      return "";
    }
    byte[] bytes = image.bytes(labelAt, LABEL_BYTES);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return FileName.of(Arrays.copyOf(bytes, length)).exactText();
  }

  /**
   * {@return the volume's UUID in lower case, empty if it is not known}
   *
   * @throws MalformedDataException if the image cannot be read
   */
  String uuid() throws MalformedDataException {
    return uuidAt == 0 ? "" : image.uuid(uuidAt);
  }
}
