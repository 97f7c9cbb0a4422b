package dev.xip.linux;

import dev.xip.cpu.Processors;
import dev.xip.machine.Mount;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.util.List;

/** A program that runs out of a segment, with all processes that it starts. */
public final class Program {
  private Program() {}

  /**
   * Runs a program to its end. Processes that are left then are killed. An interrupt of the calling
   * thread sends it SIGINT.
   *
   * @param manager the machine's memory manager
   * @param processors the machine's processors
   * @param mount the image, which is the root file system
   * @param path the program in it
   * @param arguments the arguments, the program's name by custom the first
   * @param environment the environment, each {@code NAME=value}
   * @param streams what its descriptors 0 to 2 are
   * @return how it ended
   * @throws IOException if it cannot be started, or the system refuses
   */
  public static ProgramResult run(
      MemoryManager manager,
      Processors processors,
      Mount mount,
      String path,
      List<String> arguments,
      List<String> environment,
      StandardStreams streams)
      throws IOException {
    return new Kernel(manager, processors, new ImageFiles(mount))
        .run(path, arguments, environment, streams);
  }
}
