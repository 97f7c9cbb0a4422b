package dev.xip.segment;

import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * The changes of a store that must survive an interruption: the store before, the change, and the
 * contents of segment A before and after. A segment B is present and never changed.
 */
enum StoreChange {
  DEFINE_ZEROS,
  DEFINE_COPY,
  DEFINE_MOVED,
  /** A was removed while a process has it loaded. */
  DEFINE_AFTER_REMOVE,
  SAVE_COPY,
  SAVE_MOVED,
  SAVE_MEMORY,
  /** Loads, saves and unloads, so that the version before loses its last user. */
  SAVE_AND_UNLOAD,
  /** The second of two changes, when nothing has forced what the first one swept away. */
  SAVE_TWICE,
  REMOVE,
  REMOVE_AND_DEFINE;

  static final SegmentName A = new SegmentName("A");
  static final SegmentName B = new SegmentName("B");
  static final int PAGES = 3;
  static final byte[] OLD = contents(1, PAGES * (int) Pages.SIZE);
  static final byte[] ZEROS = new byte[OLD.length];
  static final byte[] BYSTANDER = contents(2, PAGES * (int) Pages.SIZE);

  /** Not as long as the segment, so that a file that is moved must be lengthened. */
  private static final byte[] SOURCE = contents(3, PAGES * (int) Pages.SIZE - 3000);

  /** Three pages of which the middle one is a hole, so that a copy is written in two pieces. */
  static byte[] contents(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    Arrays.fill(bytes, (int) Pages.SIZE, 2 * (int) Pages.SIZE, (byte) 0);
    return bytes;
  }

  static SegmentDefinition definition(SegmentName name) throws SegmentException {
    long first = name.equals(A) ? 0x100000 : 0x200000;
    return SegmentDefinition.of(
        name, List.of(SegmentPart.of(SegmentType.SR, first, first + PAGES - 1)));
  }

  static Path store(Path root) {
    return root.resolve("store");
  }

  static Path source(Path root) {
    return root.resolve("elsewhere/source");
  }

  boolean defines() {
    return name().startsWith("DEFINE");
  }

  boolean moves() {
    return this == DEFINE_MOVED || this == SAVE_MOVED;
  }

  /** What A holds before, or nothing if it is not defined. */
  Optional<byte[]> before() {
    return defines() ? Optional.empty() : Optional.of(OLD);
  }

  /** What A holds meanwhile; what it holds before, if there is no such time. */
  Optional<byte[]> between() {
    return switch (this) {
      case REMOVE_AND_DEFINE -> Optional.empty();
      case SAVE_TWICE -> Optional.of(ZEROS);
      default -> before();
    };
  }

  /** What A holds after. */
  Optional<byte[]> after() {
    return switch (this) {
      case REMOVE -> Optional.empty();
      case DEFINE_ZEROS -> Optional.of(ZEROS);
      default -> Optional.of(Arrays.copyOf(SOURCE, PAGES * (int) Pages.SIZE));
    };
  }

  /** Makes a store with A and B, and the source, in an empty folder. */
  void prepare(Path root) throws IOException {
    SegmentStore store = SegmentStore.create(store(root));
    Files.createDirectories(source(root).getParent());
    Files.write(source(root), BYSTANDER);
    store.define(definition(B), SegmentSource.copyOf(source(root), done -> {}));
    if (!defines() || this == DEFINE_AFTER_REMOVE) {
      Files.write(source(root), OLD);
      store.define(definition(A), SegmentSource.copyOf(source(root), done -> {}));
    }
    Files.write(source(root), SOURCE);
  }

  /** Prepares the rest, after the users of the version before have loaded it. */
  void prepareBesideUsers(Path root) throws IOException {
    if (this == DEFINE_AFTER_REMOVE) {
      SegmentStore.open(store(root)).remove(A);
    }
  }

  /** Performs the change. */
  void run(Path root) throws IOException {
    SegmentStore store = SegmentStore.open(store(root));
    SegmentSource copied = SegmentSource.copyOf(source(root), done -> {});
    switch (this) {
      case DEFINE_ZEROS -> store.define(definition(A), SegmentSource.zeros());
      case DEFINE_COPY, DEFINE_AFTER_REMOVE -> store.define(definition(A), copied);
      case DEFINE_MOVED -> store.define(definition(A), SegmentSource.moving(source(root)));
      case SAVE_COPY -> store.save(A, copied);
      case SAVE_MOVED -> store.save(A, SegmentSource.moving(source(root)));
      case SAVE_MEMORY -> store.save(A, memory(root));
      case SAVE_AND_UNLOAD -> {
        SegmentLoader loader = new SegmentLoader(store, PhysicalMemory.boot(8L << 30, 16L << 20));
        loader.load(A, SharingMode.SHARED);
        store.save(A, copied);
        loader.unload(A);
      }
      case SAVE_TWICE -> {
        store.save(A, SegmentSource.zeros());
        store.save(A, copied);
      }
      case REMOVE -> store.remove(A);
      case REMOVE_AND_DEFINE -> {
        store.remove(A);
        store.define(definition(A), copied);
      }
    }
  }

  private SegmentSource memory(Path root) throws IOException {
    SegmentDefinition definition = definition(A);
    MemorySegment mem = Arena.global().allocate(definition.byteSize(), Pages.SIZE);
    mem.copyFrom(MemorySegment.ofArray(Files.readAllBytes(source(root))));
    return SegmentSource.ofMemory(mem, definition, null);
  }

  /**
   * Runs the program that makes one change.
   *
   * @param args the folder and the change's name
   */
  public static void main(String[] args) throws IOException {
    valueOf(args[1]).run(Path.of(args[0]));
  }
}
