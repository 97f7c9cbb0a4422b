package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import java.util.List;
import java.util.Random;

/**
 * Draws the steps of a random history. It leaves out the steps for which the answers of an ordinary
 * file of the host and of a file in place differ on purpose, or those of Linux 3.19 and later
 * releases:
 *
 * <ul>
 *   <li>mlock, mincore and get_user_pages of files in place: their pages have no page frame to lock
 *       or give out, and count as absent until they have an entry (rules.md, "mincore"). All three
 *       are judged on anonymous memory and on files through the page cache; mincore of anonymous
 *       memory only before the first fork, because 3.19 and later releases differ in which zero
 *       pages a fork copies.
 *   <li>mremap of a range that is not all of one mapping, on either side: mappings with MIXEDMAP do
 *       not merge, ordinary ones do, and since 6.17 several may be moved at once. The same of no
 *       mapping: 3.19 shrinks what is not there. Duplicating (an old length of 0) a private
 *       mapping: refused since 4.14.
 *   <li>mprotect that makes a locked private mapping writable: since 4.2 it fills the mapping at
 *       once, which mincore would show.
 *   <li>GROWSDOWN: the guard gap below a stack is from 4.12.
 *   <li>Rights to execute alone: hosts with protection keys do not let it be read, others do.
 * </ul>
 */
final class JudgedSteps {
  private static final int FIXED = 0x10;
  private static final int[] PLACES = {FIXED, FIXED, FIXED, 0x10_0000, 0x10_0000, 0};
  private static final int[] EXTRAS = {0, 0, 0, 0, 0x8000, 0x4000};
  private static final int[] PROTS = {3, 3, 3, 3, 1, 1, 5, 7, 2, 0};
  private static final int[] ADVICE = {4, 4, 4, 4, 0, 1, 2, 3, 10, 11, 99};
  private static final String KINDS = "sspppaaaAArqSSSPPPPRQ";
  private static final int[] BYTES = {0, 1, 7};

  /** The last one lies past the end of a file that ends inside the page. */
  private static final int[] STORED_BYTES = {0, 1, 7, 200};

  /** File sizes are whole pages plus one of these. */
  private static final int TAIL = 100;

  private static final int MOST_FILE_PAGES = 12;

  private final Random random;
  private final JudgedMachine machine;
  private int processes = 1;

  JudgedSteps(Random random, JudgedMachine machine) {
    this.random = random;
    this.machine = machine;
  }

  int processes() {
    return processes;
  }

  String next() {
    while (true) {
      int process = random.nextInt(processes);
      String step = draw(process);
      if (step != null) {
        return process + " " + step;
      }
    }
  }

  private String draw(int process) {
    int choice = random.nextInt(100);
    return choice < 16
        ? map()
        : choice < 32
            ? "read %d %d".formatted(slotOf(process), random.nextInt(4) == 0 ? 200 : pick(BYTES))
            : choice < 50
                ? "write %d %d %d"
                    .formatted(slotOf(process), pick(STORED_BYTES), random.nextInt(256))
                : choice < 54
                    ? pin(process)
                    : choice < 62
                        ? protect(process)
                        : choice < 66
                            ? "unmap %s 0".formatted(range())
                            : choice < 73
                                ? remap(process)
                                : choice < 79
                                    ? "advise %s %d".formatted(range(), pick(ADVICE))
                                    : rare(process, choice);
  }

  private String rare(int process, int choice) {
    return switch (choice) {
      case 79, 80, 81 -> fork();
      case 82, 83, 84 ->
          "%s truncate %d"
              .formatted(
                  file(), random.nextInt(MOST_FILE_PAGES) * Pages.SIZE + pick(new int[] {0, TAIL}));
      case 85, 86 ->
          "%s write %d %d"
              .formatted(
                  file(),
                  random.nextInt(MOST_FILE_PAGES) * Pages.SIZE + TAIL - 1,
                  random.nextInt(256));
      case 87 ->
          "%s punch %d %d"
              .formatted(
                  file(), random.nextInt(MOST_FILE_PAGES) * Pages.SIZE, 1 + random.nextInt(4));
      case 88, 89, 90 ->
          "%s read %d"
              .formatted(file(), random.nextInt(MOST_FILE_PAGES) * Pages.SIZE + pick(BYTES));
      case 91, 92 -> "sync %s %d".formatted(range(), random.nextInt(8));
      case 93, 94 -> notInPlace(process, "lock %s 0");
      case 95 -> "unlock %s 0".formatted(range());
      case 96, 97, 98 -> notInPlace(process, "incore %s 0");
      default -> "maps";
    };
  }

  private String map() {
    char kind = KINDS.charAt(random.nextInt(KINDS.length()));
    int pages = random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(6);
    int flags = pick(PLACES) | pick(EXTRAS);
    if ("aSPRQ".indexOf(kind) >= 0 && random.nextInt(8) == 0) {
      flags |= 0x2000;
    }
    return "map %d %d %d %c %d %d"
        .formatted(slot(), pages, pick(PROTS), kind, random.nextInt(MOST_FILE_PAGES - 2), flags);
  }

