package dev.xip.host;

import dev.xip.bindings.Kvm;
import dev.xip.bindings.Libc;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/**
 * The calls about KVM: ioctl(2) with one argument. Arguments are taken as they are: callers have
 * checked them.
 */
final class KvmCalls {
  /** Takes the memory for errno, the descriptor, the request and a number or an address. */
  static final MethodHandle IOCTL =
      Calls.linkVariadic(
          Kvm.ioctl.address(),
          FunctionDescriptor.of(Libc.C_INT, Libc.C_INT, Libc.C_LONG, Libc.C_LONG),
          2);

  private KvmCalls() {}

  /** Makes a request whose argument is a number. */
  static int request(int fd, String name, long request, long argument) throws HostException {
    return (int)
        Calls.call(
            name,
            () -> "0x%x".formatted(argument),
            state -> (int) IOCTL.invokeExact(state, fd, request, argument));
  }

  /** Makes a request whose argument is a struct. */
  static int request(int fd, String name, long request, MemorySegment struct, String what)
      throws HostException {
    long address = struct.address();
    try {
      return (int)
          Calls.call(
              name, () -> what, state -> (int) IOCTL.invokeExact(state, fd, request, address));
    } finally {
      Reference.reachabilityFence(struct);
    }
  }
}
