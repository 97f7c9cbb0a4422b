package dev.xip.host;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The user and umask of this process. */
public final class Caller {
  private static final Pattern UMASK = Pattern.compile("(?m)^Umask:\\s*([0-7]+)$");
  private static final int STATUS_BYTES = 8192;

  private Caller() {}

  /** {@return the number of the effective user, geteuid(2)} */
  public static int uid() {
    return Libc.geteuid();
  }

  /**
   * Returns the umask, read from proc(5), as umask(2) would change it.
   *
   * @return the permission bits that new files do not get
   * @throws HostException if the system does not tell
   */
  public static int umask() throws HostException {
    int fd =
        FileCalls.open(FileName.of("/proc/self/status"), Libc.O_RDONLY() | Libc.O_CLOEXEC(), 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(STATUS_BYTES);
      long length = FileCalls.pread(fd, "/proc/self/status", bytes, 0);
      byte[] text = bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
      Matcher found = UMASK.matcher(new String(text, StandardCharsets.ISO_8859_1));
      if (!found.find()) {
        throw new HostException("read", "path=/proc/self/status, line=Umask", Errno.ENODATA);
      }
      return Integer.parseInt(found.group(1), 8);
    } finally {
      FileCalls.close(fd);
    }
  }
}
