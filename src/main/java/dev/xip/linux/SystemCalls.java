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
  private static final int ARCH_GET_FS = 0x1003;
  private static final int ARCH_GET_GS = 0x1004;

  private static final int POLL = 7;
  private static final int SIGRETURN = 15;
  private static final int SELECT = 23;
  private static final int PAUSE = 34;
  private static final int NANOSLEEP = 35;
  private static final int SIGTIMEDWAIT = 128;
  private static final int SIGSUSPEND = 130;
  private static final int CLOCK_NANOSLEEP = 230;
  private static final int PSELECT = 270;
  private static final int PPOLL = 271;
  private static final int RSEQ = 334;
  private static final int EPOLL_WAIT = 232;
  private static final int EPOLL_PWAIT = 281;
  private static final int EPOLL_PWAIT2 = 441;

  /** A signal has ended the call; no result is this, ERESTARTSYS. */
  static final long INTERRUPTED = -512;

  private static final int ROBUST_LIST_BYTES = 24;
  private static final long UNSIGNED = 0xffff_ffffL;
  private static final long MILLISECOND = 1_000_000;

  private final Task task;
  private final VirtualProcessor processor;
  private final MemoryCalls memory;
  private final IdentityCalls identity;
  private final CredentialCalls credentials;
  private final LimitCalls limits;
  private final SchedulingCalls scheduling;
  private final TimeCalls time;
  private final TimerCalls timers;
  private final FutexCalls futexes;
  private final ResidencyCalls residency;
  private final SocketCalls sockets;
  private final EpollCalls epolls;
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
    this.credentials = new CredentialCalls(task);
    this.limits = new LimitCalls(task);
    this.scheduling = new SchedulingCalls(task);
    this.time = new TimeCalls(task);
    this.timers = new TimerCalls(task, time);
    this.futexes = new FutexCalls(task, time);
    this.residency = new ResidencyCalls(task);
    this.signals = new SignalCalls(task);
    this.processes = new ProcessCalls(task, time);
    this.descriptors = new DescriptorCalls(task);
    this.transfers = new TransferCalls(task);
    this.sockets = new SocketCalls(task, transfers);
    this.polls = new PollCalls(task);
    this.epolls = new EpollCalls(task);
    this.files = new FileSystemCalls(task);
  }

  /** The numbers of those that gave ENOSYS, and how often each did. */
  Map<Integer, Integer> missing() {
    return missing;
  }

  /** Whether a call is made again after a signal whose handler says SA_RESTART. */
  static boolean isRestarted(int number) {
    return switch (number) {
      case POLL, SELECT, PAUSE, NANOSLEEP, SIGTIMEDWAIT, SIGSUSPEND -> false;
      case CLOCK_NANOSLEEP, PSELECT, PPOLL -> false;
      case EPOLL_WAIT, EPOLL_PWAIT, EPOLL_PWAIT2 -> false;
      default -> true;
    };
  }

  /** Whether a call ends with EINTR even if no handler has run, signal(7). */
  static boolean isEndedByStop(int number) {
    return switch (number) {
      case SIGTIMEDWAIT, EPOLL_WAIT, EPOLL_PWAIT, EPOLL_PWAIT2 -> true;
      default -> false;
    };
  }

  /** Performs the call that the registers hold and puts the result into RAX. */
  void perform() throws HostException {
    int number = (int) processor.get(Register.RAX);
    String text = task.kernel().isTraced() ? CallNames.text(task, number) : null;
    long result = perform(number);
    if (result == -Errno.ENOSYS.number() && number != RSEQ) {
      missing.merge(number, 1, Integer::sum);
    }
    if (text != null) {
      task.kernel().trace(task, "%s = %s".formatted(text, CallNames.result(result)));
    }
    boolean interrupted = result == INTERRUPTED && number != SIGRETURN;
    task.delivery().callEnded(interrupted ? number : -1);
    if (!interrupted) {
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
      case POLL -> polls.poll(a, b, millis((int) c));
      case 9 -> map(a, b, (int) c, (int) d);
      case 10 -> memory.protect(a, b, (int) c);
      case 11 -> memory.unmap(a, b);
      case 12 -> memory.brk(a);
      case 16 -> descriptors.request(a, (int) b, c);
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
      case 72 ->
          LockCalls.isLock((int) b)
              ? files.lock(a, (int) b, c)
              : descriptors.control(a, (int) b, c);
      case 158 -> base((int) a, b);
      case 228 -> time.clock((int) a, b);
      case CLOCK_NANOSLEEP -> time.sleep((int) a, (int) b, c, d);
      case PSELECT -> select((int) a, b, c, d, false);
      case PPOLL -> {
        long nanos = time.timeout(c);
        signals.suspendFor(d);
        yield polls.poll(a, b, nanos);
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
      case 56 -> processes.clone(a & UNSIGNED, b, c, d);
      case 57 -> processes.clone(Signal.SIGCHLD, 0, 0, 0);
      case 58 -> processes.clone(ProcessCalls.VFORK | Signal.SIGCHLD, 0, 0, 0);
      case 59 -> processes.exec(a, b, c);
      case 60, 231 -> processes.exit((int) a);
      case 61 -> processes.waitFor((int) a, b, (int) c, d);
      case 62 -> signals.kill((int) a, (int) b);
      case 63 -> identity.uname(a);
      case 95 -> identity.creationMask((int) a);
      case 96 -> time.day(a, b);
      case 98 -> time.usage((int) a, b);
      case 99 -> identity.system(a);
      case 100 -> time.times(a);
      case 109 -> processes.setGroup((int) a, (int) b);
      case 110 -> processes.parent();
      case 111 -> processes.group(0);
      case 112 -> processes.startSession();
      case 121 -> processes.group((int) a);
      case 124 -> processes.session((int) a);
      case 127 -> signals.pending(a);
      case SIGTIMEDWAIT -> signals.await(a, b, c, time);
      case 129 -> signals.queue((int) a, (int) b, c);
      case SIGSUSPEND -> signals.suspend(a);
      case 131 -> signals.stack(a, b);
      case 157 -> identity.control((int) a, b, c);
      case 201 -> time.seconds(a);
      case 200 -> signals.killThread((int) a, (int) a, (int) b);
      case 234 -> signals.killThread((int) a, (int) b, (int) c);
      case 247 -> processes.waitId((int) a, (int) b, c, (int) d, processor.get(Register.R8));
      case 318 -> identity.getRandom(a, b, (int) c);
      case 435 -> processes.clone(a, b);
      default -> callOfTime(number, a, b, c, d);
    };
  }

  /** Calls about time, timers, waiting for memory words, memory that is resident, scheduling. */
  private long callOfTime(int number, long a, long b, long c, long d) throws IOException {
    return switch (number) {
      // sched_yield: the host's threads have turns anyway.
      case 24 -> 0;
      case 26 -> residency.sync(a, b, (int) c);
      case 27 -> residency.inCore(a, b, c);
      case 36 -> timers.interval((int) a, b);
      case 37 -> timers.alarm(a & UNSIGNED);
      case 38 -> timers.setInterval((int) a, b, c);
      case 140 -> scheduling.priority((int) a, (int) b);
      case 141 -> scheduling.setPriority((int) a, (int) b, (int) c);
      case 142 -> scheduling.setParameter((int) a, b);
      case 143 -> scheduling.parameter((int) a, b);
      case 144 -> scheduling.setPolicy((int) a, (int) b, c);
      case 145 -> scheduling.policy((int) a);
      case 146 -> scheduling.highest((int) a);
      case 147 -> scheduling.lowest((int) a);
      case 148 -> scheduling.interval((int) a, b);
      case 149 -> residency.lock(a, b, 0);
      case 150 -> residency.unlock(a, b);
      case 151 -> residency.lockAll((int) a);
      // munlockall: nothing is locked but by mlock, which counts for nothing.
      case 152 -> 0;
      case 202 ->
          futexes.futex(
              a, (int) b, (int) c, d, processor.get(Register.R8), (int) processor.get(Register.R9));
      case 203 -> scheduling.setProcessors((int) a, b, c);
      case 204 -> scheduling.processors((int) a, b, c);
      case 222 -> timers.create((int) a, b, c);
      case 223 -> timers.set((int) a, (int) b, c, d);
      case 224 -> timers.get((int) a, b);
      case 225 -> timers.overruns((int) a);
      case 226 -> timers.delete((int) a);
      case 229 -> time.resolution((int) a, b);
      case 309 -> scheduling.processor(a, b);
      case 324 -> residency.barrier((int) a, (int) b);
      case 325 -> residency.lock(a, b, (int) c);
      default -> callOfIdentity(number, a, b, c, d);
    };
  }

  /** Calls about users, limits and sockets, and those that no program may make. */
  private long callOfIdentity(int number, long a, long b, long c, long d) throws IOException {
    return switch (number) {
      // socket: there are no networks.
      case 41 -> -Errno.EAFNOSUPPORT.number();
      case 42, 43, 49, 50, 54, 288 -> sockets.other(a);
      case 44 -> sockets.send(a, b, c);
      case 45 -> sockets.receive(a, b, c, (int) d);
      case 46 -> sockets.sendMessage(a, b);
      case 47 -> sockets.receiveMessage(a, b, (int) c);
      case 48 -> sockets.shutDown(a, (int) b);
      case 51, 52 -> sockets.name(a, b, c);
      case 53 -> sockets.pair((int) a, (int) b, (int) c, d);
      case 55 -> sockets.option(a, (int) b, (int) c, d, processor.get(Register.R8));
      case 213 -> (int) a <= 0 ? -Errno.EINVAL.number() : epolls.create(0);
      case 291 -> epolls.create((int) a);
      case 233 -> epolls.control(a, (int) b, (int) c, d);
      case EPOLL_WAIT -> epolls.await(a, b, (int) c, millis((int) d));
      case EPOLL_PWAIT -> {
        signals.suspendFor(processor.get(Register.R8));
        yield epolls.await(a, b, (int) c, millis((int) d));
      }
      case EPOLL_PWAIT2 -> {
        long nanos = time.timeout(d);
        signals.suspendFor(processor.get(Register.R8));
        yield epolls.await(a, b, (int) c, nanos);
      }
      case 284 -> epolls.event((int) a, 0);
      case 290 -> epolls.event((int) a, (int) b);
      case 97 -> limits.limits(0, (int) a, 0, b);
      case 102 -> credentials.user(0);
      case 104 -> credentials.group(0);
      case 105 -> credentials.set(true, (int) a);
      case 106 -> credentials.set(false, (int) a);
      case 107 -> credentials.user(1);
      case 108 -> credentials.group(1);
      case 113 -> credentials.set(true, (int) a, (int) b);
      case 114 -> credentials.set(false, (int) a, (int) b);
      case 115 -> credentials.groups((int) a, b);
      case 116 -> credentials.setGroups((int) a, b);
      case 117 -> credentials.set(true, (int) a, (int) b, (int) c);
      case 118 -> credentials.get(true, a, b, c);
      case 119 -> credentials.set(false, (int) a, (int) b, (int) c);
      case 120 -> credentials.get(false, a, b, c);
      case 122 -> credentials.setForFiles(true, (int) a);
      case 123 -> credentials.setForFiles(false, (int) a);
      case 125 -> credentials.capabilities(a, b);
      case 126 -> credentials.setCapabilities(a, b);
      case 135 -> identity.personality((int) a);
      case 160 -> limits.limits(0, (int) a, b, 0);
      case 302 -> limits.limits((int) a, (int) b, c, d);
      // splice, tee, vmsplice: no file takes part, so programs copy.
      case 275, 276, 278 -> -Errno.EINVAL.number();
      // set_robust_list: no thread outlives another.
      case 273 -> b == ROBUST_LIST_BYTES ? 0 : -Errno.EINVAL.number();
      // ptrace, syslog, settimeofday, adjtimex, mount, swap, host names, modules, clocks.
      case 101, 103, 159, 164, 165, 166, 167, 168, 169, 170, 171, 175, 176, 227, 305 ->
          -Errno.EPERM.number();
      default -> {
        long e = processor.get(Register.R8);
        long result = files.call(number, a, b, c, d, e, processor.get(Register.R9));
        yield result == FileSystemCalls.MISSING ? -Errno.ENOSYS.number() : result;
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

  private static long millis(int timeout) {
    return timeout < 0 ? PollCalls.FOREVER : timeout * MILLISECOND;
  }

  private long select(int count, long read, long write, long except, boolean old)
      throws IOException {
    long timeout = processor.get(Register.R8);
    long nanos = old ? time.timeoutOfSelect(timeout) : time.timeout(timeout);
    long mask = old ? 0 : processor.get(Register.R9);
    if (mask != 0) {
      signals.suspendFor(task.memory().getLong(mask));
    }
    return polls.select(count, read, write, except, nanos);
  }

  /** arch_prctl(2), for the bases of FS and GS. */
  private long base(int what, long base) throws HostException, MemoryFaultException {
    SystemRegisters system = processor.kvm().systemRegisters();
    switch (what) {
      case ARCH_GET_FS -> task.memory().putLong(base, system.fsBase());
      case ARCH_GET_GS -> task.memory().putLong(base, system.gsBase());
      case ARCH_SET_FS, ARCH_SET_GS -> {
        if (Long.compareUnsigned(base, task.kernel().addressLimit()) >= 0) {
          return -Errno.EPERM.number();
        }
        if (what == ARCH_SET_FS) {
          system.setFsBase(base);
        } else {
          system.setGsBase(base);
        }
        processor.kvm().setSystemRegisters();
      }
      default -> {
        return -Errno.EINVAL.number();
      }
    }
    return 0;
  }
}
