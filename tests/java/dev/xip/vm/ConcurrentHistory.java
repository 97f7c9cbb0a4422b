package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.ChangeableFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A random history of several threads over the same spaces and files. The address determines which
 * page of which file is mapped there, and every word stored contains its place; so a word read is
 * zero or belongs to the address, or a thread has accessed a page of another one.
 */
public final class ConcurrentHistory {
  private static final int FILES = 4;
  private static final int FILE_PAGES = 16;
  private static final int SPACES = 5;
  private static final int WORDS = (int) (Pages.SIZE / 8);
  private static final int ANONYMOUS = FILES;
  private static final long FIRST_PAGE = 0x100;

  /** Pages between the places of two mappings; a file has a private and a shared one. */
  private static final long STRIDE = 0x400;

  private final TestMachine machine;
  private final long seed;
  private final List<ChangeableFile> files = new ArrayList<>();
  private final ThreadLocal<Map<AddressSpace, AddressReader>> readers =
      ThreadLocal.withInitial(IdentityHashMap::new);
  private final AtomicReferenceArray<AddressSpace> spaces = new AtomicReferenceArray<>(SPACES);

  public ConcurrentHistory(TestMachine machine, long seed) {
    this.machine = machine;
    this.seed = seed;
    for (int i = 0; i < FILES; i++) {
      String name = "file-" + i;
      files.add(i < 2 ? machine.device.create(name) : machine.cache.create(name));
    }
    for (int i = 0; i < SPACES; i++) {
      spaces.set(i, machine.space("space-" + i));
    }
  }

  /** Lets so many threads take so many steps each, then demands the state of boot. */
  public void run(int threads, int steps) throws IOException {
    for (ChangeableFile file : files) {
      file.truncate(FILE_PAGES * Pages.SIZE);
    }
    List<Callable<Object>> work = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      Random random = new Random(seed + i);
      work.add(
          () -> {
            for (int step = 0; step < steps; step++) {
              step(random);
            }
            return null;
          });
    }
    Threads.together(work);
    machine.verify();
    for (int i = 0; i < SPACES; i++) {
      spaces.get(i).close();
    }
    for (ChangeableFile file : files) {
      file.truncate(0);
    }
    machine.requireBootState();
  }

  private void step(Random random) throws IOException {
    AddressSpace space = spaces.get(random.nextInt(SPACES));
    int file = random.nextInt(FILES + 1);
    boolean shared = file != ANONYMOUS && random.nextBoolean();
    int page = random.nextInt(FILE_PAGES);
    int choice = random.nextInt(100);
    try {
      if (choice < 35) {
        read(random, space, file, shared, page);
      } else if (choice < 65) {
        write(random, space, file, shared, page);
      } else if (choice < 80) {
        map(space, file, shared, page, random.nextInt(4) + 1);
      } else if (choice < 86) {
        space.unmap(range(file, shared, page, random.nextInt(4) + 1));
      } else if (choice < 89) {
        replace(random, space.fork("child"));
      } else if (choice < 90) {
        replace(random, machine.manager.newAddressSpace("fresh"));
      } else if (file != ANONYMOUS) {
        change(random, choice, file, page);
      }
    } catch (MemoryFaultException.SegmentationFault
        | MemoryFaultException.BusError
        | MapException e) {
      // Another thread has unmapped the page, cut the file or ended the space.
    }
  }

  private void change(Random random, int choice, int file, int page) throws IOException {
    ChangeableFile on = files.get(file);
    if (choice < 93) {
      on.truncate(random.nextInt(FILE_PAGES + 1) * Pages.SIZE);
    } else if (choice < 95) {
      on.punchHole(page, 2);
    } else if (choice < 98) {
      int word = random.nextInt(WORDS);
      long[] value = {belonging(random, file, page, word)};
      on.write(page * Pages.SIZE + 8L * word, MemorySegment.ofArray(value));
    } else {
      long[] words = new long[WORDS];
      on.read(page * Pages.SIZE, MemorySegment.ofArray(words));
      for (int word = 0; word < WORDS; word++) {
        require(words[word], file, page, word);
      }
    }
  }

  private static long firstPage(int file, boolean shared, int page) {
    return FIRST_PAGE + (2L * file + (shared ? 1 : 0)) * STRIDE + page;
  }

  private static AddrRange range(int file, boolean shared, int page, int pages) {
    return AddrRange.ofLength(
        firstPage(file, shared, page) << Pages.SHIFT, (long) pages << Pages.SHIFT);
  }

  private void map(AddressSpace space, int file, boolean shared, int page, int pages)
      throws MapException {
    AddrRange range = range(file, shared, page, Math.min(pages, FILE_PAGES - page));
    long stamp = space.mm().lockToChange();
    try {
      if (space.mm().vmas().isFree(range)) {
        Vma added =
            file == ANONYMOUS
                ? Vma.anonymous(range, TestMachine.ANONYMOUS)
                : new Vma(range, TestMachine.flags(files.get(file), shared), files.get(file), page);
        space.mm().install(space.mm().vmas().with(added));
      }
    } finally {
      space.mm().unlockExclusively(stamp);
    }
  }

  private void replace(Random random, AddressSpace next) {
    spaces.getAndSet(random.nextInt(SPACES), next).close();
    readers.get().keySet().removeIf(space -> space.mm().isClosed());
  }

  /** One of a few, so that what is stored is also read. */
  private static int anyWord(Random random) {
    return 73 * random.nextInt(6);
  }

  /** Each thread keeps a reader for each space, with its cached translations. */
  private void read(Random random, AddressSpace space, int file, boolean shared, int page)
      throws MemoryFaultException {
    AddressReader reader = readers.get().computeIfAbsent(space, AddressReader::new);
    for (int i = 0; i < 4; i++) {
      int word = anyWord(random);
      require(
          reader.getLong((firstPage(file, shared, page) << Pages.SHIFT) + 8L * word),
          file,
          page,
          word);
    }
  }

  private static void write(Random random, AddressSpace space, int file, boolean shared, int page)
      throws MemoryFaultException {
    AddressWriter writer = new AddressWriter(space);
    for (int i = 0; i < 4; i++) {
      int word = anyWord(random);
      writer.putLong(
          (firstPage(file, shared, page) << Pages.SHIFT) + 8L * word,
          belonging(random, file, page, word));
    }
  }

  private static long place(int file, int page, int word) {
    return (file + 1L) << 40 | (long) page << 20 | word;
  }

  private static long belonging(Random random, int file, int page, int word) {
    return place(file, page, word) << 16 | random.nextInt(1 << 16);
  }

  private static void require(long value, int file, int page, int word) {
    if (value != 0 && value >>> 16 != place(file, page, word)) {
      throw new AssertionError(
          "page 0x%x of file %d, word %d: found 0x%x, which belongs elsewhere"
              .formatted(page, file, word, value));
    }
  }
}
