package dev.xip.linux;

import dev.xip.base.ByteSink;
import dev.xip.base.Errno;
import dev.xip.file.SegmentCopy;
import dev.xip.vfs.Directory;
import dev.xip.vfs.RegularFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** System calls that copy between descriptors. Linux counterpart: fs/splice.c, fs/read_write.c. */
final class CopyCalls {
  /** MAX_RW_COUNT (include/linux/fs.h). */
  private static final long MOST_BYTES = 0x7fff_f000;

  /** What is staged at a time for a pipe or a stream. */
  private static final int STAGED_BYTES = 1 << 16;

  private final Task task;
  private final PathCalls paths;

  CopyCalls(Task task, PathCalls paths) {
    this.task = task;
    this.paths = paths;
  }

  /** sendfile(2). */
  long send(long outFd, long inFd, long offsetVa, long count) throws IOException {
    OpenFile in = paths.file(inFd);
    if (!in.isReadable() || in instanceof OpenPath) {
      return -Errno.EBADF.number();
    }
    if (offsetVa != 0 && in.isStream()) {
      return -Errno.ESPIPE.number();
    }
    long from = offsetVa == 0 ? 0 : task.memory().getLong(offsetVa);
    if (from < 0 || count < 0) {
      return -Errno.EINVAL.number();
    }
    OpenFile out = paths.file(outFd);
    if (!out.isWritable() || out instanceof OpenPath) {
      return -Errno.EBADF.number();
    }
    boolean appends = out instanceof OpenRegular && (out.flags() & OpenFile.O_APPEND) != 0;
    if (!(in instanceof OpenRegular source) || appends) {
      return -Errno.EINVAL.number();
    }
    long start = offsetVa == 0 ? source.position() : from;
    long length = Math.min(count, MOST_BYTES);
    long refused = out.refusal(task, Math.max(1, length));
    if (refused < 0) {
      return refused;
    }
    long done = length == 0 ? 0 : copy(source.file(), start, out, length);
    if (done >= 0 && offsetVa == 0) {
      source.setPosition(start + done);
    } else if (done >= 0) {
      task.memory().putLong(offsetVa, start + done);
    }
    return done;
  }

  /** In parts where the target is no other file: what was written may be read again. */
  private long copy(RegularFile source, long start, OpenFile out, long length) throws IOException {
    if (out instanceof OpenRegular target) {
      long to = target.position();
      long most = target.file() == source ? STAGED_BYTES : length;
      long done = 0;
      long read;
      do {
        long part = Math.min(most, length - done);
        read = source.read(start + done, part, into(target.file()), to + done);
        done += read;
      } while (read > 0 && done < length);
      target.setPosition(to + done);
      return done;
    }
    long done = 0;
    while (done < length) {
      byte[] bytes = new byte[(int) Math.min(STAGED_BYTES, length - done)];
      long read =
          source.read(
              start + done, bytes.length, SegmentCopy.into(MemorySegment.ofArray(bytes)), 0);
      long written =
          read == 0 ? 0 : out.write(task, read == bytes.length ? bytes : cut(bytes, (int) read));
      if (written <= 0) {
        // Behind the end of the file, or refused.
        return done > 0 ? done : written;
      }
      done += written;
    }
    return done;
  }

  private static byte[] cut(byte[] bytes, int length) {
    return Arrays.copyOf(bytes, length);
  }

  /** A sink that is a file; an address is a position. */
  private static ByteSink into(RegularFile target) {
    return (from, offset, at, length) ->
        target.write(at, length, SegmentCopy.from(from.asSlice(offset, length)), 0);
  }

  /** copy_file_range(2). */
  long copyRange(long inFd, long inVa, long outFd, long outVa, long count, int flags)
      throws IOException {
    OpenFile in = paths.file(inFd);
    OpenFile out = paths.file(outFd);
    if (in instanceof OpenPath || out instanceof OpenPath) {
      return -Errno.EBADF.number();
    }
    long from = inVa == 0 ? 0 : task.memory().getLong(inVa);
    long to = outVa == 0 ? 0 : task.memory().getLong(outVa);
    if (flags != 0) {
      return -Errno.EINVAL.number();
    }
    if (in.node() instanceof Directory || out.node() instanceof Directory) {
      return -Errno.EISDIR.number();
    }
    if (!(in instanceof OpenRegular source) || !(out instanceof OpenRegular target)) {
      return -Errno.EINVAL.number();
    }
    if (!in.isReadable() || !out.isWritable() || (out.flags() & OpenFile.O_APPEND) != 0) {
      return -Errno.EBADF.number();
    }
    from = inVa == 0 ? source.position() : from;
    to = outVa == 0 ? target.position() : to;
    if (from < 0 || to < 0 || count < 0) {
      return -Errno.EINVAL.number();
    }
    long length = Math.min(Math.min(count, MOST_BYTES), Math.max(0, source.file().size() - from));
    if (source.file() == target.file() && from < to + length && to < from + length) {
      return -Errno.EINVAL.number();
    }
    long done = length == 0 ? 0 : source.file().read(from, length, into(target.file()), to);
    if (inVa == 0) {
      source.setPosition(from + done);
    } else {
      task.memory().putLong(inVa, from + done);
    }
    if (outVa == 0) {
      target.setPosition(to + done);
    } else {
      task.memory().putLong(outVa, to + done);
    }
    return done;
  }
}
