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

  /** For how many times the store's limit a holder may say that it is busy. */
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
   * @param pid which of several is meant; may be empty if there is one
   * @return the holder
   * @throws SegmentException EINVAL if there is none, EAGAIN if there are several and none was
   *     named
   * @throws IOException if the store cannot be read
   */
  public static SegmentHolder find(SegmentStore store, SegmentName name, OptionalLong pid)
      throws IOException {
    HoldSocket.Holders holders = HoldSocket.holders(store.folder(), name);
    List<Long> pids = holders.pids();
    String found =
        pids.isEmpty()
            ? "none"
            : pids.stream().map(String::valueOf).collect(Collectors.joining(", "));
    if (!holders.passedOver().isEmpty()) {
      found += ", and not of this user or root: " + holders.passedOver();
    }
    if (pid.isPresent() ? !pids.contains(pid.getAsLong()) : pids.isEmpty()) {
      String expected =
          pid.isPresent()
              ? "process %d to hold it and take requests".formatted(pid.getAsLong())
              : "a process that holds it and takes requests";
      throw new SegmentException(Errno.EINVAL, "segment " + name, expected, found);
    }
    if (pid.isEmpty() && pids.size() > 1) {
      throw new SegmentException(
          Errno.EAGAIN, "segment " + name, "one holder, or to be told which", found);
    }
    return new SegmentHolder(store, name, pid.orElseGet(pids::getFirst));
  }

  /**
   * Finds the sockets that holders left when they were killed.
   *
   * @param store where they are
   * @return one finding for each, a leftover
   * @throws IOException if the store cannot be read
   */
  public static List<StoreFinding> check(SegmentStore store) throws IOException {
    try (OpenFolder folder = OpenFolder.open(store.folder())) {
      return HoldSocket.leftovers(folder).stream()
          .map(file -> store.folder().resolve(file.toString()))
          .map(file -> new StoreFinding(file, true, "the socket of a holder that is gone"))
          .toList();
    }
  }

  /**
   * Deletes the sockets that holders left when they were killed.
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

  /**
   * Returns which process it is.
   *
   * @return its number
   */
  public long pid() {
    return pid;
  }

  /**
   * Has the segment loaded again in another mode; stores to a private copy that was not saved are
   * lost. Linux counterpart: {@code segment_modify_shared}.
   *
   * @param mode the mode that it is to have
   * @return the version that is loaded now
   * @throws IOException with the code by name, as the holder was told: any of {@link
   *     dev.xip.segment.SegmentLoader#modifyShared}; the holder ends if the segment is gone
   */
  public long modify(SharingMode mode) throws IOException {
    long version = request("modify " + mode.name());
    requireTrue(users(mode) > 0, "modify", version, "it to be loaded " + mode);
    return version;
  }

  /**
   * Has the segment saved as it stands in the holder's memory. Linux counterpart: {@code
   * segment_save}.
   *
   * @return the version that was made
   * @throws IOException with the code by name: any of {@link dev.xip.segment.SegmentLoader#save}
   */
  public long save() throws IOException {
    long before = version();
    long version = request("save");
    requireTrue(version > before && version() >= version, "save", version, "a newer version");
    return version;
  }

  /**
   * Has the segment unloaded, and with it the holder ended. Linux counterpart: {@code
   * segment_unload}.
   *
   * @return the version that was left
   * @throws IOException with the code by name: any of {@link dev.xip.segment.SegmentLoader#unload}
   */
  public long unload() throws IOException {
    long before = users(null);
    long version = request("unload");
    requireTrue(before == 0 || users(null) < before, "unload", version, "it to be unloaded");
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

  /** How often the process has the segment loaded, in that mode if it is not null. */
  private long users(SharingMode mode) throws IOException {
    return store.survey().segments().stream()
        .filter(each -> each.stored().name().equals(name))
        .flatMap(each -> each.users().stream())
        .filter(user -> user.pid() == pid && (mode == null || user.mode() == mode))
        .count();
  }

  /** What a holder says is believed if the store says it too. */
  private void requireTrue(boolean told, String request, long version, String expected)
      throws IOException {
    if (!told) {
      throw new SegmentException(
          Errno.EIO,
          "segment %s: process %d, which answered %s by 'ok %d'"
              .formatted(name, pid, request, version),
          expected + " in the store",
          "it not so");
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
    return "segment %s: process %d, which holds it, at %s"
        .formatted(name, pid, HoldSocket.file(name, pid));
  }

  /** Connects, or waits while the holder does not come to accept those before. */
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
      wait.goOn("to be asked");
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
            Errno.EINVAL, "segment " + name, "an answer of process " + pid, "that it ended before");
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
            subject(),
            "it %s within %s s".formatted(what, limit.seconds()),
            "silence");
      }
      if ((now - start) / LONGEST >= limit.limit().toNanos()) {
        throw new SegmentException(
            Errno.ETIMEDOUT,
            subject(),
            "it %s within %d times %s s".formatted(what, LONGEST, limit.seconds()),
            "that it is still busy");
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
