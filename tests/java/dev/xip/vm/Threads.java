package dev.xip.vm;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Threads that start together, and threads that are stopped at a step. */
final class Threads {
  private static final long SECONDS = 60;

  private Threads() {}

  /** Starts all at once, waits for all, and throws the first exception of one of them. */
  static <T> List<T> together(List<Callable<T>> work) {
    CyclicBarrier start = new CyclicBarrier(work.size());
    List<FutureTask<T>> tasks = new ArrayList<>();
    for (Callable<T> each : work) {
      tasks.add(
          start(
              () -> {
                start.await(SECONDS, TimeUnit.SECONDS);
                return each.call();
              }));
    }
    return tasks.stream().map(Threads::join).toList();
  }

  static <T> FutureTask<T> start(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    return task;
  }

  static <T> T join(FutureTask<T> task) {
    try {
      return task.get(SECONDS, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("a thread failed or hung", e);
    }
  }

  /** Stops the first thread that reaches a step until it is released. */
  static final class Gate implements Step.Hook {
    private final Step where;
    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    Gate(Step where) {
      this.where = where;
    }

    @Override
    public void reached(Step step) {
      synchronized (this) {
        if (step != where || arrived.getCount() == 0) {
          return;
        }
        arrived.countDown();
      }
      await(opened);
    }

    void awaitArrival() {
      await(arrived);
    }

    void open() {
      opened.countDown();
    }

    private static void await(CountDownLatch latch) {
      try {
        if (!latch.await(SECONDS, TimeUnit.SECONDS)) {
          throw new AssertionError("no thread has reached the step");
        }
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
