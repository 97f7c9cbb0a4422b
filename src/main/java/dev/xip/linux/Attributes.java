package dev.xip.linux;

/**
 * What a task has of limits, rights and scheduling: noted and given back, and for the most part
 * without effect. Linux counterpart: fields of {@code struct task_struct}.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}, if the task is not its own.
 */
final class Attributes {
  /** A bit for each processor of the host that is shown. */
  static final long PROCESSORS =
      -1L >>> Long.SIZE - Math.min(Runtime.getRuntime().availableProcessors(), Long.SIZE);

  final Credentials credentials;
  final Limits limits;
  int nice;
  int policy;
  int priority;
  long processors = PROCESSORS;
  int personality;

  /** The signal that it gets when its parent ends, 0 for none. */
  int deathSignal;

  boolean dumpable = true;
  boolean gainsNothing;

  /** Whether it has run another program since it was forked. */
  boolean hasExeced;

  private Attributes(Credentials credentials, Limits limits) {
    this.credentials = credentials;
    this.limits = limits;
  }

  /** Those of the first task. */
  Attributes() {
    this(new Credentials(), new Limits());
  }

  /** Those of a child. */
  Attributes forked() {
    Attributes child = new Attributes(credentials.forked(), limits.forked());
    child.nice = nice;
    child.policy = policy;
    child.priority = priority;
    child.processors = processors;
    child.personality = personality;
    child.dumpable = dumpable;
    child.gainsNothing = gainsNothing;
    return child;
  }

  /** The program is replaced. */
  void exec() {
    credentials.exec();
    dumpable = true;
    hasExeced = true;
  }
}
