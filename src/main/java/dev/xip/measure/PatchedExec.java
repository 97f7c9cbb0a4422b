package dev.xip.measure;

import dev.xip.base.SleepingInAtomicException;
import dev.xip.file.InPlaceFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.process.ModelledProcess;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Objection a of January 2008 as running code: exec puts the arguments on a new stack through
 * get_user_pages, which asks the normal-page test under a spin lock. On a machine with the patch of
 * 15 January, whose pfn_valid takes {@code vmem_mutex}, that sleeps in atomic context.
 *
 * @param bug what the kernel would have printed; empty if exec ran
 * @param calls the calls that led there, outermost first, those with a counterpart in the kernel's
 */
public record PatchedExec(String bug, List<PatchedExec.Call> calls) {
  /** Our methods and the kernel's functions, in the order in which exec calls them. */
  private static final Map<String, String> COUNTERPARTS = new LinkedHashMap<>();

  static {
    COUNTERPARTS.put("exec", "do_execve");
    COUNTERPARTS.put("copyStrings", "copy_strings");
    COUNTERPARTS.put("getArgPage", "get_arg_page");
    COUNTERPARTS.put("getUserPages", "get_user_pages");
    COUNTERPARTS.put("followPage", "follow_page");
    COUNTERPARTS.put("normalFrame", "vm_normal_page");
    COUNTERPARTS.put("pfnValid", "pfn_valid");
    COUNTERPARTS.put("pfnInSharedMemory", "pfn_in_shared_memory");
    COUNTERPARTS.put("mutexLock", "mutex_lock");
  }

  /**
   * A call.
   *
   * @param ours the method's name
   * @param kernels the name of its counterpart
   */
  public record Call(String ours, String kernels) {}

  /** Copies the list. */
  public PatchedExec {
    calls = List.copyOf(calls);
  }

  /**
   * Runs exec on a machine made for it, with the patch.
   *
   * @param layout the architecture's entries
   * @param program a program
   * @param arguments its arguments
   * @return what became of it
   * @throws IOException if the file is no program, or the host does not give the address space
   */
  public static PatchedExec of(EntryLayout layout, InPlaceFile program, List<String> arguments)
      throws IOException {
    try (NormalPageMachine machine = NormalPageMachine.boot(layout, 1)) {
      // Not closed: exit would ask the same question. The process is freed with the machine.
      ModelledProcess process =
          ModelledProcess.start(machine.manager(FrameStrategy.MEM_SEGS_POSTED), "init");
      process.exec(program, arguments, List.of("HOME=/"));
      return new PatchedExec("", List.of());
    } catch (SleepingInAtomicException e) {
      return new PatchedExec(e.getMessage(), calls(e));
    }
  }

  /** Reads the calls off a stack trace, each method once. */
  private static List<Call> calls(Throwable failure) {
    return Arrays.stream(failure.getStackTrace())
        .map(StackTraceElement::getMethodName)
        .filter(COUNTERPARTS::containsKey)
        .distinct()
        .map(name -> new Call(name, COUNTERPARTS.get(name)))
        .toList()
        .reversed();
  }
}
