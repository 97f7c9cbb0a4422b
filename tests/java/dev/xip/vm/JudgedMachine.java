package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.ChangeableFile;
import dev.xip.mapping.Mappable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Scanner;
import java.util.Set;
import java.util.StringJoiner;

/** Performs the steps of tests/native/judge.c on our machine and answers in the same words. */
final class JudgedMachine implements AutoCloseable {
  static final int SLOTS = 48;
  static final int ALL_SLOTS = SLOTS + 8;
  static final int PROCESSES = 6;

  /** Where each page of the file has an instruction that traps; no step uses the byte. */
  static final int TRAP = 0xff0;

  private static final byte INT3 = (byte) 0xcc;
  private static final long ARENA = 0x1000_0000_0000L;

  private final TestMachine machine;
  private final Program program;
  private final AddressSpace[] spaces = new AddressSpace[PROCESSES];
  private final ChangeableFile file;
  private final ChangeableFile cached;

  /** Makes the accesses of the processes. */
  interface Program {
    byte load(AddressSpace space, long va) throws IOException;

    void store(AddressSpace space, long va, byte value) throws IOException;

    /** The space is about to be closed. */
    default void ends(AddressSpace space) throws IOException {}

    /** The machine is about to be closed. */
    default void close() {}
  }

  private static final Program READER_AND_WRITER =
      new Program() {
        @Override
        public byte load(AddressSpace space, long va) throws IOException {
          return new AddressReader(space).getByte(va);
        }

        @Override
        public void store(AddressSpace space, long va, byte value) throws IOException {
          new AddressWriter(space).putByte(va, value);
        }
      };

  JudgedMachine(TestMachine machine) {
    this(machine, READER_AND_WRITER);
  }

  JudgedMachine(TestMachine machine, Program program) {
    this.machine = machine;
    this.program = program;
    this.file = machine.device.create("judged");
    this.cached = machine.cache.create("cached");
  }

  static long at(long slot) {
    return ARENA + slot * Pages.SIZE;
  }

  static AddrRange range(long slot, long pages) {
    return AddrRange.ofLength(at(slot), pages * Pages.SIZE);
  }

  AddressSpace space(int process) {
    return spaces[process];
  }

  /** Ends all processes and asserts that nothing remains of them. */
  void reset(int pages) throws IOException {
    machine.verify();
    for (int i = 0; i < PROCESSES; i++) {
      if (spaces[i] != null) {
        program.ends(spaces[i]);
        spaces[i].close();
        spaces[i] = null;
      }
    }
    file.truncate(0);
    cached.truncate(0);
    machine.requireBootState();
    byte[] page = new byte[(int) Pages.SIZE];
    for (int i = 0; i < pages; i++) {
      for (int k = 0; k < page.length; k++) {
        page[k] = (byte) (i * 16 + k % 13 + 1);
      }
      page[TRAP] = INT3;
      file.write(i * Pages.SIZE, MemorySegment.ofArray(page));
      cached.write(i * Pages.SIZE, MemorySegment.ofArray(page));
    }
    spaces[0] = machine.space("0");
  }

  String perform(String step) throws IOException {
    Scanner words = new Scanner(step);
    AddressSpace space = spaces[words.nextInt()];
    String what = words.next();
    try {
      return switch (what) {
        case "read" -> load(space, at(words.nextLong()) + words.nextLong());
        case "write" -> store(space, words);
        case "map" -> map(space, words);
        case "remap" -> remap(space, words);
        case "incore" -> inCore(space, words);
        case "maps" -> maps(space);
        case "sum" -> sum(space);
        case "file" -> file(file, words);
        case "cached" -> file(cached, words);
        case "peek" -> peek(space, at(words.nextLong()) + words.nextLong());
        case "poke" -> poke(space, words, false);
        case "force" -> poke(space, words, true);
        case "fork" -> fork(space, words.nextInt());
        default -> call(space, what, words);
      };
    } catch (MapException e) {
      // /proc/PID/mem answers EIO whatever get_user_pages does.
      return what.equals("force") ? "EIO" : e.errno().name();
    } catch (MemoryFaultException.SegmentationFault e) {
      return "SEGV";
    } catch (MemoryFaultException.BusError e) {
      return "BUS";
    }
  }

  private String load(AddressSpace space, long va) throws IOException {
    return "%02x".formatted(program.load(space, va));
  }

  private String store(AddressSpace space, Scanner words) throws IOException {
    long va = at(words.nextLong()) + words.nextLong();
    program.store(space, va, (byte) words.nextInt());
    return "ok";
  }

  private String map(AddressSpace space, Scanner words) throws IOException {
    long slot = words.nextLong();
    long length = words.nextLong() * Pages.SIZE;
    Access access = access(words.nextInt());
    char kind = words.next().charAt(0);
    long offset = words.nextLong();
    int number = words.nextInt();
    Set<MapFlag> flags = EnumSet.noneOf(MapFlag.class);
    if ("srSRA".indexOf(kind) >= 0) {
      flags.add(MapFlag.SHARED);
    }
    if ("rqRQ".indexOf(kind) >= 0) {
      flags.add(MapFlag.READ_ONLY_FILE);
    }
    addIf(flags, number, 0x10, MapFlag.FIXED);
    addIf(flags, number, 0x2000, MapFlag.LOCKED);
    addIf(flags, number, 0x4000, MapFlag.NORESERVE);
    addIf(flags, number, 0x8000, MapFlag.POPULATE);
    addIf(flags, number, 0x10_0000, MapFlag.FIXED_NOREPLACE);
    AddrRange place =
        space.map(new MapRequest(fileOf(kind), offset, length, access, flags, at(slot)));
    if (place.start() != at(slot)) {
      space.unmap(place);
      return "elsewhere";
    }
    return "ok";
  }

