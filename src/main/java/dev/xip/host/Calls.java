package dev.xip.host;

import dev.xip.base.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * How a function of libc is linked, with errno captured right behind it, and the one door from a
 * return code to a {@link HostException}.
 */
final class Calls {
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(PathElement.groupElement("errno"));

  private Calls() {}

  /** One invocation of a handle with the memory that errno goes to. */
  interface Invocation {
    long run(MemorySegment state) throws Throwable;
  }

  /**
   * Runs a call until no signal interrupts it, and turns -1 into an exception. All calls here tell
   * failure by -1, mmap and mremap by an address of that value.
   */
  static long call(String name, Supplier<String> arguments, Invocation body) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = allocateState(arena);
      while (true) {
        long result = body.run(state);
        if (result != -1) {
          return result;
        }
        int number = (int) ERRNO.get(state, 0L);
        if (number != Errno.EINTR.number()) {
          throw new HostException(name, arguments.get(), number);
        }
      }
    } catch (HostException | RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  static MemorySegment allocateState(Arena arena) {
    return arena.allocate(STATE);
  }

  /**
   * Links a function with a variable argument, whose type the binding does not know. The generated
   * invoker could tell it, but links a handle of its own and a spreader on the way.
   */
  static MethodHandle linkVariadic(
      MemorySegment address, FunctionDescriptor descriptor, int fixedArguments) {
    return link(address, descriptor, Linker.Option.firstVariadicArg(fixedArguments));
  }

  @SuppressWarnings("restricted")
  static MethodHandle link(
      MemorySegment address, FunctionDescriptor descriptor, Linker.Option... more) {
    Linker.Option[] options = Arrays.copyOf(more, more.length + 1);
    options[more.length] = Linker.Option.captureCallState("errno");
    return Linker.nativeLinker().downcallHandle(address, descriptor, options);
  }
}
