package dev.xip.history;

import dev.xip.base.AddrRange;
import dev.xip.phys.MemoryChunk;
import dev.xip.phys.MemoryModel;

/** Counts the questions to another memory model. For one thread. */
final class CountingModel implements MemoryModel {
  private final MemoryModel model;
  private long asked;

  CountingModel(MemoryModel model) {
    this.model = model;
  }

  long asked() {
    return asked;
  }

  @Override
  public String name() {
    return model.name();
  }

  @Override
  public boolean pfnValid(long pfn) {
    asked++;
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
