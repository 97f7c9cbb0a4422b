package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.host.Register;
import dev.xip.vm.MemoryFaultException;

/** System calls as text, for traces. */
final class CallNames {
  /**
   * The names by number, from 0 on (arch/x86/entry/syscalls/syscall_64.tbl). Behind a colon, for
   * those that are performed, how each argument is shown: s a string, d decimal, o octal, x
   * hexadecimal.
   */
  private static final String[] FIRST =
      """
      read:dxd write:dxd open:sxo close:d stat:sx fstat:dx lstat:sx poll:xdd lseek:ddd
      mmap:xxxxdx mprotect:xxx munmap:xx brk:x rt_sigaction:dxx rt_sigprocmask:dxx
      rt_sigreturn: ioctl:dxx pread64:dxdd pwrite64:dxdd readv:dxd writev:dxd access:sx pipe:x
      select:dxxxx sched_yield: mremap:xxxxx msync:xxx mincore:xxx madvise:xxd shmget shmat shmctl dup:d dup2:dd
      pause: nanosleep:xx getitimer:dx alarm:d setitimer:dxx getpid: sendfile:ddxd socket:ddd connect:dxd accept
      sendto:dxdxxd recvfrom:dxdxxx sendmsg:dxx recvmsg:dxx shutdown:dd bind listen getsockname:dxx getpeername:dxx socketpair:dxdx
      setsockopt getsockopt:dddxx clone:xxxx fork: vfork: execve:sxx exit:d wait4:dxxx kill:dd
      uname:x semget semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl:ddx flock:dd fsync:d
      fdatasync:d truncate:sd ftruncate:dd getdents getcwd:xd chdir:s fchdir:d rename:ss mkdir:so rmdir:s creat:so
      link:ss unlink:s symlink:ss readlink:sxd chmod:so fchmod:do chown:sdd fchown:ddd lchown:sdd umask:o gettimeofday:xx
      getrlimit:dx getrusage:dx sysinfo:x times:x ptrace getuid: syslog getgid: setuid:d setgid:d geteuid:
      getegid: setpgid:dd getppid: getpgrp: setsid: setreuid:dd setregid:dd getgroups:dx setgroups:dx
      setresuid:ddd getresuid:xxx setresgid:ddd getresgid:xxx getpgid:d setfsuid:d setfsgid:d getsid:d capget:xx
      capset:xx rt_sigpending:x rt_sigtimedwait:xxxd rt_sigqueueinfo:ddx rt_sigsuspend:x sigaltstack:xx
      utime:sx mknod:sox uselib personality:x ustat statfs:sx fstatfs:dx sysfs getpriority:dd setpriority:ddd
      sched_setparam:dx sched_getparam:dx sched_setscheduler:ddx sched_getscheduler:d
      sched_get_priority_max:d sched_get_priority_min:d sched_rr_get_interval:dx mlock:xx munlock:xx
      mlockall:x munlockall: vhangup modify_ldt pivot_root _sysctl prctl:dxx arch_prctl:xx
      adjtimex setrlimit:dx chroot sync: acct settimeofday mount umount2 swapon swapoff reboot
      sethostname setdomainname iopl ioperm create_module init_module delete_module
      get_kernel_syms query_module quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall
      security gettid: readahead setxattr:ssxdd lsetxattr:ssxdd fsetxattr:dsxdd getxattr:ssxd lgetxattr:ssxd fgetxattr:dsxd
      listxattr:sxd llistxattr:sxd flistxattr:dxd removexattr:ss lremovexattr:ss fremovexattr:ds tkill:dd time:x
      futex:xddxxx sched_setaffinity:ddx sched_getaffinity:ddx set_thread_area io_setup io_destroy
      io_getevents io_submit io_cancel get_thread_area lookup_dcookie epoll_create
      epoll_ctl_old epoll_wait_old remap_file_pages getdents64:dxd set_tid_address:x
      restart_syscall semtimedop fadvise64:dddd timer_create:dxx timer_settime:ddxx timer_gettime:dx
      timer_getoverrun:d timer_delete:d clock_settime clock_gettime:dx clock_getres:dx
      clock_nanosleep:ddxx exit_group:d epoll_wait:dxdd epoll_ctl:dddx tgkill:ddd utimes:sx vserver mbind
      set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify
      mq_getsetattr kexec_load waitid:ddxxx add_key request_key keyctl ioprio_set ioprio_get
      inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat:dsxo mkdirat:dso
      mknodat:dsox fchownat:dsddx futimesat:dsx newfstatat:dsxx unlinkat:dsx renameat:dsds linkat:dsdsx symlinkat:sds
      readlinkat:dsxd fchmodat:dso faccessat:dsx pselect6:dxxxxx ppoll:xdxx unshare
      set_robust_list:xd get_robust_list splice tee sync_file_range vmsplice move_pages utimensat:dsxx
      epoll_pwait:dxddx signalfd timerfd_create eventfd:d fallocate:dxdd timerfd_settime timerfd_gettime
      accept4 signalfd4 eventfd2:dx epoll_create1:x dup3:ddx pipe2:xx inotify_init1 preadv:dxdd pwritev:dxdd
      rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64:ddxx
      name_to_handle_at open_by_handle_at clock_adjtime syncfs:d sendmmsg setns getcpu:xxx
      process_vm_readv process_vm_writev kcmp finit_module sched_setattr sched_getattr
      renameat2:dsdsx seccomp getrandom:xdx memfd_create kexec_file_load bpf execveat userfaultfd
      membarrier:dxd mlock2:xxx copy_file_range:dxdxdx preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free
      statx:dsxxx io_pgetevents rseq
      """
          .split("\\s+");

