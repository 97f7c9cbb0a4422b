package dev.xip.host;

import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import dev.xip.bindings.dirent64;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** Reads the names of a folder out of the records that getdents64(2) gives. */
final class DirectoryRecords {
  /** Some thousand names per call. */
  private static final long BUFFER_BYTES = 128 << 10;

  private static final MethodHandle GETDENTS =
      Calls.link(Libc.getdents64$address(), Libc.getdents64$descriptor());

  private DirectoryRecords() {}

  /** Lists the names that begin with a start, without {@code .} and {@code ..}. */
  static List<FileName> names(int fd, String folder, FileName start) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      List<FileName> names = new ArrayList<>();
      MemorySegment wanted = FileCalls.bytes(start, arena);
      wanted = wanted.asSlice(0, wanted.byteSize() - 1); // without the byte that ends it
      MemorySegment buffer = arena.allocate(BUFFER_BYTES, Long.BYTES);
      long filled;
      while ((filled = getdents(fd, folder, buffer)) > 0) {
        collect(buffer.asSlice(0, filled), wanted, names);
      }
      return names;
    }
  }

  /** Returns how many bytes of records came, 0 at the end. */
  private static long getdents(int fd, String folder, MemorySegment into) throws HostException {
    return Calls.call(
        "getdents64",
        () -> "fd=%d %s, count=0x%x".formatted(fd, folder, into.byteSize()),
        state -> (long) GETDENTS.invokeExact(state, fd, into, into.byteSize()));
  }

  private static void collect(MemorySegment records, MemorySegment start, List<FileName> names) {
    long length = start.byteSize();
    long nameOffset = dirent64.d_name$offset();
    for (long at = 0; at < records.byteSize(); ) {
      long record = records.get(dirent64.d_reclen$layout(), at + dirent64.d_reclen$offset());
      long from = at + nameOffset;
      // A record holds at least its name's end, so a start that fits is compared inside it.
      if (length < record - nameOffset
          && MemorySegment.mismatch(records, from, from + length, start, 0, length) < 0) {
        FileName name = name(records, from);
        if (!name.equals(FileName.of(".")) && !name.equals(FileName.of(".."))) {
          names.add(name);
        }
      }
      at += record;
    }
  }

  private static FileName name(MemorySegment records, long from) {
    long end = from;
    while (records.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    return FileName.of(records.asSlice(from, end - from).toArray(ValueLayout.JAVA_BYTE));
  }
}