  private String protect(int process) {
    String range = range();
    int prot = pick(PROTS);
    String[] words = range.split(" ");
    AddrRange touched = JudgedMachine.range(Long.parseLong(words[0]), Long.parseLong(words[1]));
    boolean fillsLocked =
        machine.space(process).vmas().stream()
            .filter(vma -> vma.range().overlaps(touched))
            .filter(vma -> vma.has(VmaFlags.LOCKED) && !vma.has(VmaFlags.SHARED))
            .anyMatch(vma -> !vma.has(VmaFlags.WRITE) && (prot & 2) != 0);
    return fillsLocked ? null : "protect %s %d".formatted(range, prot);
  }

  private String remap(int process) {
    List<Vma> vmas = machine.space(process).vmas();
    if (vmas.isEmpty()) {
      return null;
    }
    Vma vma = vmas.get(random.nextInt(vmas.size()));
    int pages = (int) (vma.range().length() / Pages.SIZE);
    int skipped = random.nextInt(3) == 0 ? random.nextInt(pages) : 0;
    int slot = (int) ((vma.range().start() - JudgedMachine.at(0)) / Pages.SIZE) + skipped;
    int length = random.nextBoolean() ? pages - skipped : 1 + random.nextInt(pages - skipped);
    int newLength = random.nextInt(12) == 0 ? 0 : 1 + random.nextInt(7);
    int flags = pick(new int[] {0, 1, 1, 3, 3, 3});
    if (random.nextInt(10) == 0 && vma.has(VmaFlags.SHARED)) {
      length = 0;
      flags |= 1;
    }
    int target = random.nextInt(JudgedMachine.SLOTS - 8);
    AddrRange last = JudgedMachine.range(slot, Math.max(length, newLength));
    if (last.end() > JudgedMachine.at(JudgedMachine.SLOTS)) {
      return null;
    }
    if ((length == 0 || (flags & 3) != 3)
        && movesOnto(slot, Math.max(length, newLength), target, newLength)) {
      return null;
    }
    return "remap %d %d %d %d %d".formatted(slot, length, newLength, flags, target);
  }

  /**
   * A mapping that had to move elsewhere is moved back to its target, which may differ from its old
   * place.
   */
  private static boolean movesOnto(int slot, int pages, int target, int newLength) {
    return target < slot + pages && slot < target + newLength;
  }

  private String fork() {
    return processes == JudgedMachine.PROCESSES ? null : "fork " + processes++;
  }

  private String file() {
    return random.nextBoolean() ? "file" : "cached";
  }

  /** A page of a file in place has no frame, which the host's page has. */
  private String pin(int process) {
    int slot = slotOf(process);
    Vma vma = machine.space(process).find(JudgedMachine.at(slot));
    String place = slot + " " + pick(BYTES);
    return vma != null && vma.isInPlace()
        ? null
        : switch (random.nextInt(4)) {
          case 0 -> "poke %s %d".formatted(place, random.nextInt(256));
          case 1 -> "force %s %d".formatted(place, random.nextInt(256));
          default -> "peek " + place;
        };
  }

  private String notInPlace(int process, String format) {
    String range = rangeOf(process);
    String[] words = range.split(" ");
    AddrRange touched = JudgedMachine.range(Long.parseLong(words[0]), Long.parseLong(words[1]));
    for (Vma vma : machine.space(process).vmas()) {
      boolean zeroPagesDiffer = vma.isAnonymous() && processes > 1 && format.startsWith("incore");
      if (vma.range().overlaps(touched) && (vma.isInPlace() || zeroPagesDiffer)) {
        return null;
      }
    }
    return format.formatted(range);
  }

  private int slot() {
    return random.nextInt(20);
  }

  /** Mostly a mapped one. */
  private int slotOf(int process) {
    return Integer.parseInt(rangeOf(process).split(" ")[0]);
  }

  /** Mostly a part of one mapping. */
  private String rangeOf(int process) {
    List<Vma> vmas = machine.space(process).vmas();
    if (vmas.isEmpty() || random.nextInt(4) == 0) {
      return range();
    }
    AddrRange whole = vmas.get(random.nextInt(vmas.size())).range();
    int pages = (int) (whole.length() / Pages.SIZE);
    int skipped = random.nextInt(pages);
    long slot = (whole.start() - JudgedMachine.at(0)) / Pages.SIZE + skipped;
    return slot + " " + (1 + random.nextInt(pages - skipped));
  }

  private String range() {
    return slot() + " " + (random.nextInt(30) == 0 ? 0 : 1 + random.nextInt(8));
  }

  private int pick(int[] choices) {
    return choices[random.nextInt(choices.length)];
  }
}
