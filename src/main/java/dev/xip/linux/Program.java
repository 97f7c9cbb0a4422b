package dev.xip.linux;

import dev.xip.base.Pages;
import dev.xip.cpu.Exit;
import dev.xip.cpu.Processors;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.elf.LoadableSegment;
import dev.xip.elf.ProgramHeader;
import dev.xip.file.InPlaceFile;
import dev.xip.host.Register;
import dev.xip.machine.Mount;
import dev.xip.process.ModelledProcess;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.MemoryFaultException;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A program that runs out of a segment, in one process, from its first instruction or that of its
 * interpreter on.
 */
public final class Program {
  private static final int PT_INTERP = 3;
  private static final int LONGEST_PATH = 4096;
  private static final int SIGNALLED = 128;
  private static final int SIGINT = 2;
  private static final int SIGILL = 4;
  private static final int SIGTRAP = 5;
  private static final int SIGBUS = 7;
  private static final int SIGFPE = 8;
  private static final int SIGKILL = 9;
  private static final int SIGSEGV = 11;

  private final VirtualProcessor processor;
  private final AddressSpace space;
  private final SystemCalls calls;
  private long systemCalls;
  private long faults;

  private Program(VirtualProcessor processor, ModelledProcess process, SystemCalls calls) {
    this.processor = processor;
    this.space = process.space();
    this.calls = calls;
  }

  /**
   * Runs a program to its end. The calling thread is its processor.
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
    ImageFiles files = new ImageFiles(mount);
    InPlaceFile file = files.program(path);
    try (ModelledProcess process = ModelledProcess.start(manager, path);
        VirtualProcessor processor = processors.take()) {
      process.exec(file, arguments, environment);
      UserMemory memory = new UserMemory(process.space());
      String interpreter = interpreter(process, file);
      ModelledProcess.Interpreter mapped =
          interpreter == null
              ? new ModelledProcess.Interpreter(0, process.entry())
              : process.mapInterpreter(files.program(interpreter));
      long stack = new InitialStack(process, memory).write(mapped.bias());
      SystemCalls calls =
          new SystemCalls(
              processor,
              memory,
              new MemoryCalls(process.space(), heapStart(process)),
              new IdentityCalls(memory, path),
              streams,
              new FileCalls(files, memory, streams),
              path.substring(path.lastIndexOf('/') + 1));
      processor.use(process.space());
      processor.set(Register.RIP, mapped.entry());
      processor.set(Register.RSP, stack);
      return new Program(processor, process, calls).run();
    }
  }

  /** The path in PT_INTERP, or null: then the program is static. */
  private static String interpreter(ModelledProcess process, InPlaceFile file) throws IOException {
    for (ProgramHeader header : process.image().headers()) {
      if (header.type() == PT_INTERP && header.fileSize() > 1) {
        byte[] path = new byte[(int) Math.min(header.fileSize(), LONGEST_PATH) - 1];
        file.read(header.offset(), MemorySegment.ofArray(path));
        return new String(path, StandardCharsets.ISO_8859_1);
      }
    }
    return null;
  }

  /** The heap begins behind the last segment. */
  private static long heapStart(ModelledProcess process) {
    List<LoadableSegment> segments = process.image().segments();
    return Pages.roundUp(segments.getLast().pages().end() + process.bias());
  }

  private ProgramResult run() throws IOException {
    while (true) {
      ProgramResult end =
          switch (processor.run()) {
            case Exit.SystemCall call -> systemCall();
            case Exit.PageFault fault -> pageFault(fault);
            case Exit.Trap(int vector, long errorCode) ->
                signalled(signal(vector), "exception " + vector);
            case Exit.StrayAccess stray -> signalled(SIGBUS, stray.toString());
            case Exit.Interrupted interrupted -> signalled(SIGINT, "interrupted");
            case Exit.Failed(String why) -> signalled(SIGBUS, why);
          };
      if (end != null) {
        return end;
      }
    }
  }

  private ProgramResult systemCall() throws IOException {
    systemCalls++;
    calls.perform();
    return calls.exitStatus() == null ? null : ended(calls.exitStatus(), null);
  }

  private ProgramResult pageFault(Exit.PageFault fault) {
    if (space.fault(fault.address(), fault.access())
        instanceof FaultResult.Refused(MemoryFaultException cause)) {
      int signal =
          switch (cause) {
            case MemoryFaultException.SegmentationFault s -> SIGSEGV;
            case MemoryFaultException.BusError b -> SIGBUS;
            case MemoryFaultException.OutOfMemory o -> SIGKILL;
          };
      return signalled(signal, cause.getMessage());
    }
    faults++;
    return null;
  }

  /** The signal of an exception. Linux counterpart: arch/x86/kernel/traps.c. */
  private static int signal(int vector) {
    return switch (vector) {
      case 0, 16, 19 -> SIGFPE;
      case 1, 3 -> SIGTRAP;
      case 6 -> SIGILL;
      case 17 -> SIGBUS;
      default -> SIGSEGV;
    };
  }

  private ProgramResult signalled(int signal, String why) {
    String place = "%s at 0x%x".formatted(why, processor.get(Register.RIP));
    return ended(SIGNALLED + signal, place);
  }

  private ProgramResult ended(int status, String reason) {
    return new ProgramResult(status, reason, systemCalls, faults, calls.missing());
  }
}
