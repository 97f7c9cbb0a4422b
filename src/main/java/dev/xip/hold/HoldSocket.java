package dev.xip.hold;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.Caller;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import dev.xip.host.LocalSocket;
import dev.xip.host.OpenFolder;
import dev.xip.segment.SegmentName;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The sockets on which processes that hold a segment take requests: {@code NAME.PID.hold} in the
 * store's folder, for their owner alone. A holder that was killed leaves its socket behind; the
 * next process whose connection is refused deletes it. Only sockets of the caller's user and of
 * root are used: in a folder that others may write a name proves nothing.
 */
final class HoldSocket {
  private static final String SUFFIX = ".hold";
  private static final Pattern FORM = Pattern.compile("[^.]{1,8}\\.([1-9][0-9]{0,17})\\.hold");
  private static final Pattern UNNAMED = Pattern.compile("[^.]{1,8}\\.[0-9a-f]{24}\\.hold\\.new");
  private static final int BACKLOG = 64;

  private HoldSocket() {}

  /** The state of a socket's name. */
  enum State {
    /** A process of the caller or of root listens. */
    LISTENS,
    /** Another user's socket, or no socket. */
    FOREIGN,
    /** Its process has ended. */
    STALE,
    /** The name does not exist any more. */
    ABSENT
  }

  /** The file of one holder's socket. */
  static FileName file(SegmentName name, long pid) {
    return FileName.of("%s.%d%s".formatted(name, pid, SUFFIX));
  }

  /**
   * Makes this process's socket for a segment. It gets its name once it listens, so that no process
   * mistakes it for a stale one; until then it has a random name.
   */
  static LocalSocket listen(OpenFolder folder, SegmentName name) throws IOException {
    FileName file = file(name, ProcessHandle.current().pid());
    if (state(folder, file) == State.LISTENS) {
      throw new FileAlreadyExistsException(file.toString()); // this process holds it twice
    }
    FileName unnamed = FileName.of(OpenFolder.randomName(name + ".") + SUFFIX + ".new");
    LocalSocket socket = LocalSocket.listen(folder, unnamed, BACKLOG);
    try {
      folder.rename(unnamed, folder, file);
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      folder.unlink(unnamed);
      throw e;
    }
  }

  static State state(OpenFolder folder, FileName file) throws HostException {
    HostStat found;
    try {
      found = folder.stat(file);
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return State.ABSENT;
      }
      throw e;
    }
    if (!found.isSocket()) {
      return State.FOREIGN;
    }
    try (LocalSocket connection = LocalSocket.connect(folder, file)) {
      return isTrusted(connection.peer().uid()) ? State.LISTENS : State.FOREIGN;
    } catch (HostException e) {
      return switch (e.errno()) {
        case ECONNREFUSED -> State.STALE;
        case ENOENT -> State.ABSENT;
        case EAGAIN -> isTrusted(found.uid()) ? State.LISTENS : State.FOREIGN;
        case EMFILE, ENFILE, ENOMEM -> throw e;
        default -> State.FOREIGN;
      };
    }
  }

  /** Whether requests and answers of a user are accepted. */
  static boolean isTrusted(int uid) {
    return uid == Caller.uid() || uid == 0;
  }

  /** The processes that hold a segment by number, and the sockets of other users. */
  record Holders(List<Long> pids, List<FileName> foreign) {}

  /** Lists the processes that hold a segment and listen, and deletes stale sockets. */
  static Holders holders(Path store, SegmentName name) throws IOException {
    Holders holders = new Holders(new ArrayList<>(), new ArrayList<>());
    try (OpenFolder folder = OpenFolder.open(store)) {
      for (FileName file : files(folder, name + ".")) {
        if (!FORM.matcher(file.toString()).matches()) {
          continue;
        }
        switch (state(folder, file)) {
          case LISTENS ->
              holders.pids.add(Long.valueOf(FORM.matcher(file.toString()).replaceFirst("$1")));
          case FOREIGN -> holders.foreign.add(file);
          case STALE -> delete(folder, file);
          case ABSENT -> {}
        }
      }
    }
    holders.pids.sort(null);
    holders.foreign.sort(null);
    return holders;
  }

  /** Lists the stale sockets of all segments. */
  static List<FileName> leftovers(OpenFolder folder) throws IOException {
    List<FileName> left = new ArrayList<>();
    for (FileName file : files(folder, "")) {
      if (state(folder, file) == State.STALE) {
        left.add(file);
      }
    }
    return left;
  }

  private static List<FileName> files(OpenFolder folder, String start) throws HostException {
    return folder.names(FileName.of(start)).stream()
        .filter(
            file ->
                FORM.matcher(file.toString()).matches()
                    || UNNAMED.matcher(file.toString()).matches())
        .sorted()
        .toList();
  }

  /** Deletes a socket; false if it did not exist or the caller may not. */
  static boolean delete(OpenFolder folder, FileName file) {
    try {
      return folder.unlink(file);
    } catch (HostException e) {
      return false;
    }
  }
}
