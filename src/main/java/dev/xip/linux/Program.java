package dev.xip.linux;

import dev.xip.cpu.Processors;
import dev.xip.vfs.Vfs;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * A program that is to run out of a segment, with all processes that it starts.
 *
 * @param path where it is in the image
 * @param arguments the arguments, the program's name by custom the first
 * @param environment the environment, each {@code NAME=value}
 * @param streams what its descriptors 0 to 2 are
 * @param trace takes a line for each system call, signal and end of a process, from the thread of
 *     the process; null for none
 * @param directory its working directory, which a path that is not absolute starts from
 * @param limit the time after which all processes are killed; null for none
 * @param accounted whether its memory is checked, and the result has an account
 * @param maps takes the mappings of each address space as text before it is given back, from the
 *     thread of the process; null for none. Only if accounted
 */
public record Program(
    String path,
    List<String> arguments,
    List<String> environment,
    StandardStreams streams,
    Consumer<String> trace,
    String directory,
    Duration limit,
    boolean accounted,
    Consumer<String> maps) {
  /**
   * The rules of a machine that is made for programs: a fault is a round trip from user mode to
   * here, so it maps as many pages as any table holds. Linux counterpart: {@code
   * fault_around_bytes} (mm/memory.c), which debugfs sets.
   */
  public static final Rules RULES = Rules.DEFAULT.withFaultAround(Rules.MOST_FAULT_AROUND);

  /**
   * A program in the root directory, without limit and account.
   *
   * @param path where it is in the image
   * @param arguments the arguments
   * @param environment the environment
   * @param streams what its descriptors 0 to 2 are
   * @param trace takes a line for each system call, signal and end of a process; null for none
   */
  public Program(
      String path,
      List<String> arguments,
      List<String> environment,
      StandardStreams streams,
      Consumer<String> trace) {
    this(path, arguments, environment, streams, trace, "/", null, false, null);
  }

  /**
   * Has the memory checked, and an account made.
   *
   * @param maps takes the mappings as text; null for none
   * @return the program
   */
  public Program withAccount(Consumer<String> maps) {
    return new Program(path, arguments, environment, streams, trace, directory, limit, true, maps);
  }

  /**
   * Changes the working directory.
   *
   * @param other a path in the image
   * @return the program
   */
  public Program in(String other) {
    return new Program(path, arguments, environment, streams, trace, other, limit, accounted, maps);
  }

  /**
   * Limits the time.
   *
   * @param most the time after which all processes are killed; null for no limit
   * @return the program
   */
  public Program within(Duration most) {
    return new Program(
        path, arguments, environment, streams, trace, directory, most, accounted, maps);
  }

  /**
   * Runs it to its end. Processes that are left then are killed. An interrupt of the calling thread
   * sends SIGINT to the program and to the processes of its group, as ^C does.
   *
   * @param manager the machine's memory manager
   * @param processors the machine's processors
   * @param files the files that it sees
   * @return how it ended
   * @throws CannotExecuteException if it cannot be started
   * @throws IOException if the working directory is none, or the system refuses
   */
  public ProgramResult run(MemoryManager manager, Processors processors, Vfs files)
      throws IOException {
    return new Kernel(manager, processors, files, this).run();
  }
}
