package dev.xip.segment;

import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.host.Errno;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Property 13: random calls of two owners of one store end as the rules of extmem say, in codes,
 * modes, references, contents and in what is gone.
 */
class ExtmemStateMachineTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int STEPS = 10_000;
  private static final int PAGE = 4096;

  private static final long WINDOW = 8L << 40;
  private static final long RAM = 16L << 20;

  /** Far from all others; so large that no host has memory for a private copy of it. */
  private static final SegmentName HUGE = new SegmentName("HUGE");

  private static final List<SegmentPart> HUGE_PARTS =
      List.of(new SegmentPart(SegmentType.EW, 1L << 30, (1L << 30) + (1L << 30) - 2));

  private static final List<SegmentName> NAMES =
      List.of("P", "Q", "R", "S", "T", "U").stream().map(SegmentName::new).toList();

  private static final long[] OFFSETS_IN_MEGABYTE = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  private static final int[] LENGTHS = {1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x101};

  /** Memory where there is such a folder: the waits for a disk are not what is tested here. */
  private static final Path SHM = Path.of("/dev/shm");

  @TempDir Path temp;
  private Path folder;
  private SegmentStore store;
  private ExtmemModel model;
  private final List<Machine> machines = new ArrayList<>();
  private final Random random = new Random(SEED);

  /** How often each call ended with each code. */
  private final Map<String, Integer> met = new TreeMap<>();

  /** A loader under test and what the model says of it. */
  private static final class Machine {
    final PhysicalMemory memory;
    final SegmentLoader loader;
    final ExtmemModel.Owner owner = new ExtmemModel.Owner();
    Region claimed;

    Machine(SegmentStore store) throws IOException {
      memory = PhysicalMemory.boot(WINDOW, RAM);
      loader = new SegmentLoader(SegmentStore.open(store.folder()), memory);
      owner.claimed.add(new long[] {0, RAM - 1});
    }

    MemorySegment at(ExtmemModel.Held held) {
      return memory.window().asSlice(held.firstByte(), held.lastByte() - held.firstByte() + 1);
    }
  }

  @FunctionalInterface
  private interface Call {
    void run() throws IOException;
  }

  @BeforeEach
  void boot() throws IOException {
    folder = Files.isWritable(SHM) ? Files.createTempDirectory(SHM, "xip") : temp;
    store = SegmentStore.create(folder.resolve("store"));
    model = new ExtmemModel(WINDOW, HUGE);
    machines.add(new Machine(store));
    machines.add(new Machine(store));
  }

  @AfterEach
  void shutDown() throws IOException {
    for (Machine each : machines) {
      for (SavedSegment held : each.loader.loaded()) {
        for (int left = held.references(); left > 0; left--) {
          each.loader.unload(held.name());
        }
      }
      each.memory.close();
    }
    assertThat(Files.readAllLines(Path.of("/proc/self/maps")))
        .noneMatch(line -> line.contains(store.folder().toString()));
    Processes.run("rm", "-r", store.folder().toString());
    if (folder != temp) {
      Files.delete(folder);
    }
  }

  @Test
  void randomCallsOfTwoOwnersEndAsTheRulesSay() throws IOException {
    System.err.println("ExtmemStateMachineTest: -Dxip.seed=" + SEED);
    boolean overcommits =
        Files.readString(Path.of("/proc/sys/vm/overcommit_memory")).strip().equals("1");
    if (overcommits) {
      System.err.println("ENOMEM NOT TESTED: this host promises any amount of memory");
    } else {
      store.define(new SegmentDefinition(HUGE, HUGE_PARTS), SegmentSource.zeros());
      model.define(HUGE, HUGE_PARTS);
    }
    for (int step = 0; step < STEPS; step++) {
      String where = "-Dxip.seed=%d, step %d".formatted(SEED, step);
      try {
        act(machines.get(random.nextInt(2)), overcommits ? NAMES.getFirst() : HUGE);
        compareLoaded();
        if (step % 100 == 0) {
          compareStore();
        }
      } catch (AssertionError | RuntimeException | IOException e) {
        throw new AssertionError(where + ": " + e.getMessage(), e);
      }
    }
    compareStore();
    System.err.println("ExtmemStateMachineTest: met " + met);
    assertEveryCodeWasMet(overcommits);
  }

  /** ENOSYS is for guests without a hypervisor, ENOSPC of 2.6.26 is EBUSY here as it is today. */
  private void assertEveryCodeWasMet(boolean overcommits) {
    Set<Errno> codes =
        EnumSet.of(
            Errno.EPERM,
            Errno.ENOENT,
            Errno.EIO,
            Errno.EOPNOTSUPP,
            Errno.EBUSY,
            Errno.ERANGE,
            Errno.ENOMEM,
            Errno.EINVAL,
            Errno.EAGAIN);
    if (overcommits) {
      codes.remove(Errno.ENOMEM);
    }
    String told = "-Dxip.seed=%d".formatted(SEED);
    for (Errno code : codes) {
      assertThat(SegmentWarning.of(code, NAMES.getFirst())).isPresent();
      assertThat(met.keySet()).as(told).anyMatch(each -> each.endsWith(" " + code));
    }
    assertThat(met.keySet())
        .as(told)
        .contains(
            "load ok",
            "load EIO",
            "unload EINVAL",
            "unload ok",
            "modify ok",
            "modify EINVAL",
            "modify EAGAIN",
            "modify ENOENT",
            "save ok",
            "save EINVAL",
            "define EEXIST",
            "remove ENOENT",
            "type EOPNOTSUPP");
  }

  private void act(Machine machine, SegmentName special) throws IOException {
    SegmentName name = chooseName(machine);
    SharingMode mode = SharingMode.values()[random.nextInt(2)];
    ExtmemModel.Owner owner = machine.owner;
    int dice = random.nextInt(100);
    if (dice < 24) {
      SegmentName wanted = random.nextInt(25) == 0 ? special : name;
      expect("load", model.load(owner, wanted, mode), () -> machine.loader.load(wanted, mode));
    } else if (dice < 44) {
      expect("unload", model.unload(owner, name), () -> machine.loader.unload(name));
    } else if (dice < 60) {
      expect(
          "modify", model.modify(owner, name, mode), () -> machine.loader.modifyShared(name, mode));
    } else if (dice < 74) {
      storeSomewhere(machine, name);
    } else if (dice < 81) {
      expect("save", model.save(owner, name), () -> machine.loader.save(name));
    } else if (dice < 88) {
      if (random.nextBoolean()) {
        expect("remove", model.remove(name), () -> store.remove(name));
      }
      List<SegmentPart> parts = randomParts();
      expect(
          "define",
          model.define(name, parts),
          () -> store.define(new SegmentDefinition(name, parts), SegmentSource.zeros()));
    } else if (dice < 90) {
      expect("remove", model.remove(name), () -> store.remove(name));
    } else if (dice < 93) {
      expect("zeros", model.saveZeros(name), () -> store.save(name, SegmentSource.zeros()));
    } else if (dice < 96) {
      expect("type", model.query(name), () -> machine.loader.type(name));
    } else if (dice < 98) {
      damage(name);
    } else {
      claimOrRelease(machine);
    }
  }

  /** Often one that is loaded, as the others are soon told. */
  private SegmentName chooseName(Machine machine) {
    List<SegmentName> held = List.copyOf(machine.owner.held.keySet());
    return held.isEmpty() || random.nextInt(3) == 0
        ? NAMES.get(random.nextInt(NAMES.size()))
        : held.get(random.nextInt(held.size()));
  }

  private void expect(String what, Errno expected, Call call) throws IOException {
    Errno found = null;
    String message = "";
    try {
      call.run();
    } catch (SegmentException e) {
      found = e.code();
      message = e.getMessage();
    }
    met.merge(what + " " + (found == null ? "ok" : found), 1, Integer::sum);
    assertThat(found).as("%s: %s", what, message).isEqualTo(expected);
  }

  private void storeSomewhere(Machine machine, SegmentName name) {
    ExtmemModel.Held held = machine.owner.held.get(name);
    if (held != null && !held.isReadOnly()) {
      int page = random.nextInt(held.stored.contents.pages.length);
      byte value = (byte) random.nextInt(256);
      held.write(page, value);
      LoaderFixture.set(machine.at(held), (long) page * PAGE, value);
    }
  }

  /** Segments at the edges of megabytes, some in RAM or past the window, some of several parts. */
  private List<SegmentPart> randomParts() {
    long megabyte =
        switch (random.nextInt(20)) {
          case 0 -> (RAM >> 20) - 1;
          case 1 -> (WINDOW >> 20) - 1;
          default -> 0x1000 + random.nextInt(4);
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

  /** What becomes of the files of a store outside our hands; nobody may have them loaded. */
  private void damage(SegmentName name) throws IOException {
    ExtmemModel.Stored stored = model.store().get(name);
    if (stored == null) {
      return;
    }
    Path definition = store.folder().resolve(name + StoreFile.DEFINITION_SUFFIX);
    Path data = store.folder().resolve(StoreFile.data(name, stored.version).toString());
    switch (random.nextInt(4)) {
      case 0 -> {
        byte[] text = new byte[random.nextInt(200)];
        random.nextBytes(text);
        Files.write(definition, text);
        stored.damage = ExtmemModel.Damage.UNREADABLE;
      }
      case 1 -> {
        Files.write(definition, DefinitionFileTest.unsupported(name, random.nextInt(3)));
        stored.damage = ExtmemModel.Damage.UNSUPPORTED;
      }
      case 2 -> {
        if (stored.contents.users == 0 && !stored.contents.broken) {
          try (RandomAccessFile cut = new RandomAccessFile(data.toFile(), "rw")) {
            cut.setLength(cut.length() - 1);
          }
          // The first user of an SN segment gives the file its length anew.
          stored.contents.broken =
              stored.parts.size() > 1 || stored.parts.getFirst().type() != SegmentType.SN;
        }
      }
      default -> {
        if (stored.contents.users == 0) {
          Files.deleteIfExists(data);
          stored.contents.broken = true;
        }
      }
    }
  }

  /** Something else than a segment in physical memory. */
  private void claimOrRelease(Machine machine) throws IOException {
    if (machine.claimed != null) {
      machine.memory.release(machine.claimed);
      machine.owner.claimed.removeLast();
      machine.claimed = null;
      return;
    }
    long first = (4L << 30) + random.nextInt(0x500) * (long) PAGE;
    long last = first + PAGE - 1;
    boolean free =
        machine.owner.held.values().stream()
            .noneMatch(held -> held.firstByte() <= last && first <= held.lastByte());
    if (free) {
      machine.claimed = machine.memory.claim("device", new AddrRange(first, last + 1), false);
      machine.owner.claimed.add(new long[] {first, last});
    }
  }

  private void compareLoaded() {
    for (Machine machine : machines) {
      List<SavedSegment> loaded = machine.loader.loaded();
      assertThat(loaded).hasSize(machine.owner.held.size());
      for (SavedSegment found : loaded) {
        ExtmemModel.Held held = machine.owner.held.get(found.name());
        assertThat(held).as("%s in the model", found).isNotNull();
        assertThat(found.mode()).as("mode of %s", found).isEqualTo(held.mode);
        assertThat(found.references()).as("references of %s", found).isEqualTo(held.references);
        assertThat(found.version()).as("version of %s", found).isEqualTo(held.stored.version);
        assertThat(found.range().start()).isEqualTo(held.firstByte());
        assertThat(found.lastByte()).isEqualTo(held.lastByte());
        assertThat(found.isWritable()).as("%s writable", found).isEqualTo(!held.isReadOnly());
        comparePage(machine, held, random.nextInt(held.stored.contents.pages.length));
      }
    }
  }

  private static void comparePage(Machine machine, ExtmemModel.Held held, int page) {
    assertThat(LoaderFixture.get(machine.at(held), (long) page * PAGE))
        .as("page %x of %s", page, held.stored.parts)
        .isEqualTo(held.page(page));
  }

  /** Every page, every region and every definition. */
  private void compareStore() throws IOException {
    for (Machine machine : machines) {
      int others = machine.claimed == null ? 1 : 2;
      assertThat(machine.memory.regions()).hasSize(machine.owner.held.size() + others);
      for (ExtmemModel.Held held : machine.owner.held.values()) {
        for (int page = 0; page < held.stored.contents.pages.length; page++) {
          comparePage(machine, held, page);
        }
      }
    }
    SegmentStore.Listing listing = store.list();
    assertThat(listing.segments().size() + listing.damaged().size())
        .isEqualTo(model.store().size());
    for (StoredSegment found : listing.segments()) {
      ExtmemModel.Stored expected = model.store().get(found.name());
      assertThat(found.version()).isEqualTo(expected.version);
      assertThat(found.definition().parts()).isEqualTo(expected.parts);
      if (!expected.contents.broken && !found.name().equals(HUGE)) {
        byte[] data = Files.readAllBytes(found.dataFile());
        for (int page = 0; page < expected.contents.pages.length; page++) {
          assertThat(data[page * PAGE]).isEqualTo(expected.contents.pages[page]);
        }
      }
    }
  }
}
