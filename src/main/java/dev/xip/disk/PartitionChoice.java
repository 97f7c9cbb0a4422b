package dev.xip.disk;

import dev.xip.base.MalformedDataException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * How a user names one partition of a disk: by number, or by a property.
 *
 * @param key what is compared
 * @param value the value, in lower case unless it is a label
 */
public record PartitionChoice(Key key, String value) {
  /** The forms of {@link #parse}, for messages. */
  public static final String FORMS = "a number, label=NAME, uuid=UUID or type=TYPE";

  /** What a partition is chosen by. */
  public enum Key {
    /** Its number. */
    NUMBER,
    /** The partition's name, or the label of the file system in it. */
    LABEL,
    /** The partition's UUID, or that of the file system in it. */
    UUID,
    /** The partition's type: a GUID, a byte, or one of the names known here. */
    TYPE
  }

  /** Types of GPT and MBR partitions by the names that fdisk(8) and systemd(1) know them by. */
  private static final Map<String, Set<String>> TYPES =
      Map.ofEntries(
          Map.entry("linux", Set.of("0fc63daf-8483-4772-8e79-3d69d8477de4", "0x83")),
          Map.entry("uefi", Set.of("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef")),
          Map.entry("esp", Set.of("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef")),
          Map.entry("xbootldr", Set.of("bc13c2ff-59e6-4262-a352-b275fd6f7172", "0xea")),
          Map.entry("root-x86-64", Set.of("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")),
          Map.entry("root-arm64", Set.of("b921b045-1df0-41c3-af44-4c6f280d3fae")),
          Map.entry("root-s390x", Set.of("5eead9a9-fe09-4a1e-a1d7-520d00531306")),
          Map.entry("usr-x86-64", Set.of("8484680c-9521-48c6-9c11-b0720656f69e")),
          Map.entry("usr-arm64", Set.of("b0e01050-ee5f-4390-949a-9101b17104e9")),
          Map.entry("home", Set.of("933ac7e1-2eb4-4f13-b844-0e14e2aef915")),
          Map.entry("srv", Set.of("3b8f8425-20e0-4f3b-907f-1a25a76f98e8")),
          Map.entry("var", Set.of("4d21b016-b534-45c2-a9fb-5c16e091fd2d")),
          Map.entry("swap", Set.of("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "0x82")),
          Map.entry("lvm", Set.of("e6d6d379-f507-44c2-a23c-238f2a3df928", "0x8e")),
          Map.entry("raid", Set.of("a19d880f-05fc-4d3b-a006-743f0f84911e", "0xfd")));

  /**
   * Reads a choice.
   *
   * @param text what stands behind the colon in {@code disk.img:2} or {@code disk.img:label=root}
   * @return the choice, or null if the text has none of the {@link #FORMS}
   */
  public static PartitionChoice parse(String text) {
    if (text.matches("[1-9][0-9]{0,8}")) {
      return new PartitionChoice(Key.NUMBER, text);
    }
    int equals = text.indexOf('=');
    String value = text.substring(equals + 1);
    if (equals < 0 || value.isEmpty()) {
      return null;
    }
    String lower = value.toLowerCase(Locale.ROOT);
    return switch (text.substring(0, equals).toLowerCase(Locale.ROOT)) {
      case "label" -> new PartitionChoice(Key.LABEL, value);
      case "uuid" -> new PartitionChoice(Key.UUID, lower);
      case "type" -> new PartitionChoice(Key.TYPE, typeByte(lower));
      default -> null;
    };
  }

  /** The type of an MBR entry may be written without its prefix, and with a leading zero. */
  private static String typeByte(String text) {
    return text.matches("(0x)?[0-9a-f]{1,2}")
        ? "0x%x".formatted(Integer.parseInt(text.replace("0x", ""), 16))
        : text;
  }

  /** Tells whether what is in a partition decides too. */
  boolean needsContents() {
    return key == Key.LABEL || key == Key.UUID;
  }

  /**
   * Tells whether a partition is meant.
   *
   * @param partition the partition
   * @param contents what is in it; null if that is not known, or not needed
   * @throws MalformedDataException if it cannot be read
   */
  boolean fits(Partition partition, Contents contents) throws MalformedDataException {
    return switch (key) {
      case NUMBER -> value.equals(Integer.toString(partition.number()));
      case LABEL ->
          value.equals(partition.name()) || contents != null && value.equals(contents.label());
      case UUID ->
          value.equals(partition.uuid()) || contents != null && value.equals(contents.uuid());
      case TYPE -> TYPES.getOrDefault(value, Set.of(value)).contains(partition.type());
    };
  }

  /** {@return the choice as it is written behind a colon} */
  @Override
  public String toString() {
    return key == Key.NUMBER ? value : key.name().toLowerCase(Locale.ROOT) + "=" + value;
  }
}
