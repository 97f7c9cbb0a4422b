package dev.xip.demo;

import dev.xip.file.InPlaceFile;
import dev.xip.machine.Machine;
import dev.xip.measure.PatchedExec;
import dev.xip.pagetable.EntryLayout;
import dev.xip.process.ExecException;
import dev.xip.process.ModelledProcess;
import java.io.IOException;
import java.util.List;

/**
 * Objection (a) of the 2008 thread as running code: exec copies the arguments to a new stack
 * through get_user_pages, which applies the normal-page test under a spin lock. With the special
 * bit that works; with the patch of 15 January, whose pfn_valid takes {@code vmem_mutex}, every
 * exec of the machine sleeps in atomic context.
 *
 * @param program the program, of which only the headers are used; empty if the image has none
 * @param arguments the arguments, read back from the new stack
 * @param mappings the number of mappings of the new program
 * @param bug the message of the machine with the patch
 * @param chain the calls that led there, outermost first
 */
public record ExecAct(
    String program, List<String> arguments, int mappings, String bug, List<String> chain) {
  /** Copies the lists. */
  public ExecAct {
    arguments = List.copyOf(arguments);
    chain = List.copyOf(chain);
  }

  /**
   * Runs the act.
   *
   * @param machine a machine with the special bit
   * @param layout entries with a special bit, for the machine with the mutex
   * @param program a file of an image
   * @return the results, or null if the file is not a program
   * @throws IOException if a mapping or an access fails
   */
  static ExecAct play(Machine machine, EntryLayout layout, InPlaceFile program) throws IOException {
    List<String> arguments = List.of(program.name(), "in", "place");
    try (ModelledProcess process = ModelledProcess.start(machine.memoryManager(), "exec")) {
      process.exec(program, arguments, List.of("HOME=/"));
      PatchedExec patched = PatchedExec.of(layout, program, arguments);
      return new ExecAct(
          program.name(),
          process.arguments(),
          process.space().vmas().size(),
          patched.bug(),
          patched.calls().stream().map(PatchedExec.Call::ours).toList());
    } catch (ExecException e) {
      return null;
    }
  }
}
