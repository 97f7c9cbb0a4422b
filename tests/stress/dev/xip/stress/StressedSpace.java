package dev.xip.stress;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.phys.PageFrames;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.Advice;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryFaultException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The operations of actors and arbiters on a process, page by page, with outcomes as numbers. */
record StressedSpace(AddressSpace mm) {
  /** The outcomes of accesses that raise a signal. */
  static final int SIGSEGV = -1;

  static final int SIGBUS = -2;

  /** The kinds of entries of an address. */
  static final int EMPTY = 0;

  static final int SPECIAL = 1;
  static final int NORMAL = 2;

  /** The address of the page of a slot. */
  static final long AT = 0x10_0000;

  /** Far enough away to have leaf tables of its own, and higher. */
  static final long FAR = 0x4000_0000;

  void mapShared(long va, MemoryFile file) {
    map(MapRequest.shared(file, Access.READ_WRITE), va);
  }

  void mapPrivately(long va, MemoryFile file) {
    map(MapRequest.privately(file, Access.READ_WRITE), va);
  }

  void mapPrivatelyToRead(long va, MemoryFile file) {
    map(MapRequest.privately(file, Access.READ), va);
  }

  void mapAnonymously(long va, long pages) {
    map(MapRequest.anonymous(pages * Pages.SIZE, Access.READ_WRITE), va);
  }

  private void map(MapRequest request, long va) {
    try {
      mm.map(request.at(va));
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
  }

  void unmap(long va) {
    try {
      mm.unmap(page(va));
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Clears the entry; the mapping stays. */
  void discard(long va) {
    try {
      mm.advise(page(va), Advice.DONTNEED);
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static AddrRange page(long va) {
    return AddrRange.ofLength(va, Pages.SIZE);
  }

  StressedSpace fork() {
    try {
      return new StressedSpace(mm.fork("child"));
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
  }

  void exit() {
    mm.close();
  }

  AddressReader reader() {
    return new AddressReader(mm);
  }

  /** The word at an address, or the signal. */
  int read(long va) {
    return read(reader(), va);
  }

  static int read(AddressReader reader, long va) {
    try {
      return (int) reader.getLong(va);
    } catch (MemoryFaultException e) {
      return signal(e);
    }
  }

  /** The last of many words, all read at once, or the signal. */
  static int readMany(AddressReader reader, long[] addresses, long[] values) {
    try {
      reader.getLongs(addresses, values, addresses.length);
      return (int) values[addresses.length - 1];
    } catch (MemoryFaultException e) {
      return signal(e);
    }
  }

  /** Stores a word; returns it, or the signal. */
  int write(long va, int word) {
    try {
      new AddressWriter(mm).putLong(va, word);
      return word;
    } catch (MemoryFaultException e) {
      return signal(e);
    }
  }

  /** Stores a page of equal words in one go. */
  void writePage(long va, long word) {
    long[] words = new long[(int) (Pages.SIZE / Long.BYTES)];
    Arrays.fill(words, word);
    try {
      new AddressWriter(mm).copy(MemorySegment.ofArray(words), 0, va, Pages.SIZE);
    } catch (MemoryFaultException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int signal(MemoryFaultException e) {
    return switch (e) {
      case MemoryFaultException.SegmentationFault _ -> SIGSEGV;
      case MemoryFaultException.BusError _ -> SIGBUS;
      default -> throw new UncheckedIOException(e);
    };
  }

  /** {@link #EMPTY}, {@link #SPECIAL} or {@link #NORMAL}. */
  int entry(long va) {
    EntryLayout layout = mm.table().layout();
    Walk walk = new Walk();
    if (!mm.table().walk(va, walk) || layout.isEmpty(walk.pte())) {
      return EMPTY;
    }
    return layout.isSpecial(walk.pte()) ? SPECIAL : NORMAL;
  }

  /** The frame behind an address. */
  long pfn(long va) {
    Walk walk = new Walk();
    mm.table().walk(va, walk);
    return mm.table().layout().pfn(walk.pte());
  }

  /** Ten times the references of the frame behind an address, plus the entries that map it. */
  int counts(long va) {
    PageFrames frames = mm.manager().memory().frames();
    long pfn = pfn(va);
    return 10 * frames.references(pfn) + frames.mappings(pfn);
  }
}
