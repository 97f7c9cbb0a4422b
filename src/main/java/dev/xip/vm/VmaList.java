package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.mapping.Mappable;
import java.util.ArrayList;
import java.util.List;

/**
 * The mappings of one address space at one moment, sorted by address and disjoint. Immutable: a
 * change makes a new list, so a look-up needs no lock and does not allocate.
 *
 * <p>Lock held by the caller: none needed.
 */
final class VmaList {
  private final Vma[] vmas;

  /** The flags of mappings that never merge. */
  private final long special;

  private VmaList(Vma[] vmas, long special) {
    this.vmas = vmas;
    this.special = special;
  }

  /** A list without mappings. */
  static VmaList empty(Rules rules) {
    return new VmaList(new Vma[0], VmaFlags.special(rules));
  }

  /** The mapping that holds an address, or null. Linux counterpart: {@code find_vma}. */
  Vma find(long va) {
    int index = firstEndingAfter(va);
    return index < vmas.length && vmas[index].range().start() <= va ? vmas[index] : null;
  }

  /** The mapping that holds an address, else the next one above it, or null. */
  Vma findNext(long va) {
    int index = firstEndingAfter(va);
    return index < vmas.length ? vmas[index] : null;
  }

  /** The number of the first mapping that ends after an address. */
  private int firstEndingAfter(long va) {
    int low = 0;
    int high = vmas.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (vmas[middle].range().end() > va) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /** How many mappings there are. */
  int size() {
    return vmas.length;
  }

  List<Vma> toList() {
    return List.of(vmas);
  }

  /** Whether one of the mappings maps a file. */
  boolean maps(Mappable file) {
    for (Vma vma : vmas) {
      if (vma.file() == file) {
        return true;
      }
    }
    return false;
  }

  boolean isFree(AddrRange range) {
    int index = firstEndingAfter(range.start());
    return index == vmas.length || vmas[index].range().start() >= range.end();
  }

  /** The highest free place of a length below a ceiling, or -1. */
  long highestGap(long length, long floor, long ceiling) {
    long end = ceiling;
    for (int i = vmas.length - 1; i >= 0; i--) {
      AddrRange taken = vmas[i].range();
      if (taken.end() <= end && end - taken.end() >= length) {
        return end - length;
      }
      end = Math.min(end, taken.start());
    }
    return end - floor >= length ? end - length : -1;
  }

  /**
   * The list with one more mapping, merged with its neighbours where possible. Precondition: its
   * place is free. Linux counterpart: {@code vma_merge} (mm/mmap.c).
   */
  VmaList with(Vma added) {
    int from = firstEndingAfter(added.range().start());
    int to = from;
    Vma merged = added;
    if (from > 0 && vmas[from - 1].isContinuedBy(merged, special)) {
      merged = vmas[--from].joined(merged);
    }
    if (to < vmas.length && merged.isContinuedBy(vmas[to], special)) {
      merged = merged.joined(vmas[to++]);
    }
    return replaced(from, to, merged);
  }

  /** The list with one mapping in place of some. */
  private VmaList replaced(int from, int to, Vma merged) {
    Vma[] next = new Vma[vmas.length + 1 - (to - from)];
    System.arraycopy(vmas, 0, next, 0, from);
    next[from] = merged;
    System.arraycopy(vmas, to, next, from + 1, vmas.length - to);
    return new VmaList(next, special);
  }

  /**
   * The list with other flags on a range, which lies inside one mapping: the mapping is split at
   * the bounds, and the parts merge where possible. Linux counterpart: {@code mprotect_fixup}
   * (mm/mprotect.c).
   */
  VmaList withFlags(AddrRange range, long flags) {
    Vma old = find(range.start());
    return old.flags() == flags
        ? this
        : without(range).with(old.cut(range.start(), range.end()).withFlags(flags));
  }

  /**
   * The list with a mapping extended by one that follows it directly.
   *
   * @param merging whether the longer mapping merges with its neighbours
   */
  VmaList grown(Vma vma, Vma more, boolean merging) {
    Vma longer = vma.joined(more);
    VmaList others = without(vma.range());
    int at = others.firstEndingAfter(longer.range().start());
    return merging ? others.with(longer) : others.replaced(at, at, longer);
  }

  /** The list without a range; mappings that it cuts keep their remaining parts. */
  VmaList without(AddrRange hole) {
    List<Vma> left = new ArrayList<>(vmas.length + 1);
    for (Vma vma : vmas) {
      AddrRange range = vma.range();
      if (!range.overlaps(hole)) {
        left.add(vma);
        continue;
      }
      if (range.start() < hole.start()) {
        left.add(vma.cut(range.start(), hole.start()));
      }
      if (hole.end() < range.end()) {
        left.add(vma.cut(hole.end(), range.end()));
      }
    }
    return new VmaList(left.toArray(Vma[]::new), special);
  }

  /** The mappings that share a byte with a range; none with an empty one. */
  List<Vma> overlapping(AddrRange range) {
    List<Vma> hit = new ArrayList<>();
    if (range.length() == 0) {
      return hit;
    }
    for (int i = firstEndingAfter(range.start());
        i < vmas.length && vmas[i].range().start() < range.end();
        i++) {
      hit.add(vmas[i]);
    }
    return hit;
  }

  /** The end of the last mapping before an address, or the floor. */
  long endBefore(long va, long floor) {
    int index = firstEndingAfter(va) - 1;
    return index < 0 ? floor : Math.max(floor, vmas[index].range().end());
  }

  /** The start of the first mapping at or after an address, or the ceiling. */
  long startAfter(long va, long ceiling) {
    int index = firstEndingAfter(va);
    return index == vmas.length ? ceiling : Math.min(ceiling, vmas[index].range().start());
  }
}
