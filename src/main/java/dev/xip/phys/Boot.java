package dev.xip.phys;

import dev.xip.base.AddrRange;
import java.util.ArrayList;
import java.util.List;

/**
 * How far the boot of a machine's memory has come, and the models that are told of memory. Guarded
 * by the monitor of its {@link PhysicalMemory}.
 */
final class Boot {
  private final RamBanks banks;
  private final List<MemoryModel> models = new ArrayList<>();
  private BootStep step = BootStep.START;

  Boot(RamBanks banks) {
    this.banks = banks;
  }

  /** Makes the steps up to one. */
  void reach(BootStep last) {
    if (last.compareTo(step) < 0) {
      throw new IllegalStateException("boot step %s: the boot is at %s".formatted(last, step));
    }
    while (step != last) {
      step = BootStep.values()[step.ordinal() + 1];
      models.forEach(model -> tell(model, step));
    }
  }

  /** Tells a model what one step makes known. */
  private void tell(MemoryModel model, BootStep made) {
    for (AddrRange bank : banks.ranges()) {
      switch (made) {
        case STATIC_TABLES -> {
          model.addRam(bank);
          model.map(bank);
        }
        case MEMORY_CHUNKS -> model.addChunk(new MemoryChunk(bank, true));
        case START, SEGMENTS -> {}
      }
    }
  }

  /** Tells a model of the steps that were made and of the segments that were loaded. */
  void attach(MemoryModel model, List<AddrRange> segments) {
    for (int made = 1; made <= step.ordinal(); made++) {
      tell(model, BootStep.values()[made]);
    }
    segments.forEach(each -> add(model, each));
    models.add(model);
  }

  void requireDone(String segment) {
    if (step != BootStep.SEGMENTS) {
      throw new IllegalStateException(
          "region %s: claimed at boot step %s, expected %s"
              .formatted(segment, step, BootStep.SEGMENTS));
    }
  }

  /** A segment is loaded. It is on the list before it is mapped ({@code add_shared_memory}). */
  void added(AddrRange segment) {
    models.forEach(model -> add(model, segment));
  }

  private static void add(MemoryModel model, AddrRange segment) {
    model.addChunk(new MemoryChunk(segment, false));
    model.map(segment);
  }

  /** A segment is unloaded. */
  void removed(AddrRange segment) {
    for (MemoryModel model : models) {
      model.removeChunk(new MemoryChunk(segment, false));
      model.unmap(segment);
    }
  }
}
