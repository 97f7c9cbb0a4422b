package dev.xip.phys;

import dev.xip.base.AddrRange;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the questions to another memory model, which answers them. */
public final class CountingModel implements MemoryModel {
  private final MemoryModel model;
  private final AtomicLong questions = new AtomicLong();

  /**
   * Begins with no questions.
   *
   * @param model the model that answers
   */
  public CountingModel(MemoryModel model) {
    this.model = model;
  }

  /** {@return the number of questions since the last {@link #takeQuestions}} */
  public long questions() {
    return questions.get();
  }

  /** {@return the number of questions since the last call} */
  public long takeQuestions() {
    return questions.getAndSet(0);
  }

  @Override
  public String name() {
    return model.name();
  }

  @Override
  public boolean pfnValid(long pfn) {
    questions.incrementAndGet();
    return model.pfnValid(pfn);
  }

  @Override
  public int chunksWalked() {
    return model.chunksWalked();
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