  private Mappable fileOf(char kind) {
    return "aA".indexOf(kind) >= 0 ? null : Character.isUpperCase(kind) ? cached : file;
  }

  private static void addIf(Set<MapFlag> flags, int number, int bit, MapFlag flag) {
    if ((number & bit) != 0) {
      flags.add(flag);
    }
  }

  private static Access access(int prot) {
    return new Access((prot & 1) != 0, (prot & 2) != 0, (prot & 4) != 0);
  }

  private static String remap(AddressSpace space, Scanner words) throws IOException {
    AddrRange old = range(words.nextLong(), words.nextLong());
    long length = words.nextLong() * Pages.SIZE;
    int flags = words.nextInt();
    long target = at(words.nextLong());
    AddrRange now =
        space.remap(
            (flags & 2) != 0
                ? RemapRequest.to(old, length, target)
                : new RemapRequest(old, length, (flags & 1) != 0, RemapRequest.ANYWHERE));
    if (now.start() >= at(0) && now.start() < at(SLOTS)) {
      return "at " + (now.start() - ARENA) / Pages.SIZE;
    }
    space.remap(RemapRequest.to(now, length, target));
    return "moved, ok";
  }

  private static String inCore(AddressSpace space, Scanner words) throws IOException {
    long slot = words.nextLong();
    int pages = words.nextInt();
    BitSet present = space.inCore(range(slot, pages));
    StringBuilder bits = new StringBuilder();
    for (int i = 0; i < pages; i++) {
      bits.append(present.get(i) ? '1' : '0');
    }
    return bits.toString();
  }

  private String maps(AddressSpace space) {
    StringJoiner slots = new StringJoiner(" ");
    for (int slot = 0; slot < ALL_SLOTS; slot++) {
      Vma vma = space.find(at(slot));
      slots.add(
          vma == null
              ? "-"
              : VmaFlags.describe(vma.flags())
                  + ":"
                  + (vma.file() == cached ? "c" : "")
                  + (vma.file() == file || vma.file() == cached ? vma.pageAt(at(slot)) : "a"));
    }
    return slots.toString();
  }

  private String sum(AddressSpace space) throws IOException {
    List<String> bytes = new ArrayList<>();
    for (int slot = 0; slot < ALL_SLOTS; slot++) {
      try {
        bytes.add(load(space, at(slot) + 1));
      } catch (MemoryFaultException.SegmentationFault e) {
        bytes.add("SEGV");
      } catch (MemoryFaultException.BusError e) {
        bytes.add("BUS");
      }
    }
    return String.join(" ", bytes);
  }

  private static String file(ChangeableFile file, Scanner words) throws IOException {
    String what = words.next();
    long offset = words.nextLong();
    byte[] one = new byte[1];
    switch (what) {
      case "truncate" -> file.truncate(offset);
      case "punch" -> file.punchHole(offset / Pages.SIZE, words.nextInt());
      case "write" -> {
        one[0] = (byte) words.nextInt();
        file.write(offset, MemorySegment.ofArray(one));
      }
      default -> {
        return file.read(offset, MemorySegment.ofArray(one)) == 1
            ? "%02x".formatted(one[0])
            : "end";
      }
    }
    return "ok";
  }

  private static String peek(AddressSpace space, long va) throws MapException {
    try (PinnedPages pinned = space.getUserPages().pin(va, 1, false, false)) {
      byte[] one = new byte[1];
      pinned.read(0, va & Pages.OFFSET_MASK, MemorySegment.ofArray(one));
      return "%02x".formatted(one[0]);
    }
  }

  private static String poke(AddressSpace space, Scanner words, boolean force) throws MapException {
    long va = at(words.nextLong()) + words.nextLong();
    try (PinnedPages pinned = space.getUserPages().pin(va, 1, true, force)) {
      byte[] one = {(byte) words.nextInt()};
      pinned.write(0, va & Pages.OFFSET_MASK, MemorySegment.ofArray(one));
      return "ok";
    }
  }

  private String fork(AddressSpace space, int child) throws IOException {
    spaces[child] = space.fork(String.valueOf(child));
    return "ok";
  }

  private static String call(AddressSpace space, String what, Scanner words) throws IOException {
    AddrRange range = range(words.nextLong(), words.nextLong());
    int number = words.nextInt();
    switch (what) {
      case "unmap" -> space.unmap(range);
      case "protect" -> space.protect(range, access(number));
      case "advise" -> space.advise(range, Advice.of(number));
      case "sync" -> space.sync(range, syncFlags(number));
      case "lock" -> space.lock(range);
      case "unlock" -> space.unlock(range);
      default -> throw new IllegalArgumentException(what);
    }
    return "ok";
  }

  private static Set<SyncFlag> syncFlags(int number) {
    Set<SyncFlag> flags = EnumSet.noneOf(SyncFlag.class);
    if ((number & 1) != 0) {
      flags.add(SyncFlag.ASYNC);
    }
    if ((number & 2) != 0) {
      flags.add(SyncFlag.INVALIDATE);
    }
    if ((number & 4) != 0) {
      flags.add(SyncFlag.SYNC);
    }
    return flags;
  }

  @Override
  public void close() throws IOException {
    reset(0);
    program.ends(spaces[0]);
    spaces[0].close();
    program.close();
    machine.close();
  }
}
