package dev.xip.host;

import dev.xip.base.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Links functions of libc, with errno captured right after the call, and turns their failures into
 * {@link HostException}.
 */
final class Calls {
  private static final StructLayout STATE = Linker.Option.captureStateLayout();

  /** An offset, as the handle of a field takes a JVM milliseconds to make. */
  private static final long ERRNO = STATE.byteOffset(PathElement.groupElement("errno"));

  private Calls() {}

  /** One invocation of a handle; errno is stored in {@code state}. */
  interface Invocation {
    long run(MemorySegment state) throws Throwable;
  }

  /**
   * Repeats a call while signals interrupt it (EINTR), and turns -1 into an exception. All calls
   * here report failure by -1; mmap and mremap by an address of that value.
   */
  static long call(String name, Supplier<String> arguments, Invocation body) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = allocateState(arena);
      while (true) {
        long result = body.run(state);
        if (result != -1) {
          return result;
        }
        int number = errno(state);
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

  /** The error number that a call has stored. */
  static int errno(MemorySegment state) {
    return state.get(ValueLayout.JAVA_INT, ERRNO);
  }

  static MemorySegment allocateState(Arena arena) {
    return arena.allocate(STATE);
  }

  /**
   * Links a variadic function, the type of whose last argument the binding does not know. The
   * generated invoker takes it, but links a handle of its own and a spreader.
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
