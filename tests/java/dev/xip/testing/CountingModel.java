package dev.xip.testing;

import dev.xip.base.AddrRange;
import dev.xip.phys.MemoryChunk;
import dev.xip.phys.MemoryModel;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;

/** A memory model that counts its look-ups and delegates them. */
public final class CountingModel implements MemoryModel {
  private final MemoryModel model;
  private final AtomicLong lookUps = new AtomicLong();

  public CountingModel(MemoryModel model) {
    this.model = model;
  }

  public static CountingModel answering(LongPredicate answer) {
    return new CountingModel(
        new MemoryModel() {
          @Override
          public String name() {
            return "scripted";
          }

          @Override
          public boolean pfnValid(long pfn) {
            return answer.test(pfn);
          }
        });
  }

  /** {@return the look-ups since the last call} */
  public long takeLookUps() {
    return lookUps.getAndSet(0);
  }

  @Override
  public String name() {
    return model.name();
  }

  @Override
  public boolean pfnValid(long pfn) {
    lookUps.incrementAndGet();
    return model.pfnValid(pfn);
  }

  @Override
  public void addRam(AddrRange bank) {
    model.addRam(bank);
  }

  @Override
  public void map(AddrRange range) {
    model.map(range);
  }

  @Override
  public void unmap(AddrRange range) {
    model.unmap(range);
  }

  @Override
  public void addChunk(MemoryChunk chunk) {
    model.addChunk(chunk);
  }

  @Override
  public void removeChunk(MemoryChunk chunk) {
    model.removeChunk(chunk);
  }
}
