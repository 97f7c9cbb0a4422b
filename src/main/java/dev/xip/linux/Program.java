package dev.xip.linux;

import dev.xip.cpu.Processors;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
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
 */
public record Program(
    String path,
    List<String> arguments,
    List<String> environment,
    StandardStreams streams,
    Consumer<String> trace) {
  /**
   * Runs it to its end. Processes that are left then are killed. An interrupt of the calling thread
   * sends SIGINT to the program and to the processes of its group, as ^C does.
   *
   * @param manager the machine's memory manager
   * @param processors the machine's processors
   * @param files the root file system
   * @return how it ended
   * @throws IOException if it cannot be started, or the system refuses
   */
  public ProgramResult run(MemoryManager manager, Processors processors, ImageFiles files)
      throws IOException {
    return new Kernel(manager, processors, files, trace).run(this);
  }
}
