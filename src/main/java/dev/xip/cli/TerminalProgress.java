package dev.xip.cli;

import dev.xip.base.ProgressListener;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress bar on standard error, shown if that is a terminal and the work takes more than a
 * second.
 */
final class TerminalProgress implements ProgressListener, AutoCloseable {
  private static final long PATIENCE_NANOS = 1_000_000_000;

  private final String task;
  private final String unit;
  private final long unitSize;
  private final boolean terminal = Output.isTerminal(2);
  private final long started = System.nanoTime();
  private ProgressBar bar;

  private TerminalProgress(String task, String unit, long unitSize) {
    this.task = task;
    this.unit = unit;
    this.unitSize = unitSize;
  }

  /** Progress in bytes, shown in MiB. */
  static TerminalProgress ofBytes(String task) {
    return new TerminalProgress(task, " MiB", 1 << 20);
  }

  /** Progress in files. */
  static TerminalProgress ofFiles(String task) {
    return new TerminalProgress(task, " files", 1);
  }

  /** Progress in steps of a story. */
  static TerminalProgress ofSteps(String task) {
    return new TerminalProgress(task, " steps", 1);
  }

  /** Progress in figures of a comparison. */
  static TerminalProgress ofFigures(String task) {
    return new TerminalProgress(task, " figures", 1);
  }

  @Override
  public void at(long done, long total) {
    if (bar == null) {
      if (!terminal || System.nanoTime() - started < PATIENCE_NANOS) {
        return;
      }
      bar =
          new ProgressBarBuilder()
              .setTaskName(Printable.onTerminal(task))
              .setUnit(unit, unitSize)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .clearDisplayOnFinish()
              .build();
    }
    bar.maxHint(total);
    bar.stepTo(done);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
