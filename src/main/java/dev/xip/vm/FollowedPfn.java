package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;

/**
 * The entry for an address of I/O memory or of page frame numbers, kept as it is until this object
 * is closed: the number has no reference, so nothing else keeps the page. At every level, huge
 * leaves too. For one thread, which may not block or fault until then. Linux counterpart: {@code
 * follow_pfnmap_start} and {@code follow_pfnmap_end} (mm/memory.c, 6da8e9634bb7, 6.12); before,
 * {@link GetUserPages#followPfn} returned the number alone, with no lock held.
 *
 * <p>Lock held by the caller: none; from the start to the end it holds the map lock, shared, and
 * the entry lock.
 */
public final class FollowedPfn implements AutoCloseable {
  private final Mm mm;
  private final EntryLayout layout;
  private final long stamp;
  private final long va;
  private long slot;
  private long entry;
  private Level level;
  private boolean ended;

  private FollowedPfn(Mm mm, long va) {
    this.mm = mm;
    this.layout = mm.table().layout();
    this.va = va;
    this.stamp = mm.lockShared();
  }

  /** Finds the entry and takes the locks; EINVAL as {@link AddressSpace#followPfnMap} says. */
  static FollowedPfn start(Mm mm, long va) throws MapException {
    FollowedPfn result = new FollowedPfn(mm, va);
    boolean found = false;
    try {
      result.find();
      found = true;
      return result;
    } finally {
      if (!found) {
        mm.unlockShared(result.stamp);
      }
    }
  }

  private void find() throws MapException {
    Vma vma = mm.find(va);
    if (vma == null || (vma.flags() & (VmaFlags.IO | VmaFlags.PFNMAP)) == 0) {
      throw refused("a mapping with IO or PFNMAP", vma == null ? "no mapping" : "" + vma);
    }
    PageTable table = mm.table();
    Walk walk = new Walk();
    while (table.walk(va, walk)) {
      slot = walk.slot();
      level = walk.level();
      mm.manager().lockEntry(slot);
      entry = table.get(slot);
      if (level == Level.PTE ? layout.isPresent(entry) : layout.isHugeLeaf(entry, level)) {
        return;
      }
      mm.manager().unlockEntry(slot);
      if (level == Level.PTE) {
        throw refused("a present entry", "entry 0x%x in %s".formatted(entry, vma));
      }
    }
    throw refused("a present entry", "no table in " + vma);
  }

  private MapException refused(String expected, String found) {
    return new MapException(
        Errno.EINVAL, "follow_pfnmap at 0x%x in %s".formatted(va, mm.name()), expected, found);
  }

  /** {@return the page frame number of the address itself, inside a huge leaf too} */
  public Pfn pfn() {
    long offset = va & (1L << layout.shift(level)) - 1;
    return new Pfn(layout.pfn(entry(), level) + (offset >>> Pages.SHIFT));
  }

  /** {@return the level of the leaf, which tells how many pages it maps} */
  public Level level() {
    entry();
    return level;
  }

  /**
   * {@return the leaf itself, with its protection}
   *
   * @throws IllegalStateException if this object was closed: the entry may be another by now
   */
  public long entry() {
    if (ended) {
      throw new IllegalStateException(
          "follow_pfnmap at 0x%x: expected use before the end, found it ended".formatted(va));
    }
    return entry;
  }

  /** {@return whether the leaf lets stores through} */
  public boolean isWritable() {
    return layout.isWritable(entry());
  }

  /**
   * {@return whether the leaf says that there is no page frame; false at levels, and on
   * architectures, that cannot say so}
   */
  public boolean isSpecial() {
    return layout.isSpecial(entry(), level);
  }

  /** Releases the locks; a second call does nothing. */
  @Override
  public void close() {
    if (!ended) {
      ended = true;
      mm.manager().unlockEntry(slot);
      mm.unlockShared(stamp);
    }
  }
}
