package dev.xip.image;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** A sound image, and the places of all fields that a reader uses. */
public abstract class DamageSeed {
  /** What it is called. */
  public final String name;

  /** The image. */
  public final byte[] sound;

  private final Map<Kind, List<Field>> fields = new EnumMap<>(Kind.class);

  /** Structures on disk. */
  public enum Kind {
    /** The superblock. */
    SUPERBLOCK,
    /** A descriptor of a group of blocks. */
    GROUP,
    /** An inode. */
    INODE,
    /** An entry of a directory. */
    ENTRY,
    /** Where the blocks of a file lie. */
    MAP,
    /** An extended attribute. */
    ATTRIBUTE
  }

  /**
   * A number in the image.
   *
   * @param at its byte offset
   * @param width its bytes: 1, 2, 4 or 8
   */
  public record Field(int at, int width) {
    long get(byte[] image) {
      long value = 0;
      for (int i = 0; i < width; i++) {
        value |= (image[at + i] & 0xffL) << 8 * i;
      }
      return value;
    }
  }

  /**
   * Begins with an image.
   *
   * @param name what it is called
   * @param sound its bytes
   */
  protected DamageSeed(String name, byte[] sound) {
    this.name = name;
    this.sound = sound;
  }

  /** {@return the kinds of structures that the image has} */
  public final List<Kind> kinds() {
    return List.copyOf(fields.keySet());
  }

  /** {@return the fields of a kind} */
  final List<Field> fields(Kind kind) {
    return fields.get(kind);
  }

  /**
   * Adds the fields of a structure.
   *
   * @param kind its kind
   * @param from its first byte
   * @param length its length in bytes
   * @param width the bytes of each field
   */
  protected final void add(Kind kind, int from, int length, int width) {
    for (int at = from; at + width <= from + length; at += width) {
      fields.computeIfAbsent(kind, none -> new ArrayList<>()).add(new Field(at, width));
    }
  }

  /**
   * Puts checksums right, so that a reader comes to the damage behind them.
   *
   * @param image the damaged image
   * @param changed the offsets of the bytes that were changed
   * @param before receives the offset of each byte that will be changed
   */
  protected abstract void seal(byte[] image, Collection<Integer> changed, IntConsumer before);
}
