package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.LockOrder;
import dev.xip.base.RankedLock;
import dev.xip.mapping.Mappable;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.Mmu;
import dev.xip.pagetable.PageTable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * The state of one address space: page table, list of mappings, mapped files, epoch, counters, and
 * the map lock. The operations (faults, fork, mmap and the others) are built on it; it calls none
 * of them. Linux counterpart: {@code struct mm_struct}.
 *
 * <p>Lock held by the caller: the map lock, shared or exclusive, where a method says so.
 */
final class Mm {
  /** The lowest address that is given out; below it a null pointer must fault. */
  static final long LOWEST_ADDRESS = 0x1_0000;

  private static final VarHandle EPOCH;

  static {
    try {
      EPOCH = MethodHandles.lookup().findVarHandle(Mm.class, "epoch", Epoch.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final MemoryManager manager;
  private final String name;
  private final PageTable table;
  private final RankedLock mapLock;
  private final SpaceCounters counters;
  private final HugeLeaves hugeLeaves;
  private final Zapper zapper;

  /** The files that are mapped; guarded by the map lock held exclusively. */
  private final Map<Mappable, FileMappings> files = new IdentityHashMap<>();

  /** Replaced by {@link #install} alone. */
  private volatile VmaList vmas;

  private Epoch epoch = new Epoch(0);

  private volatile boolean closed;

  /** The longest stack in bytes. */
  private volatile long stackLimit = StackGrowth.LIMIT;

  /**
   * Makes the state of an empty address space.
   *
   * @param table its page table, empty and used by no other space
   */
  Mm(MemoryManager manager, String name, PageTable table) {
    this.manager = manager;
    this.name = name;
    this.table = table;
    this.mapLock = new RankedLock(LockOrder.Rank.MAP, "the map lock of " + name);
    this.counters = new SpaceCounters(manager.counters());
    this.hugeLeaves = new HugeLeaves(this);
    this.zapper = new Zapper(this);
    this.vmas = VmaList.empty(manager.rules());
  }

  MemoryManager manager() {
    return manager;
  }

  String name() {
    return name;
  }

  PageTable table() {
    return table;
  }

  SpaceCounters counters() {
    return counters;
  }

  HugeLeaves hugeLeaves() {
    return hugeLeaves;
  }

  Zapper zapper() {
    return zapper;
  }

  /** The mappings in force. Without the map lock they may be replaced at any time. */
  VmaList vmas() {
    return vmas;
  }

  /** The mapping that holds an address, or null. */
  Vma find(long va) {
    return vmas.find(va);
  }

  /** The longest stack in bytes. Linux counterpart: RLIMIT_STACK. */
  long stackLimit() {
    return stackLimit;
  }

  void setStackLimit(long bytes) {
    stackLimit = bytes;
  }

  /** The translation generation: the number of the present epoch. */
  long generation() {
    return epoch().number();
  }

  /** The epoch to look translations up in, unless it has ended already. */
  Epoch epoch() {
    return (Epoch) EPOCH.getAcquire(this);
  }

  /**
   * Pays a duty: makes every cached translation stale by ending the epoch and flushing the
   * processors that use the table, if that is owed. If another thread has begun the next one
   * meanwhile, that one is ended too: it may have begun before the caller's change of an entry was
   * visible, and a reader may have looked the old entry up in it.
   */
  void flush(FlushDuty duty) {
    if (duty == FlushDuty.OWED) {
      Epoch now;
      do {
        now = epoch();
        now.end();
      } while (!EPOCH.compareAndSet(this, now, new Epoch(now.number() + 1)));
      table.flushMmus();
    }
  }

  /** Lets an MMU walk the table; ESRCH if the space has exited. Takes the map lock. */
  void attach(Mmu mmu) throws MapException {
    long stamp = lockToChange();
    try {
      changeMmus(() -> table.attach(mmu));
    } finally {
      unlockExclusively(stamp);
    }
  }

  /** Ends the walks of an MMU. Takes the map lock. */
  void detach(Mmu mmu) {
    long stamp = lockExclusively();
    try {
      changeMmus(() -> table.detach(mmu));
    } finally {
      unlockExclusively(stamp);
    }
  }

  /**
   * Changes the set of MMUs and waits for truncations, which do not take the map lock and may still
   * go by the old one. The map lock is held exclusively.
   */
  private void changeMmus(Runnable change) {
    change.run();
    files.values().forEach(FileMappings::settle);
  }

  /** Takes the map lock shared: the mappings stay as they are, faults may run concurrently. */
  long lockShared() {
    return mapLock.readLock();
  }

  void unlockShared(long stamp) {
    mapLock.unlockRead(stamp);
  }

  /** Takes the map lock exclusively, also of a space that has exited. */
  long lockExclusively() {
    return mapLock.writeLock();
  }

  /** Takes the map lock exclusively to change the mappings; ESRCH if the space has exited. */
  long lockToChange() throws MapException {
    long stamp = mapLock.writeLock();
    if (closed) {
      mapLock.unlockWrite(stamp);
      throw new MapException(Errno.ESRCH, name, "an address space in use", "one that has exited");
    }
    return stamp;
  }

  void unlockExclusively(long stamp) {
    mapLock.unlockWrite(stamp);
  }

  /**
   * Tells whether the space has exited. A walker without the map lock asks after it has noted the
   * generation: if the answer is no, tables are freed only after the generation has moved.
   */
  boolean isClosed() {
    return closed;
  }

  /** Marks the space as exited, before the last flush. The map lock is held exclusively. */
  void close() {
    closed = true;
  }

  /**
   * Puts another list of mappings in force. Files that are new in it are linked first; files that
   * are no longer in it are unlinked afterwards, which waits for their truncations to leave this
   * space. The map lock is held exclusively.
   */
  void install(VmaList next) {
    for (Vma vma : next.toList()) {
      if (!vma.isAnonymous() && !files.containsKey(vma.file())) {
        files.put(vma.file(), manager.reverseMap().link(vma.file(), this));
      }
    }
    hugeLeaves.splitAtBounds(next);
    vmas = next;
    files
        .values()
        .removeIf(
            mappings -> {
              boolean unused = !next.maps(mappings.file());
              if (unused) {
                manager.reverseMap().unlink(mappings, this);
              }
              return unused;
            });
  }

  /** The mappings of a file that this space maps, or null. The map lock is held. */
  FileMappings mappingsOf(Mappable file) {
    return files.get(file);
  }

  /** The signal for an access to a page whose file was cut on the host while it was mapped. */
  MemoryFaultException lostAt(long va) {
    Vma vma = find(va);
    return new MemoryFaultException.BusError(
        va,
        vma == null || vma.isAnonymous()
            ? "the memory behind it is gone"
            : "the file behind %s was cut while mapped, in or after page 0x%x"
                .formatted(vma.file().name(), vma.pageAt(va)),
        null);
  }
}
