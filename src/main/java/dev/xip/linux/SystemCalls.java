package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.HostException;
import dev.xip.host.Register;
import dev.xip.host.SystemRegisters;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** The system calls of x86-64 by their numbers (arch/x86/entry/syscalls/syscall_64.tbl). */
final class SystemCalls {
  private static final int ARCH_SET_GS = 0x1001;
  private static final int ARCH_SET_FS = 0x1002;
  private static final int PR_GET_NAME = 16;
  private static final int NAME_BYTES = 16;
  private static final int AT_EMPTY_PATH = 0x1000;

  private final VirtualProcessor processor;
  private final UserMemory memory;
  private final MemoryCalls memoryCalls;
  private final IdentityCalls identity;
  private final SignalTable signals = new SignalTable();
  private final StandardStreams streams;
  private final String name;
  private final Map<Integer, Integer> missing = new TreeMap<>();

  /** The status that the program has exited with, or null. */
  private Integer exitStatus;

  SystemCalls(
      VirtualProcessor processor,
      UserMemory memory,
      MemoryCalls memoryCalls,
      IdentityCalls identity,
      StandardStreams streams,
      String name) {
    this.processor = processor;
    this.memory = memory;
    this.memoryCalls = memoryCalls;
    this.identity = identity;
    this.streams = streams;
    this.name = name;
  }

  Integer exitStatus() {
    return exitStatus;
  }

  Map<Integer, Integer> missing() {
    return missing;
  }

  /** Performs the call that the registers hold and puts the result into RAX. */
  void perform() throws HostException {
    long result;
    try {
      result = call((int) processor.get(Register.RAX));
    } catch (MemoryFaultException e) {
      result = -Errno.EFAULT.number();
    } catch (MapException e) {
      result = -e.errno().number();
    } catch (HostException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      result = -Errno.EINVAL.number();
    } catch (IOException e) {
      result = -Errno.EIO.number();
    }
    processor.set(Register.RAX, result);
  }

  private long call(int number) throws IOException {
    long a = processor.get(Register.RDI);
    long b = processor.get(Register.RSI);
    long c = processor.get(Register.RDX);
    long d = processor.get(Register.R10);
    return switch (number) {
      case 0 -> streams.read(memory, a, b, c);
      case 1 -> streams.write(memory, a, b, c);
      case 5 -> StandardStreams.stat(memory, a, b);
      case 9 -> memoryCalls.map(a, b, (int) c, (int) d);
      case 10 -> memoryCalls.protect(a, b, (int) c);
      case 11 -> memoryCalls.unmap(a, b);
      case 12 -> memoryCalls.brk(a);
      case 13 -> signals.action(memory, (int) a, b, c);
      case 14 -> signals.mask(memory, (int) a, b, c);
      // No descriptor is a terminal.
      case 16 -> a <= 2 ? -Errno.ENOTTY.number() : -Errno.EBADF.number();
      case 20 -> streams.writev(memory, a, b, c);
      case 39, 186, 218 -> IdentityCalls.PROCESS;
      case 60, 231 -> exit((int) a);
      case 63 -> identity.uname(a);
      case 72 -> StandardStreams.control(a, (int) b);
      case 79 -> identity.workingDirectory(a, b);
      case 89 -> identity.readLink(a, b, c);
      case 102, 104, 107, 108 -> IdentityCalls.USER;
      case 110 -> 0;
      case 157 -> processControl((int) a, b);
      case 158 -> setBase((int) a, b);
      case 228 -> identity.clock((int) a, b);
      // There are no files yet.
      case 2, 4, 6, 21, 257 -> -Errno.ENOENT.number();
      case 262 ->
          (d & AT_EMPTY_PATH) != 0 && memory.path(b).isEmpty()
              ? StandardStreams.stat(memory, a, c)
              : -Errno.ENOENT.number();
      case 302 -> identity.limits((int) b, c, d);
      case 318 -> identity.getRandom(a, b);
      default -> {
        missing.merge(number, 1, Integer::sum);
        yield -Errno.ENOSYS.number();
      }
    };
  }

  private long exit(int status) {
    exitStatus = status & 0xff;
    return 0;
  }

  private long processControl(int what, long va) throws MemoryFaultException {
    if (what != PR_GET_NAME) {
      return -Errno.EINVAL.number();
    }
    memory.putString(va, name.substring(0, Math.min(name.length(), NAME_BYTES - 1)), NAME_BYTES);
    return 0;
  }

  /** arch_prctl(2). */
  private long setBase(int what, long base) throws HostException {
    if (what != ARCH_SET_FS && what != ARCH_SET_GS) {
      return -Errno.EINVAL.number();
    }
    SystemRegisters system = processor.kvm().systemRegisters();
    if (what == ARCH_SET_FS) {
      system.setFsBase(base);
    } else {
      system.setGsBase(base);
    }
    processor.kvm().setSystemRegisters();
    return 0;
  }
}
