package dev.xip.hold;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.LocalSocket;
import dev.xip.host.OpenFolder;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SharingMode;
import dev.xip.segment.StoreFinding;
import dev.xip.segment.WaitLimit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A process that holds a segment as {@link HeldSegment} does, seen from another process. */
public final class SegmentHolder {
  private static final Pattern OK = Pattern.compile("ok ([1-9][0-9]{0,17})");
  private static final Pattern FAILED = Pattern.compile("failed (.+)", Pattern.DOTALL);
  private static final long TOLD_AFTER = TimeUnit.SECONDS.toNanos(1);
  private static final int SLICE_MILLIS = 20;

  /** The longest time that a holder may be busy, in multiples of the store's limit. */
  private static final int LONGEST = 30;

  private final SegmentStore store;
  private final SegmentName name;
  private final long pid;

  private SegmentHolder(SegmentStore store, SegmentName name, long pid) {
    this.store = store;
    this.name = name;
    this.pid = pid;
  }

  /**
   * Finds the process that holds a segment.
   *
   * @param store where the segment is
   * @param name its name
   * @param pid the process; may be empty if only one holds the segment
   * @return the holder
   * @throws SegmentException EINVAL if it is not held, or not by that process; EAGAIN if several
   *     hold it and none was named
   * @throws IOException if the store cannot be read
   */
  public static SegmentHolder find(SegmentStore store, SegmentName name, OptionalLong pid)
      throws IOException {
    HoldSocket.Holders holders = HoldSocket.holders(store.folder(), name);
    List<Long> pids = holders.pids();
    String found = pids.stream().map(String::valueOf).collect(Collectors.joining(", "));
    String ignored = "";
    if (!holders.foreign().isEmpty()) {
      ignored = " (ignored, of other users: %s)".formatted(holders.foreign());
    }
    if (pids.isEmpty()) {
      throw new SegmentException(
          Errno.EINVAL, "segment %s: not held by any process%s".formatted(name, ignored));
    }
    if (pid.isPresent() && !pids.contains(pid.getAsLong())) {
      throw new SegmentException(
          Errno.EINVAL,
          "segment %s: not held by process %d, but by %s%s"
              .formatted(name, pid.getAsLong(), found, ignored));
    }
    if (pid.isEmpty() && pids.size() > 1) {
      throw new SegmentException(
          Errno.EAGAIN,
          "segment %s: held by processes %s%s; name one of them".formatted(name, found, ignored));
    }
    return new SegmentHolder(store, name, pid.orElseGet(pids::getFirst));
  }

  /**
   * Finds the sockets that killed holders have left.
   *
   * @param store where they are
   * @return one finding for each, a leftover
   * @throws IOException if the store cannot be read
   */
  public static List<StoreFinding> check(SegmentStore store) throws IOException {
    try (OpenFolder folder = OpenFolder.open(store.folder())) {
      return HoldSocket.leftovers(folder).stream()
          .map(file -> store.folder().resolve(file.toString()))
          .map(file -> new StoreFinding(file, true, "the socket of a holder that has ended"))
          .toList();
    }
  }

  /**
   * Deletes the sockets that killed holders have left.
   *
   * @param store where they are
   * @return what was deleted
   * @throws IOException if the store cannot be read
   */
  public static List<Path> clean(SegmentStore store) throws IOException {
    List<Path> deleted = new ArrayList<>();
    try (OpenFolder folder = OpenFolder.open(store.folder())) {
      for (FileName each : HoldSocket.leftovers(folder)) {
        if (HoldSocket.delete(folder, each)) {
          deleted.add(store.folder().resolve(each.toString()));
        }
      }
    }
    return deleted;
  }

  /** {@return the number of the process} */
  public long pid() {
    return pid;
  }

  /**
   * Asks the holder to reload the segment in another mode; stores to a private copy that was not
   * saved are lost. Linux counterpart: {@code segment_modify_shared}.
   *
   * @param mode the mode that it is to have
   * @return the version that is loaded now
   * @throws IOException with the holder's code by name: any of {@link
   *     dev.xip.segment.SegmentLoader#modifyShared}; the holder ends if it cannot load the segment
   *     again
   */
  public long modify(SharingMode mode) throws IOException {
    long version = request("modify " + mode.name());
    requireTrue(users(mode) > 0, "modify", version, "is not loaded " + mode);
    return version;
  }

  /**
   * Asks the holder to save the segment's bytes in its memory. Linux counterpart: {@code
   * segment_save}.
   *
   * @return the version that was made
   * @throws IOException with the code by name: any of {@link dev.xip.segment.SegmentLoader#save}
   */
  public long save() throws IOException {
    long before = version();
    long version = request("save");
    requireTrue(version > before && version() >= version, "save", version, "has no newer version");
    return version;
  }

