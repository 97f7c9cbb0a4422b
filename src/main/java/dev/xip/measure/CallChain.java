package dev.xip.measure;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The calls that led to an exception, those with a counterpart in the kernel's. */
public final class CallChain {
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

  private CallChain() {}

  /**
   * Reads the calls off a stack trace.
   *
   * @param failure an exception
   * @return the calls, outermost first, each method once
   */
  public static List<Call> of(Throwable failure) {
    return Arrays.stream(failure.getStackTrace())
        .map(StackTraceElement::getMethodName)
        .filter(COUNTERPARTS::containsKey)
        .distinct()
        .map(name -> new Call(name, COUNTERPARTS.get(name)))
        .toList()
        .reversed();
  }
}
