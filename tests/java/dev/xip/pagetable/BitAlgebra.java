package dev.xip.pagetable;

import dev.xip.base.Access;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Property 1 of the memory manager: an entry made special stays special and keeps its frame through
 * any chain of changes, and each change can be read back.
 */
final class BitAlgebra {
  static final List<Access> RIGHTS =
      List.of(
          Access.NONE,
          Access.READ,
          Access.READ_WRITE,
          Access.READ_EXECUTE,
          new Access(true, true, true));

  private static final int CHAINS = 2_000;
  private static final int CHANGES = 30;

  private final EntryLayout layout;
  private final Random random;
  private final List<String> chain = new ArrayList<>();

  private long pte;
  private long pfn;
  private boolean special;
  private boolean present;
  private boolean writable;
  private boolean executable;
  private boolean young;
  private boolean dirty;

  private BitAlgebra(EntryLayout layout, Random random) {
    this.layout = layout;
    this.random = random;
  }

  /** Returns the first chain that broke the property, or null if none did. */
  static String violation(EntryLayout layout, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < CHAINS; i++) {
      BitAlgebra run = new BitAlgebra(layout, random);
      String violation = run.chain();
      if (violation != null) {
        return "%s, -Dxip.seed=%d: %s after %s".formatted(layout, seed, violation, run.chain);
      }
    }
    return null;
  }

  private String chain() {
    // The entry keeps 36 bits of the frame number on every architecture.
    pfn = random.nextLong(1L << random.nextInt(1, 37));
    Access access = RIGHTS.get(random.nextInt(RIGHTS.size()));
    pte = layout.leaf(pfn, access);
    chain.add("leaf 0x%x %s".formatted(pfn, access));
    young = true;
    rights(access);
    special = random.nextBoolean();
    if (special) {
      pte = layout.withSpecial(pte);
      chain.add("special");
    }
    for (int i = 0; i < CHANGES; i++) {
      String wrong = wrong();
      if (wrong != null) {
        return "%s in 0x%x".formatted(wrong, pte);
      }
      change();
    }
    return null;
  }

  private void rights(Access access) {
    writable = access.write();
    executable = access.execute();
    present = !access.equals(Access.NONE);
  }

  private void change() {
    switch (random.nextInt(7)) {
      case 0 -> {
        pte = layout.withoutWrite(pte);
        writable = false;
        chain.add("withoutWrite");
      }
      case 1 -> {
        if (present) {
          pte = layout.withWrite(pte);
          writable = true;
          chain.add("withWrite");
        }
      }
      case 2 -> {
        pte = layout.withOld(pte);
        young = false;
        chain.add("withOld");
      }
      case 3 -> {
        pte = layout.withYoung(pte);
        young = true;
        chain.add("withYoung");
      }
      case 4 -> {
        pte = layout.withClean(pte);
        dirty = false;
        chain.add("withClean");
      }
      case 5 -> {
        pte = layout.withDirty(pte);
        dirty = true;
        chain.add("withDirty");
      }
      default -> {
        Access access = RIGHTS.get(random.nextInt(RIGHTS.size()));
        pte = layout.modify(pte, access);
        rights(access);
        chain.add("modify " + access);
      }
    }
  }

  private String wrong() {
    boolean tracks = layout.isYoung(layout.leaf(0, Access.READ));
    if (layout.pfn(pte) != pfn) {
      return "frame 0x%x".formatted(layout.pfn(pte));
    } else if (layout.isSpecial(pte) != (special && layout.hasSpecialBit())) {
      return "special " + layout.isSpecial(pte);
    } else if (layout.isEmpty(pte) || !layout.isPresent(pte)) {
      return "not present";
    } else if (layout.isYoung(pte) != (young && tracks)) {
      return "young " + layout.isYoung(pte);
    } else if (layout.isDirty(pte) != (dirty && tracks)) {
      return "dirty " + layout.isDirty(pte);
    } else if (!present) {
      return layout.isValid(pte) ? "valid without a right" : null;
    } else if (layout.isWritable(pte) != writable) {
      return "writable " + layout.isWritable(pte);
    } else if (layout.isExecutable(pte) != executable) {
      return "executable " + layout.isExecutable(pte);
    }
    return null;
  }
}
