package dev.xip.linux;

import dev.xip.host.HostEvents;
import dev.xip.host.HostException;
import dev.xip.host.HostSignals;
import dev.xip.host.HostStream;
import java.util.List;

/**
 * What happens on the host and concerns tasks: streams become ready, signals come. A thread waits
 * for it, and notifies those that wait on the kernel's monitor.
 */
final class HostLink implements AutoCloseable {
  /** How many requests to end are handed on before all tasks are killed. */
  private static final int MOST_REQUESTS = 2;

  private final Kernel kernel;

  /** Null if signals are not handed on, and the process is not stopped. */
  private final HostSignals signals;

  private final HostEvents events;
  private final Thread thread;
  private int requests;

  HostLink(Kernel kernel, HostSignals signals) throws HostException {
    this.kernel = kernel;
    this.signals = signals;
    this.events = new HostEvents(signals);
    this.thread = Thread.ofPlatform().daemon().name("events of the host").unstarted(this::run);
  }

  /** Begins to wait. Precondition: there is a first task. */
  void start() {
    thread.start();
  }

  /** Has those notified that wait on the kernel's monitor when a stream is ready, once. */
  void watch(HostStream stream, int wanted) {
    events.watch(stream, wanted);
  }

  private void run() {
    List<HostSignals.Note> notes;
    while ((notes = events.await()) != null) {
      synchronized (kernel) {
        notes.forEach(this::handOn);
        kernel.notifyAll();
      }
    }
  }

  /**
   * Keys and the window's size concern the foreground group, as does a terminal that is gone; what
   * a process sends is for the first task.
   */
  private void handOn(HostSignals.Note note) {
    int signal = note.number();
    SignalInfo info = SignalInfo.fromKernel(signal, "signal %d of the host".formatted(signal));
    if (note.fromTerminal() || signal == Signal.SIGWINCH) {
      kernel.sendGroup(kernel.foreground(), info);
      if (signal != Signal.SIGHUP) {
        return;
      }
    } else if (Signal.isRequestToEnd(signal) && ++requests > MOST_REQUESTS) {
      kernel.killAll("signal %d of the host".formatted(signal));
      return;
    }
    kernel.send(kernel.first(), info);
  }

  /** Whether the host's shell can continue the first task's group. */
  boolean hasJobControl() {
    return signals != null;
  }

  /**
   * The first task has stopped, or all tasks: this process stops too, and when it goes on, so does
   * the first task's group. Precondition: the kernel's monitor is held.
   */
  void stop(int signal) {
    if (signals != null) {
      signals.stop(signal);
      kernel.sendGroup(
          kernel.first().group(), SignalInfo.fromKernel(Signal.SIGCONT, "the host goes on"));
    }
  }

  @Override
  public void close() {
    events.end();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    events.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
