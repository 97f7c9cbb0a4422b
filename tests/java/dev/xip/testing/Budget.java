package dev.xip.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.host.MappingBudget;

/** The budget of mappings, which all tests of a JVM share. */
public final class Budget {
  private static final int COLLECTIONS = 200;

  private Budget() {}

  /**
   * Waits until the collector has unmapped what tests before have mapped and no longer use.
   *
   * @throws InterruptedException if this thread is interrupted
   */
  public static void awaitNothingTaken() throws InterruptedException {
    for (int i = 0; MappingBudget.taken() > 0 && i < COLLECTIONS; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertThat(MappingBudget.taken()).isZero();
  }
}
