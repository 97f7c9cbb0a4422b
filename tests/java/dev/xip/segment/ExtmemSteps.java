package dev.xip.segment;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/** Random names, places and requests, chosen so that calls often collide. */
final class ExtmemSteps {
  static final long WINDOW = 64L << 30;
  static final long RAM = 16L << 20;

  /** The number of megabytes, from 4 GiB on, in which the segments collide. */
  private static final int MEGABYTES = 6;

  static final List<SegmentName> NAMES =
      List.of("P", "Q", "R", "S", "T", "U").stream().map(SegmentName::new).toList();

  private static final long[] OFFSETS_IN_MEGABYTE = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  private static final int[] LENGTHS = {1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x101};

  /** What no device can be made of. */
  private static final List<String> BAD_LISTS =
      List.of("", ":", "P:", "P::Q", ":Q", "\nP", "TOOLONGNAME", "P/Q", "P:Q:\n");

  private final Random random;

  ExtmemSteps(Random random) {
    this.random = random;
  }

  /** Often one that is held, as other names soon fail. */
  SegmentName name(ExtmemModel.Owner owner) {
    List<SegmentName> held = List.copyOf(owner.held.keySet());
    return held.isEmpty() || random.nextInt(3) == 0
        ? any(NAMES)
        : held.get(random.nextInt(held.size()));
  }

  <T> T any(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  SharingMode mode() {
    return SharingMode.values()[random.nextInt(2)];
  }

  /** Whole megabytes of few types, which make devices; or anything. */
  List<SegmentPart> parts() {
    if (random.nextBoolean()) {
      SegmentType type = any(List.of(SegmentType.SW, SegmentType.SR, SegmentType.EW));
      long first = (0x1000 + random.nextInt(MEGABYTES)) * 0x100L;
      return List.of(new SegmentPart(type, first, first + 0xff));
    }
    return anyParts();
  }

  /** Segments at the edges of megabytes, some in RAM or past the window, some of several parts. */
  private List<SegmentPart> anyParts() {
    long megabyte =
        switch (random.nextInt(20)) {
          case 0 -> (RAM >> 20) - 1;
          case 1 -> (WINDOW >> 20) - 1;
          default -> 0x1000 + random.nextInt(MEGABYTES);
        };
    long first = megabyte * 0x100 + OFFSETS_IN_MEGABYTE[random.nextInt(6)];
    int pages = LENGTHS[random.nextInt(LENGTHS.length)];
    int parts = random.nextInt(4) == 0 ? 1 + random.nextInt(Math.min(pages, 6)) : 1;
    List<SegmentPart> all = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      long last = i == parts - 1 ? first + pages - 1 : first;
      SegmentType type =
          parts == 1
              ? SegmentType.values()[random.nextInt(7)]
              : random.nextBoolean() ? SegmentType.EW : SegmentType.EN;
      all.add(new SegmentPart(type, first, last));
      pages -= (int) (last - first + 1);
      first = last + 1;
    }
    return List.copyOf(all);
  }

  /** A list of names as it is written to the attribute add. Often they are neighbours. */
  String deviceList(Map<SegmentName, ExtmemModel.Stored> store, List<SegmentName> special) {
    if (random.nextInt(10) == 0) {
      return any(BAD_LISTS);
    }
    if (random.nextInt(10) == 0) {
      return any(special).value();
    }
    List<String> names = new ArrayList<>();
    SegmentName last = any(NAMES);
    while (last != null) {
      names.add(last.value());
      last = names.size() < 3 && random.nextInt(4) > 0 ? neighbour(last, store) : null;
    }
    Collections.shuffle(names, random);
    String list = String.join(":", names);
    return switch (random.nextInt(4)) {
      case 0 -> list.toLowerCase(Locale.ROOT);
      case 1 -> list + "\n";
      default -> list;
    };
  }

  private SegmentName neighbour(SegmentName low, Map<SegmentName, ExtmemModel.Stored> store) {
    List<SegmentName> found =
        NAMES.stream()
            .filter(each -> store.containsKey(each) && store.containsKey(low))
            .filter(each -> store.get(each).firstByte() == store.get(low).lastByte() + 1)
            .toList();
    return found.isEmpty() || random.nextInt(8) == 0 ? any(NAMES) : any(found);
  }

  /** A value that is written to an attribute that takes a flag. */
  String flag() {
    return any(List.of("0", "1", "0\n", "1\n", "0", "1", "0\n2", "2", "10", ""));
  }

  /** An offset on a device or just past it, seldom an odd one. */
  long offset(long bytes) {
    long page = random.nextLong(bytes / 4096 + 1) * 4096;
    return random.nextInt(6) == 0 ? page + 512 : page;
  }

  /** One to three pages, seldom a part of one. */
  long length() {
    return 4096L * (1 + random.nextInt(3)) - (random.nextInt(8) == 0 ? 512 : 0);
  }
}
