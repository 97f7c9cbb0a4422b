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
  private static final long AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;

  private final VirtualProcessor processor;
  private final UserMemory memory;
  private final MemoryCalls memoryCalls;
  private final IdentityCalls identity;
  private final SignalTable signals = new SignalTable();
  private final StandardStreams streams;
  private final FileCalls files;
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
      FileCalls files,
      String name) {
    this.processor = processor;
    this.memory = memory;
    this.memoryCalls = memoryCalls;
    this.identity = identity;
    this.streams = streams;
    this.files = files;
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
      result = -ImageFiles.errno(e).number();
    }
    processor.set(Register.RAX, result);
  }

  private long call(int number) throws IOException {
    long a = processor.get(Register.RDI);
    long b = processor.get(Register.RSI);
    long c = processor.get(Register.RDX);
    long d = processor.get(Register.R10);
    return switch (number) {
      case 0 -> files.read(a, b, c);
      case 1 -> streams.write(memory, a, b, c);
      case 2 -> files.open(memory.path(a), (int) b);
      case 3 -> files.close(a);
      case 4 -> files.stat(AT_FDCWD, a, b, 0);
      case 5 -> files.stat(a, b);
      case 6 -> files.stat(AT_FDCWD, a, b, AT_SYMLINK_NOFOLLOW);
      case 8 -> files.seek(a, b, (int) c);
      case 9 -> map(a, b, (int) c, (int) d);
      case 10 -> memoryCalls.protect(a, b, (int) c);
      case 11 -> memoryCalls.unmap(a, b);
      case 12 -> memoryCalls.brk(a);
      case 13 -> signals.action(memory, (int) a, b, c);
      case 14 -> signals.mask(memory, (int) a, b, c);
      // No descriptor is a terminal.
      case 16 -> -Errno.ENOTTY.number();
      case 17 -> files.readAt(a, b, c, d);
      case 20 -> streams.writev(memory, a, b, c);
      case 21 -> files.access(memory.path(a), (int) b);
      case 39, 186, 218 -> IdentityCalls.PROCESS;
      case 60, 231 -> exit((int) a);
      case 63 -> identity.uname(a);
      case 72 -> files.control(a, (int) b);
      case 79 -> identity.workingDirectory(a, b);
      case 89 -> readLink(a, b, c);
      case 102, 104, 107, 108 -> IdentityCalls.USER;
      case 110 -> 0;
      case 157 -> processControl((int) a, b);
      case 158 -> setBase((int) a, b);
      case 228 -> identity.clock((int) a, b);
      case 257 -> files.open(memory.path(b), (int) c);
      case 262 -> files.stat(a, b, c, (int) d);
      case 267 -> readLink(b, c, d);
      case 269, 439 -> files.access(memory.path(b), (int) c);
      case 302 -> identity.limits((int) b, c, d);
      case 318 -> identity.getRandom(a, b);
      default -> {
        missing.merge(number, 1, Integer::sum);
        yield -Errno.ENOSYS.number();
      }
    };
  }

  private long map(long address, long length, int protection, int flags) throws MapException {
    ImageFiles.OpenFile file = files.file(processor.get(Register.R8));
    return memoryCalls.map(
        address,
        length,
        protection,
        flags,
        file == null ? null : file.bytes,
        processor.get(Register.R9));
  }

  private long readLink(long path, long va, long size) throws IOException {
    String name = memory.path(path);
    return name.equals("/proc/self/exe")
        ? identity.readProgramLink(va, size)
        : files.readLink(name, va, size);
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
