package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
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

  private static final int POLL = 7;
  private static final int SIGRETURN = 15;
  private static final int SELECT = 23;
  private static final int PAUSE = 34;
  private static final int NANOSLEEP = 35;
  private static final int SIGSUSPEND = 130;
  private static final int CLOCK_NANOSLEEP = 230;
  private static final int PSELECT = 270;
  private static final int PPOLL = 271;

  /** A signal has ended the call; no result is this, ERESTARTSYS. */
  static final long INTERRUPTED = -512;

  private static final long UNSIGNED = 0xffff_ffffL;
  private static final long NANOSECOND = 1;
  private static final long MICROSECOND = 1000;
  private static final long MILLISECOND = 1_000_000;

  private final Task task;
  private final VirtualProcessor processor;
  private final MemoryCalls memory;
  private final IdentityCalls identity;
  private final TimeCalls time;
  private final SignalCalls signals;
  private final ProcessCalls processes;
  private final DescriptorCalls descriptors;
  private final TransferCalls transfers;
  private final PollCalls polls;
  private final FileSystemCalls files;
  private final Map<Integer, Integer> missing = new TreeMap<>();

  SystemCalls(Task task) {
    this.task = task;
    this.processor = task.processor();
    this.memory = new MemoryCalls(task);
    this.identity = new IdentityCalls(task);
    this.time = new TimeCalls(task);
    this.signals = new SignalCalls(task);
    this.processes = new ProcessCalls(task);
    this.descriptors = new DescriptorCalls(task);
    this.transfers = new TransferCalls(task);
    this.polls = new PollCalls(task);
    this.files = new FileSystemCalls(task);
  }

  /** The numbers of those that gave ENOSYS, and how often each did. */
  Map<Integer, Integer> missing() {
    return missing;
  }

  /** Whether a call is made again after a signal whose handler says SA_RESTART. */
  static boolean isRestarted(int number) {
    return switch (number) {
      case POLL, SELECT, PAUSE, NANOSLEEP, SIGSUSPEND, CLOCK_NANOSLEEP, PSELECT, PPOLL -> false;
      default -> true;
    };
  }

  /** Performs the call that the registers hold and puts the result into RAX. */
  void perform() throws HostException {
    int number = (int) processor.get(Register.RAX);
    String text = task.kernel().isTraced() ? CallNames.text(task, number) : null;
    long result = perform(number);
    if (text != null) {
      task.kernel().trace(task, "%s = %s".formatted(text, CallNames.result(result)));
    }
    if (result == INTERRUPTED && number != SIGRETURN) {
      task.delivery().interrupted(number);
    } else {
      processor.set(Register.RAX, result);
    }
  }

  private long perform(int number) throws HostException {
    try {
      return call(number);
    } catch (InterruptedCallException e) {
      return INTERRUPTED;
    } catch (MemoryFaultException e) {
      return -Errno.EFAULT.number();
    } catch (MapException e) {
      return -e.errno().number();
    } catch (HostException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      return -Errno.EINVAL.number();
    } catch (IOException e) {
      Errno errno = e instanceof HasErrno known ? known.errno() : Errno.EIO;
      return -errno.number();
    }
  }

  private long call(int number) throws IOException {
    long a = processor.get(Register.RDI);
    long b = processor.get(Register.RSI);
    long c = processor.get(Register.RDX);
    long d = processor.get(Register.R10);
    return switch (number) {
      case 0 -> transfers.read(a, b, c);
      case 1 -> transfers.write(a, b, c);
      case 3 -> descriptors.close(a);
      case POLL -> polls.poll(a, b, (int) c < 0 ? PollCalls.FOREVER : (int) c * MILLISECOND);
      case 9 -> map(a, b, (int) c, (int) d);
      case 10 -> memory.protect(a, b, (int) c);
      case 11 -> memory.unmap(a, b);
      case 12 -> task.heap().brk(a);
      // No descriptor is a terminal.
      case 16 -> -Errno.ENOTTY.number();
      case 17 -> transfers.readAt(a, b, c, d);
      case 18 -> transfers.writeAt(a, b, c, d);
      case 19 -> transfers.readv(a, b, c);
      case 20 -> transfers.writev(a, b, c);
      case 22 -> descriptors.pipe(a, 0);
      case SELECT -> select((int) a, b, c, d, true);
      case 25 -> memory.remap(a, b, c, (int) d, processor.get(Register.R8));
      case 28 -> memory.advise(a, b, (int) c);
      case 32 -> descriptors.duplicate(a);
      case 33 -> descriptors.duplicate(a, b);
      case NANOSLEEP -> time.sleep(1, 0, a, b);
      case 72 -> descriptors.control(a, (int) b, c);
      case 158 -> setBase((int) a, b);
      case 228 -> time.clock((int) a, b);
      case CLOCK_NANOSLEEP -> time.sleep((int) a, (int) b, c, d);
      case PSELECT -> select((int) a, b, c, d, false);
      case PPOLL -> {
        signals.suspendFor(d);
        yield polls.poll(a, b, nanos(c, NANOSECOND));
      }
      case 292 -> descriptors.duplicate(a, b, (int) c);
      case 293 -> descriptors.pipe(a, (int) b);
      case 295 -> transfers.readvAt(a, b, c, d);
      case 296 -> transfers.writevAt(a, b, c, d);
      case 436 -> descriptors.closeRange(a & UNSIGNED, b & UNSIGNED, (int) c);
      default -> callOfProcess(number, a, b, c, d);
    };
  }

  /** Calls about signals, processes and who they are. */
  private long callOfProcess(int number, long a, long b, long c, long d) throws IOException {
    return switch (number) {
      case 13 -> signals.action((int) a, b, c);
      case 14 -> signals.mask((int) a, b, c);
      case SIGRETURN -> signals.returned();
      case PAUSE -> signals.pause();
      case 39, 186 -> task.pid();
      // set_tid_address: no thread waits there.
      case 218 -> task.pid();
      case 56 -> processes.clone(a, b, c, d);
      case 57 -> processes.clone(Signal.SIGCHLD, 0, 0, 0);
      case 58 -> processes.clone(ProcessCalls.VFORK | Signal.SIGCHLD, 0, 0, 0);
      case 59 -> processes.exec(a, b, c);
      case 60, 231 -> processes.exit((int) a);
      case 61 -> processes.waitFor((int) a, b, (int) c, d);
      case 62 -> signals.kill((int) a, (int) b);
      case 63 -> identity.uname(a);
      case 95 -> identity.creationMask((int) a);
      case 96 -> time.day(a);
      case 98 -> time.usage(b);
      case 99 -> identity.system(a);
      case 100 -> time.times(a);
      case 102, 104, 107, 108 -> IdentityCalls.USER;
      case 109 -> processes.setGroup((int) a, (int) b);
      case 110 -> processes.parent();
      case 111 -> processes.group(0);
      case 112 -> processes.startSession();
      case 121 -> processes.group((int) a);
      case 124 -> processes.session((int) a);
      // getgroups: none.
      case 115 -> 0;
      case 127 -> signals.pending(a);
      case SIGSUSPEND -> signals.suspend(a);
      case 131 -> signals.stack(a, b);
      case 157 -> identity.control((int) a, b);
      case 201 -> time.seconds(a);
      case 200 -> signals.killThread((int) a, (int) a, (int) b);
      case 204 -> identity.processors(b, c);
      case 234 -> signals.killThread((int) a, (int) b, (int) c);
      case 302 -> identity.limits((int) b, c, d);
      case 318 -> identity.getRandom(a, b);
      default -> {
        long result = files.call(number, a, b, c, d, processor.get(Register.R8));
        if (result == FileSystemCalls.MISSING) {
          missing.merge(number, 1, Integer::sum);
          result = -Errno.ENOSYS.number();
        }
        yield result;
      }
    };
  }

  private long map(long address, long length, int protection, int flags) throws IOException {
    OpenFile file;
    synchronized (task.kernel()) {
      file = task.descriptors().file(processor.get(Register.R8));
    }
    return memory.map(address, length, protection, flags, file, processor.get(Register.R9));
  }

  /** The nanoseconds of a struct timespec or timeval, by the unit of its second word. */
  private long nanos(long va, long unit) throws MemoryFaultException {
    return va == 0
        ? PollCalls.FOREVER
        : task.memory().getLong(va) * 1_000_000_000 + task.memory().getLong(va + 8) * unit;
  }

  private long select(int count, long read, long write, long except, boolean old)
      throws IOException {
    long mask = old ? 0 : processor.get(Register.R9);
    if (mask != 0) {
      signals.suspendFor(task.memory().getLong(mask));
    }
    long nanos = nanos(processor.get(Register.R8), old ? MICROSECOND : NANOSECOND);
    return polls.select(count, read, write, except, nanos);
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
