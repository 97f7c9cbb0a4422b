package dev.xip.segment;

import dev.xip.base.FileName;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of a store by its name. README.md beside this file says what each kind is for.
 *
 * @param kind what it holds
 * @param name the segment
 * @param version the version of the contents, 0 for a current definition
 */
record StoreFile(Kind kind, SegmentName name, long version) {
  /** The kind of a file. */
  enum Kind {
    /** {@code NAME.def}: the current definition. */
    DEFINITION,
    /** {@code NAME.VERSION.new}: a definition being written, under the version that it is for. */
    NEW_DEFINITION,
    /** {@code NAME.VERSION.data}: the contents of a version. */
    DATA,
    /** {@code NAME.VERSION.purge}: the definition of a version that is not current any more. */
    PURGE
  }

  /** The file that a process locks to change the store; empty and never deleted. */
  static final String LOCK = "store.lock";

  /** The suffix of a definition file's name. */
  static final String DEFINITION_SUFFIX = ".def";

  /** Locked shared by each user of a data file; exclusively by a first user that clears it. */
  static final long GATE_BYTE = 0;

  /**
   * Each user of a data file locks one byte from here on. The offset identifies the user: this,
   * plus {@link #EXCLUSIVE_SLOT} if it loaded the segment exclusively, plus the number of its
   * process shifted by {@link #PID_SHIFT}, plus a random number below that.
   */
  static final long FIRST_SLOT = 1L << 62;

  /** Set in the slot of an exclusive load. */
  static final long EXCLUSIVE_SLOT = 1L << 61;

  /** Where the number of the process starts in a slot. */
  static final int PID_SHIFT = 32;

  /** The slots are [FIRST_SLOT, FIRST_SLOT + SLOTS). */
  static final long SLOTS = (1L << 62) - 1;

  /** The greatest version: 18 digits. */
  static final long LAST_VERSION = 999_999_999_999_999_999L;

  /** The socket of a process that holds a segment; the store itself ignores it. */
  private static final Pattern SOCKET =
      Pattern.compile("[A-Z0-9$#@_]{1,8}\\.(?:[1-9][0-9]{0,17}\\.hold|[0-9a-f]{24}\\.hold\\.new)");

  private static final Pattern FORM =
      Pattern.compile("([A-Z0-9$#@_]{1,8})\\.(?:def|([1-9][0-9]{0,17})\\.(data|purge|new))");

  /** Parses a file name; empty if a store has no such names. */
  static Optional<StoreFile> of(String fileName) {
    Matcher form = FORM.matcher(fileName);
    if (!form.matches()) {
      return Optional.empty();
    }
    SegmentName name = new SegmentName(form.group(1));
    if (form.group(2) == null) {
      return Optional.of(definition(name));
    }
    Kind kind =
        switch (form.group(3)) {
          case "data" -> Kind.DATA;
          case "purge" -> Kind.PURGE;
          default -> Kind.NEW_DEFINITION;
        };
    return Optional.of(new StoreFile(kind, name, Long.parseLong(form.group(2))));
  }

  /** Tells whether a file has the name of a holder's socket. */
  static boolean isSocket(String fileName) {
    return SOCKET.matcher(fileName).matches();
  }

  static StoreFile definition(SegmentName name) {
    return new StoreFile(Kind.DEFINITION, name, 0);
  }

  static StoreFile newDefinition(SegmentName name, long version) {
    return new StoreFile(Kind.NEW_DEFINITION, name, version);
  }

  static StoreFile data(SegmentName name, long version) {
    return new StoreFile(Kind.DATA, name, version);
  }

  static StoreFile purge(SegmentName name, long version) {
    return new StoreFile(Kind.PURGE, name, version);
  }

  /** Tells whether it belongs to one version. */
  boolean isOfVersion() {
    return kind == Kind.DATA || kind == Kind.PURGE;
  }

  FileName fileName() {
    return FileName.of(toString());
  }

  @Override
  public String toString() {
    return switch (kind) {
      case DEFINITION -> name + DEFINITION_SUFFIX;
      case NEW_DEFINITION -> "%s.%d.new".formatted(name, version);
      case DATA -> "%s.%d.data".formatted(name, version);
      case PURGE -> "%s.%d.purge".formatted(name, version);
    };
  }
}
