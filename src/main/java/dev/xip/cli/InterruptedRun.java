package dev.xip.cli;

import java.util.concurrent.CountDownLatch;

/**
 * While a program runs: a signal that asks the JVM to stop interrupts the thread that runs the
 * program, and the JVM ends when the program does, with its status. Later signals do nothing, as
 * the JVM is stopping already.
 */
final class InterruptedRun implements AutoCloseable {
  private final Thread runner = Thread.currentThread();
  private final CountDownLatch end = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "xip run");
  private volatile int status = Main.FAILED;

  InterruptedRun() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void stop() {
    runner.interrupt();
    try {
      end.await();
    } catch (InterruptedException e) {
      // The JVM ends all the same.
    }
    Runtime.getRuntime().halt(status);
  }

  /** The program has ended. */
  void ended(int code) {
    status = code;
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException stopping) {
      end.countDown();
    }
  }
}