  /**
   * Asks the holder to unload the segment and end. Linux counterpart: {@code segment_unload}.
   *
   * @return the version that was unloaded
   * @throws IOException with the code by name: any of {@link dev.xip.segment.SegmentLoader#unload}
   */
  public long unload() throws IOException {
    long before = users(null);
    long version = request("unload");
    requireTrue(before == 0 || users(null) < before, "unload", version, "is still loaded");
    return version;
  }

  /** The version that a load would get now, 0 if there is none. */
  private long version() throws IOException {
    try {
      return store.query(name).version();
    } catch (SegmentException e) {
      if (e.errno() == Errno.ENOENT) {
        return 0;
      }
      throw e;
    }
  }

  /** The number of loads of the segment by the process, in that mode if it is not null. */
  private long users(SharingMode mode) throws IOException {
    return store.survey().segments().stream()
        .filter(each -> each.stored().name().equals(name))
        .flatMap(each -> each.users().stream())
        .filter(user -> user.pid() == pid && (mode == null || user.mode() == mode))
        .count();
  }

  /** Checks a holder's answer against the store. */
  private void requireTrue(boolean told, String request, long version, String found)
      throws IOException {
    if (!told) {
      throw new SegmentException(
          Errno.EIO,
          "segment %s: process %d answered 'ok %d' to %s, but in the store the segment %s"
              .formatted(name, pid, version, request, found));
    }
  }

  private long request(String line) throws IOException {
    try (OpenFolder folder = OpenFolder.open(store.folder());
        LocalSocket socket = connect(folder)) {
      LocalSocket.Peer peer = socket.peer();
      if (!HoldSocket.isTrusted(peer.uid())) {
        throw new SegmentException(
            Errno.EPERM, subject(), "a process of this user or root", "one of user " + peer.uid());
      }
      HoldLine.send(socket, line);
      return answer(socket);
    } catch (HostException e) {
      throw new IOException("%s: %s".formatted(subject(), e.getMessage()), e);
    }
  }

  private String subject() {
    return "segment %s: holder, process %d at %s".formatted(name, pid, HoldSocket.file(name, pid));
  }

  /** Connects, waiting while the holder's backlog is full. */
  private LocalSocket connect(OpenFolder folder) throws IOException {
    Wait wait = new Wait();
    while (true) {
      try {
        return LocalSocket.connect(folder, HoldSocket.file(name, pid));
      } catch (HostException e) {
        if (e.errno() != Errno.EAGAIN) {
          throw e;
        }
      }
      wait.goOn("to accept a connection");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(SLICE_MILLIS));
    }
  }

  private long answer(LocalSocket socket) throws IOException {
    Wait wait = new Wait();
    HoldLine line = new HoldLine();
    while (true) {
      if (!LocalSocket.ready(List.of(socket), SLICE_MILLIS).isEmpty()) {
        line.receive(socket);
      }
      if (line.isComplete() && "busy".equals(line.text())) {
        line = new HoldLine();
        wait.signOfLife();
      } else if (line.isComplete() || line.isTooLong()) {
        return parse(line);
      } else if (line.isEnded()) {
        throw new SegmentException(
            Errno.EINVAL, "segment %s: process %d ended without an answer".formatted(name, pid));
      }
      wait.goOn("to answer");
    }
  }

  private long parse(HoldLine line) throws IOException {
    String answer = line.isTooLong() ? null : line.text();
    if (answer != null) {
      Matcher ok = OK.matcher(answer);
      if (ok.matches()) {
        return Long.parseLong(ok.group(1));
      }
      Matcher failed = FAILED.matcher(answer);
      if (failed.matches()) {
        throw new IOException(HoldLine.shown(failed.group(1)));
      }
    }
    throw new SegmentException(
        Errno.EIO,
        subject(),
        "the answer 'ok VERSION' or 'failed MESSAGE'",
        line.isTooLong()
            ? "more than %d bytes".formatted(HoldLine.MAX_BYTES)
            : answer == null ? "bytes that are not UTF-8" : "'" + HoldLine.shown(answer) + "'");
  }

  /**
   * A wait for the holder, up to the store's limit after its last sign of life, and up to {@link
   * #LONGEST} limits in all.
   */
  private final class Wait {
    private final WaitLimit limit = store.waitLimit();
    private final long start = System.nanoTime();
    private long lastSign = start;
    private boolean told;

    void goOn(String what) throws SegmentException {
      long now = System.nanoTime();
      if (now - lastSign >= limit.limit().toNanos()) {
        throw new SegmentException(
            Errno.ETIMEDOUT,
            "%s: waited %s s for it %s".formatted(subject(), limit.seconds(), what));
      }
      if ((now - start) / LONGEST >= limit.limit().toNanos()) {
        throw new SegmentException(
            Errno.ETIMEDOUT,
            "%s: still busy after %d times %s s".formatted(subject(), LONGEST, limit.seconds()));
      }
      if (now - start >= TOLD_AFTER && !told) {
        told = true;
        limit.told().accept("waiting for process %d %s".formatted(pid, what));
      }
    }

    void signOfLife() {
      lastSign = System.nanoTime();
    }
  }
}
