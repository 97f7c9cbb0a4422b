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
 * The sockets through which processes that hold a segment are talked to: {@code NAME.PID.hold} in
 * the store's folder, for their owner alone. A holder that was killed leaves its socket behind; the
 * next process that gets no answer there deletes it. Only sockets of the caller and of root are
 * talked to: a name proves nothing where others may write.
 */
final class HoldSocket {
  private static final String SUFFIX = ".hold";
  private static final Pattern FORM = Pattern.compile("[^.]{1,8}\\.([1-9][0-9]{0,17})\\.hold");
  private static final Pattern UNNAMED = Pattern.compile("[^.]{1,8}\\.[0-9a-f]{24}\\.hold\\.new");
  private static final int BACKLOG = 64;

  private HoldSocket() {}

  /** What stands behind the name of a socket. */
  enum State {
    /** A process of the caller or of root listens. */
    LISTENS,
    /** It is no business of the caller's: another user's, or no socket. */
    FOREIGN,
    /** Its process is gone. */
    LEFT,
    /** There is no such name any more. */
    GONE
  }

  /** The file of one holder's socket. */
  static FileName file(SegmentName name, long pid) {
    return FileName.of("%s.%d%s".formatted(name, pid, SUFFIX));
  }

  /**
   * Makes this process's socket for a segment. It takes its name when it can be talked to, so that
   * no process takes it for one left behind; until then it has one that others cannot guess.
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
        return State.GONE;
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
        case ECONNREFUSED -> State.LEFT;
        case ENOENT -> State.GONE;
        case EAGAIN -> isTrusted(found.uid()) ? State.LISTENS : State.FOREIGN;
        case EMFILE, ENFILE, ENOMEM -> throw e;
        default -> State.FOREIGN;
      };
    }
  }

  /** Whose requests are done and whose answers are believed. */
  static boolean isTrusted(int uid) {
    return uid == Caller.uid() || uid == 0;
  }

  /** The processes that hold a segment by number, and the sockets that were passed over. */
  record Holders(List<Long> pids, List<FileName> passedOver) {}

  /** Lists the processes that hold a segment and can be talked to; what dead ones left goes. */
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
          case FOREIGN -> holders.passedOver.add(file);
          case LEFT -> delete(folder, file);
          case GONE -> {}
        }
      }
    }
    holders.pids.sort(null);
    holders.passedOver.sort(null);
    return holders;
  }

  /** Lists the sockets that dead holders of any segment left. */
  static List<FileName> leftovers(OpenFolder folder) throws IOException {
    List<FileName> left = new ArrayList<>();
    for (FileName file : files(folder, "")) {
      if (state(folder, file) == State.LEFT) {
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

  /** Takes a leftover away, or leaves it to the next one who may. */
  static boolean delete(OpenFolder folder, FileName file) {
    try {
      return folder.unlink(file);
    } catch (HostException e) {
      return false;
    }
  }
}
