package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Verifier;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A random history of processes, the same for each strategy, and its counts after every step. */
final class SameHistory {
  private static final int MOST_SPACES = 6;
  private static final int MOST_MAPPINGS = 8;
  private static final int PAGES = 16;

  private final Trial trial;
  private final Random random;
  private final List<AddressSpace> spaces = new ArrayList<>();
  private long digest;

  private SameHistory(Trial trial, long seed) {
    this.trial = trial;
    this.random = new Random(seed);
  }

  /** {@return what the counts were after every step, as a digest, and at the end} */
  static String run(FrameStrategy strategy, int steps, long seed) throws IOException {
    try (Trial trial = Trial.of(strategy)) {
      SameHistory history = new SameHistory(trial, seed);
      for (int i = 0; i < steps; i++) {
        history.step();
      }
      List<String> wrong = Verifier.verify(trial.manager());
      history.spaces.forEach(AddressSpace::close);
      return "counts of all steps %08x, differences %s, left over %d"
          .formatted((int) history.digest, wrong, history.counted());
    }
  }

  private void step() throws IOException {
    if (spaces.isEmpty()) {
      spaces.add(trial.manager().newAddressSpace("first"));
    }
    AddressSpace space = spaces.get(random.nextInt(spaces.size()));
    List<Vma> vmas = space.vmas();
    switch (random.nextInt(12)) {
      case 0, 1 -> map(space, vmas.size());
      case 2 -> {
        if (spaces.size() < MOST_SPACES) {
          spaces.add(space.fork("child"));
        }
      }
      case 3 -> {
        if (spaces.size() > 1) {
          spaces.remove(space);
          space.close();
        }
      }
      case 4 -> {
        if (!vmas.isEmpty()) {
          space.unmap(vmas.get(random.nextInt(vmas.size())).range());
        }
      }
      default -> {
        if (!vmas.isEmpty()) {
          touch(space, vmas.get(random.nextInt(vmas.size())));
        }
      }
    }
    digest = digest * 31 + counted();
  }

  private void map(AddressSpace space, int mappings) throws IOException {
    boolean segment = random.nextBoolean();
    if (mappings < MOST_MAPPINGS) {
      space.map(
          segment
              ? MapRequest.privately(trial.machine().spread(PAGES), Access.READ_WRITE)
              : MapRequest.anonymous(PAGES << Pages.SHIFT, Access.READ_WRITE));
    }
  }

  private void touch(AddressSpace space, Vma vma) throws IOException {
    AddrRange range = vma.range();
    long va = range.start() + ((long) random.nextInt(PAGES) << Pages.SHIFT);
    if (range.contains(va)) {
      AddrRange page = AddrRange.ofLength(va, Pages.SIZE);
      Trial.touch(space, page, random.nextBoolean() ? Access.READ : Access.WRITE);
    }
  }

  /** The pages that are counted in page frames. */
  private long counted() {
    MemoryManager manager = trial.manager();
    return manager.anonymousFrames() + 1000 * manager.fileFrames();
  }
}
