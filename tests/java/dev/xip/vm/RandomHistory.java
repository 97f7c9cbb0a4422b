package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.ChangeableFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A random history of one thread over several spaces and files, in place and through the page
 * cache: map, read, write, fork, unmap, truncate, punch, get_user_pages, exit. A model of plain
 * arrays has the value of every word, the accesses that get a signal, and the number of private
 * pages of each space. The same seed gives the same history on every machine, so two machines can
 * be compared by what {@link #run} returns.
 */
public final class RandomHistory {
  private static final int FILES = 6;

  /** The files from this one on go through the page cache. */
  private static final int FIRST_CACHED = 4;

  private static final int FILE_PAGES = 24;
  private static final int MOST_SPACES = 6;
  private static final int WORDS = (int) (Pages.SIZE / 8);

  /** Places in different tables, so that tables are made and freed. */
  private static final long[] PLACES = {0x100, 0x1f8, 0x4_0000, 0x7ff_ff00};

  private static final class FileModel {
    final ChangeableFile file;
    final long[][] pages = new long[FILE_PAGES][];
    long size;

    FileModel(ChangeableFile file) {
      this.file = file;
    }

    long covering() {
      return Pages.covering(size);
    }

    /** Bytes stored past the end become zeros when the file grows over them. */
    void grow(long firstWritten, long newSize) {
      int words = (int) (size >>> 3) % WORDS;
      if (firstWritten > size && words != 0 && pages[(int) covering() - 1] != null) {
        Arrays.fill(pages[(int) covering() - 1], words, WORDS, 0);
      }
      size = Math.max(size, newSize);
    }
  }

  /** One page of a mapping; without a file it is anonymous. */
  private record Cell(FileModel file, int page, boolean shared, boolean writable, long[][] copy) {
    Cell(FileModel file, int page, boolean shared, boolean writable) {
      this(file, page, shared, writable, new long[1][]);
    }

    Cell forked() {
      return new Cell(
          file, page, shared, writable, new long[][] {copy[0] == null ? null : copy[0].clone()});
    }

    boolean isPastEnd() {
      return file != null && copy[0] == null && page >= file.covering();
    }

    boolean isCached() {
      return file != null && file.file.cachedPages() != null;
    }

    /** Whether get_user_pages must give the page out, once it is faulted in. */
    boolean hasFrame(boolean write, boolean force) {
      return write
          ? writable ? !shared || isCached() : force && !shared
          : file == null || isCached();
    }

    long word(int word) {
      if (copy[0] != null) {
        return copy[0][word];
      }
      return file == null || file.pages[page] == null ? 0 : file.pages[page][word];
    }

    void store(int word, long value) {
      if (shared) {
        if (file.pages[page] == null) {
          file.pages[page] = new long[WORDS];
        }
        file.pages[page][word] = value;
        return;
      }
      if (copy[0] == null) {
        copy[0] =
            file == null || file.pages[page] == null ? new long[WORDS] : file.pages[page].clone();
      }
      copy[0][word] = value;
    }
  }

  private static final class SpaceModel {
    final AddressSpace space;

    /** Reused, so that it has cached translations from before every change. */
    final AddressReader reader;

    final TreeMap<Long, Cell> cells = new TreeMap<>();

    SpaceModel(AddressSpace space) {
      this.space = space;
      this.reader = new AddressReader(space);
    }
  }

  private final TestMachine machine;
  private final Random random;
  private final List<FileModel> files = new ArrayList<>();
  private final List<SpaceModel> spaces = new ArrayList<>();
  private long digest;
  private int names;

  public RandomHistory(TestMachine machine, long seed) {
    this.machine = machine;
    this.random = new Random(seed);
    for (int i = 0; i < FILES; i++) {
      String name = "file-" + i;
      files.add(
          new FileModel(
              i < FIRST_CACHED ? machine.device.create(name) : machine.cache.create(name)));
    }
    spaces.add(new SpaceModel(machine.space("space-0")));
  }

  /**
   * Takes {@code steps} steps, then compares every word of every mapping, ends all spaces and files
   * and asserts the state of boot.
   *
   * @return a digest of every word read and of every count on the way
   */
  public long run(int steps) throws IOException {
    for (int i = 1; i <= steps; i++) {
      step();
      if (i % 1000 == 0) {
        check();
      }
    }
    check();
    for (SpaceModel each : spaces) {
      for (Map.Entry<Long, Cell> cell : each.cells.entrySet()) {
        for (int word = 0; word < WORDS; word += 73) {
          read(each, cell.getKey(), word);
        }
      }
    }
    check();
    spaces.forEach(each -> each.space.close());
    for (FileModel each : files) {
      each.file.truncate(0);
    }
    machine.requireBootState();
    return digest;
  }

  private void mix(long value) {
    digest = (digest ^ value) * 0x9e37_79b9_7f4a_7c15L;
    digest ^= digest >>> 29;
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private void step() throws IOException {
    SpaceModel on = any(spaces);
    int choice = random.nextInt(100);
    if (choice < 12) {
      map(on);
    } else if (choice < 45) {
      read(on, anyPage(on), anyWord());
    } else if (choice < 71) {
      write(on, anyPage(on), anyWord());
    } else if (choice < 75) {
      pin(on, anyPage(on), anyWord(), random.nextBoolean(), random.nextBoolean());
    } else if (choice < 80) {
      unmap(on);
    } else if (choice < 84) {
      fork(on);
    } else if (choice < 87) {
      exit(on);
    } else if (choice < 90) {
      truncate(any(files));
    } else if (choice < 92) {
      punch(any(files));
    } else if (choice < 97) {
      writeFile(any(files));
    } else if (choice < 99) {
      readFile(any(files));
    } else {
      any(files).file.invalidate(random.nextInt(FILE_PAGES), random.nextInt(8) + 1);
    }
  }

  private long anyPlace() {
    return PLACES[random.nextInt(PLACES.length)] + random.nextInt(24);
  }

  /** Mostly a mapped one. */
  private long anyPage(SpaceModel on) {
    long place = anyPlace();
    Long mapped = on.cells.ceilingKey(place);
    return mapped == null || random.nextInt(20) == 0 ? place : mapped;
  }

  /** One of a few, so that stored words are read. */
  private int anyWord() {
    return 73 * random.nextInt(6);
  }

  private void map(SpaceModel on) {
    long first = anyPlace();
    int pages = random.nextInt(8) + 1;
    FileModel file = random.nextInt(4) == 0 ? null : any(files);
    int page = random.nextInt(FILE_PAGES - 8);
    boolean shared = file != null && random.nextBoolean();
    boolean writable = random.nextInt(4) != 0;
    if (!on.cells.subMap(first, first + pages).isEmpty()) {
      return;
    }
    long flags = file == null ? TestMachine.ANONYMOUS : TestMachine.flags(file.file, shared);
    flags = writable ? flags : flags & ~VmaFlags.WRITE;
    AddrRange range = AddrRange.ofLength(first << Pages.SHIFT, (long) pages << Pages.SHIFT);
    TestMachine.map(
        on.space,
        file == null ? Vma.anonymous(range, flags) : new Vma(range, flags, file.file, page));
    for (int i = 0; i < pages; i++) {
      on.cells.put(first + i, new Cell(file, page + i, shared, writable));
    }
  }

  private void read(SpaceModel on, long page, int word) {
    Cell cell = on.cells.get(page);
    try {
      long found = on.reader.getLong((page << Pages.SHIFT) + 8L * word);
      mix(found);
      assertThat(cell).as("page 0x%x of %s is mapped", page, on.space.name()).isNotNull();
      assertThat(cell.isPastEnd()).as("page 0x%x is past the end", page).isFalse();
      assertThat(found).as("page 0x%x word %d", page, word).isEqualTo(cell.word(word));
      loaded(cell);
    } catch (MemoryFaultException e) {
      requireExpected(e, cell, true);
    }
  }

  /** A load of anonymous memory takes a frame where there is no zero page. */
  private void loaded(Cell cell) {
    if (cell.file() == null
        && cell.copy()[0] == null
        && !machine.manager.rules().has(Rule.ZERO_PAGE)) {
      cell.copy()[0] = new long[WORDS];
    }
  }

  private void write(SpaceModel on, long page, int word) {
    Cell cell = on.cells.get(page);
    long value = random.nextLong();
    try {
      new AddressWriter(on.space).putLong((page << Pages.SHIFT) + 8L * word, value);
      assertThat(cell).as("page 0x%x of %s is mapped", page, on.space.name()).isNotNull();
      assertThat(cell.isPastEnd()).as("page 0x%x is past the end", page).isFalse();
      assertThat(cell.writable()).isTrue();
      cell.store(word, value);
    } catch (MemoryFaultException e) {
      requireExpected(e, cell, cell == null || cell.writable());
    }
  }

  /** A page is given out if it has a frame; asking for a private page for writing gives it one. */
  private void pin(SpaceModel on, long page, int word, boolean write, boolean force) {
    Cell cell = on.cells.get(page);
    try (PinnedPages pinned = on.space.getUserPages().pin(page << Pages.SHIFT, 1, write, force)) {
      assertThat(cell).as("page 0x%x of %s is mapped", page, on.space.name()).isNotNull();
      assertThat(cell.isPastEnd()).as("page 0x%x is past the end", page).isFalse();
      if (write) {
        assertThat(cell.shared() && !cell.isCached()).as("page 0x%x has no frame", page).isFalse();
        assertThat(cell.writable() || force && !cell.shared()).isTrue();
        cell.store(word, cell.word(word));
      }
      long[] found = new long[1];
      pinned.read(0, 8L * word, MemorySegment.ofArray(found));
      assertThat(found[0]).as("page 0x%x word %d", page, word).isEqualTo(cell.word(word));
      mix(found[0]);
      loaded(cell);
    } catch (MapException e) {
      assertThat(e.errno()).isIn(Errno.EFAULT, Errno.EEXIST);
      assertThat(cell != null && !cell.isPastEnd() && cell.hasFrame(write, force))
          .as("a page with a frame can be given out")
          .isFalse();
      mix(1);
    }
  }

  private void requireExpected(MemoryFaultException e, Cell cell, boolean allowed) {
    mix(e.getClass().getSimpleName().length());
    if (cell == null || !allowed) {
      assertThat(e).isInstanceOf(MemoryFaultException.SegmentationFault.class);
    } else {
      assertThat(e).isInstanceOf(MemoryFaultException.BusError.class);
      assertThat(cell.isPastEnd()).isTrue();
    }
  }

  private void unmap(SpaceModel on) throws MapException {
    long first = anyPlace();
    int pages = random.nextInt(12) + 1;
    on.space.unmap(AddrRange.ofLength(first << Pages.SHIFT, (long) pages << Pages.SHIFT));
    on.cells.subMap(first, first + pages).clear();
  }

  private void fork(SpaceModel on) throws MapException {
    if (spaces.size() == MOST_SPACES) {
      return;
    }
    SpaceModel child = new SpaceModel(on.space.fork("space-" + ++names));
    on.cells.forEach((page, cell) -> child.cells.put(page, cell.forked()));
    spaces.add(child);
  }

  private void exit(SpaceModel on) {
    if (spaces.size() > 1) {
      count(on);
      on.space.close();
      spaces.remove(on);
    }
  }

  private void truncate(FileModel on) throws IOException {
    long size = 8L * random.nextInt(FILE_PAGES * WORDS + 1);
    on.file.truncate(size);
    on.grow(size, size);
    on.size = size;
    int left = (int) on.covering();
    for (int page = left; page < FILE_PAGES; page++) {
      on.pages[page] = null;
    }
    int words = (int) (size >>> 3) % WORDS;
    if (words != 0 && on.pages[left - 1] != null) {
      Arrays.fill(on.pages[left - 1], words, WORDS, 0);
    }
    for (SpaceModel each : spaces) {
      for (Cell cell : each.cells.values()) {
        if (cell.file() == on && cell.page() >= left) {
          cell.copy()[0] = null;
        }
      }
    }
  }

  private void punch(FileModel on) throws IOException {
    int first = random.nextInt(FILE_PAGES);
    int pages = random.nextInt(4) + 1;
    on.file.punchHole(first, pages);
    for (int page = first; page < Math.min(first + pages, FILE_PAGES); page++) {
      on.pages[page] = null;
    }
  }

  private void writeFile(FileModel on) throws IOException {
    int first = random.nextInt(FILE_PAGES * WORDS);
    long[] words = random.longs(random.nextInt(2 * WORDS) + 1L).toArray();
    int count = Math.min(words.length, FILE_PAGES * WORDS - first);
    MemorySegment source = MemorySegment.ofArray(words).asSlice(0, 8L * count);
    assertThat(on.file.write(8L * first, source)).isEqualTo(8L * count);
    on.grow(8L * first, 8L * (first + count));
    for (int i = 0; i < count; i++) {
      int page = (first + i) / WORDS;
      if (on.pages[page] == null) {
        on.pages[page] = new long[WORDS];
      }
      on.pages[page][(first + i) % WORDS] = words[i];
    }
  }

  private void readFile(FileModel on) throws IOException {
    int first = random.nextInt(FILE_PAGES * WORDS);
    long[] words = new long[WORDS];
    long bytes = on.file.read(8L * first, MemorySegment.ofArray(words));
    assertThat(bytes).isEqualTo(Math.clamp(on.size - 8L * first, 0, 8L * WORDS));
    for (int i = 0; i < bytes / 8; i++) {
      long[] page = on.pages[(first + i) / WORDS];
      assertThat(words[i]).isEqualTo(page == null ? 0 : page[(first + i) % WORDS]);
      mix(words[i]);
    }
  }

  /**
   * Property 5: the number of private pages is that of the model; the verifier checks the other
   * counts.
   */
  private void check() {
    machine.verify();
    spaces.forEach(this::count);
  }

  private void count(SpaceModel on) {
    assertThat(on.space.anonymousFrames())
        .isEqualTo(on.cells.values().stream().filter(cell -> cell.copy()[0] != null).count());
    mix(on.space.anonymousFrames());
    mix(on.space.fileFrames());
    mix(on.space.copies());
    mix(on.space.table().countTables());
  }
}
