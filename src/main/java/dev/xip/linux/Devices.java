package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.FileException;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Special;
import dev.xip.vfs.Vfs;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;

/** What is behind the numbers of character devices. Linux counterpart: drivers/char/mem.c. */
final class Devices {
  private static final int MEMORY = 1;
  private static final int NULL = 3;
  private static final int ZERO = 5;
  private static final int FULL = 7;
  private static final int RANDOM = 8;
  private static final int UNLIMITED_RANDOM = 9;
  private static final int ALL_MAY = 0666;
  private static final SecureRandom BYTES = new SecureRandom();

  /** How many bytes a call moves at a time; a signal may come between. */
  private static final int PART = 1 << 16;

  private Devices() {}

  /** Bytes as /dev/urandom gives them. */
  static byte[] randomBytes(int count) {
    byte[] bytes = new byte[count];
    BYTES.nextBytes(bytes);
    return bytes;
  }

  /** Makes what the image lacks in /dev, unless another tree is mounted there. */
  static void makeIn(Vfs files) throws IOException {
    make(files, "/dev", NewNode.of(FileType.DIRECTORY, 0755));
    if (files.directory(files.root(), FileName.of("/dev")).tree() != files.root().tree()) {
      return;
    }
    make(files, "/dev/null", device(NULL));
    make(files, "/dev/zero", device(ZERO));
    make(files, "/dev/full", device(FULL));
    make(files, "/dev/random", device(RANDOM));
    make(files, "/dev/urandom", device(UNLIMITED_RANDOM));
    make(files, "/dev/tty", new NewNode(FileType.CHARACTER_DEVICE, ALL_MAY, 5, 0, null));
    make(files, "/dev/fd", link("/proc/self/fd"));
    make(files, "/dev/stdin", link("/proc/self/fd/0"));
    make(files, "/dev/stdout", link("/proc/self/fd/1"));
    make(files, "/dev/stderr", link("/proc/self/fd/2"));
    make(files, "/dev/shm", NewNode.of(FileType.DIRECTORY, 01777));
    make(files, "/dev/pts", NewNode.of(FileType.DIRECTORY, 0755));
  }

  private static NewNode device(int minor) {
    return new NewNode(FileType.CHARACTER_DEVICE, ALL_MAY, MEMORY, minor, null);
  }

  private static NewNode link(String target) {
    return NewNode.link(FileName.of(target));
  }

  private static void make(Vfs files, String path, NewNode node) throws IOException {
    FileName name = FileName.of(path);
    try {
      files.resolve(files.root(), name, false);
    } catch (FileException e) {
      files.create(files.root(), name, node);
    }
  }

  /**
   * Opens a device.
   *
   * @throws FileException ENXIO if there is none of its number
   */
  static OpenFile open(Special device, int flags) throws FileException {
    if (device.type() == FileType.CHARACTER_DEVICE
        && device.major() == MEMORY
        && isKnown(device.minor())) {
      return new MemoryDevice(flags, device.minor());
    }
    throw new FileException(
        Errno.ENXIO, "%s %d:%d".formatted(device.type(), device.major(), device.minor()));
  }

  private static boolean isKnown(int minor) {
    return switch (minor) {
      case NULL, ZERO, FULL, RANDOM, UNLIMITED_RANDOM -> true;
      default -> false;
    };
  }

  /** Stores random bytes, or zeros, up to where the program may not store; returns how many. */
  static long fill(Task task, long va, long length, boolean random) throws MemoryFaultException {
    byte[] bytes = new byte[(int) Math.min(length, PART)];
    MemorySegment from = MemorySegment.ofArray(bytes);
    long done = 0;
    while (done < length && !task.signals().isKilled()) {
      if (random) {
        BYTES.nextBytes(bytes);
      }
      long some = Math.min(length - done, PART);
      try {
        long taken = task.memory().take(from, 0, va + done, some);
        done += taken;
        if (taken < some) {
          break;
        }
      } catch (MemoryFaultException e) {
        if (done == 0) {
          throw e;
        }
        break;
      }
    }
    return done;
  }

  /** A device of drivers/char/mem.c. */
  private static final class MemoryDevice extends OpenFile {
    private final int minor;

    MemoryDevice(int flags, int minor) {
      super(flags);
      this.minor = minor;
    }

    @Override
    long read(Task task, long va, long length) throws IOException {
      if (minor == NULL) {
        return 0;
      }
      return fill(task, va, length, minor >= RANDOM);
    }

    @Override
    long write(Task task, long va, long length) {
      return minor == FULL ? -Errno.ENOSPC.number() : length;
    }

    @Override
    long readAt(Task task, long va, long length, long position) throws IOException {
      return read(task, va, length);
    }

    @Override
    long writeAt(Task task, long va, long length, long position) {
      return write(task, va, length);
    }

    @Override
    long seek(long offset, int whence) {
      return 0;
    }
  }
}