  private static final int SECOND_START = 424;

  private static final String[] SECOND =
      """
      pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount
      fsopen fsconfig fsmount fspick pidfd_open clone3:xd close_range:ddx openat2 pidfd_getfd
      faccessat2:dsxx process_madvise epoll_pwait2:dxdxx mount_setattr quotactl_fd
      landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret
      process_mrelease futex_waitv set_mempolicy_home_node
      """
          .split("\\s+");

  private static final Register[] ARGUMENTS = {
    Register.RDI, Register.RSI, Register.RDX, Register.R10, Register.R8, Register.R9
  };

  private static final int LONGEST_STRING = 60;
  private static final int MOST_ERRORS = 4095;

  private CallNames() {}

  private static String entry(int number) {
    int second = number - SECOND_START;
    return number >= 0 && number < FIRST.length
        ? FIRST[number]
        : second >= 0 && second < SECOND.length ? SECOND[second] : "call_" + number;
  }

  /** The name of a call. */
  static String name(int number) {
    return entry(number).replaceFirst(":.*", "");
  }

  /** A call with its arguments, as the registers hold them. */
  static String text(Task task, int number) {
    String[] parts = entry(number).split(":", -1);
    StringBuilder text = new StringBuilder(parts[0]).append('(');
    String kinds = parts.length > 1 ? parts[1] : "";
    for (int i = 0; i < kinds.length(); i++) {
      long value = task.processor().get(ARGUMENTS[i]);
      text.append(i == 0 ? "" : ", ").append(argument(task, kinds.charAt(i), value));
    }
    return text.append(parts.length > 1 ? ")" : "...)").toString();
  }

  private static String argument(Task task, char kind, long value) {
    return switch (kind) {
      case 'd' -> Long.toString((int) value == value ? value : (int) value);
      case 'o' -> "0" + Integer.toOctalString((int) value);
      case 's' -> string(task, value);
      default -> "0x" + Long.toHexString(value);
    };
  }

  private static String string(Task task, long va) {
    try {
      String path = task.memory().path(va);
      return '"'
          + (path.length() > LONGEST_STRING ? path.substring(0, LONGEST_STRING) + "..." : path)
          + '"';
    } catch (MemoryFaultException e) {
      return "0x" + Long.toHexString(va);
    }
  }

  /** The result of a call. */
  static String result(long result) {
    if (result == SystemCalls.INTERRUPTED) {
      return "? (a signal)";
    }
    if (result < 0 && result >= -MOST_ERRORS) {
      return "-1 " + Errno.of((int) -result);
    }
    return result > Integer.MAX_VALUE ? "0x" + Long.toHexString(result) : Long.toString(result);
  }
}
