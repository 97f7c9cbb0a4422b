package dev.xip.machine;

import dev.xip.host.Errno;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SharingMode;
import dev.xip.segment.StoreFinding;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** A process that holds a segment as {@link HeldSegment} does, seen from another process. */
public final class SegmentHolder {
  private final Path store;
  private final SegmentName name;
  private final long pid;

  private SegmentHolder(Path store, SegmentName name, long pid) {
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
    List<Long> pids = HoldSocket.holders(store.folder(), name);
    String found =
        pids.isEmpty()
            ? "none"
            : pids.stream().map(String::valueOf).collect(Collectors.joining(", "));
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
    return new SegmentHolder(store.folder(), name, pid.orElseGet(pids::getFirst));
  }

  /**
   * Finds the sockets that holders left when they were killed.
   *
   * @param store where they are
   * @return one finding for each, a leftover
   * @throws IOException if the store cannot be read
   */
  public static List<StoreFinding> check(SegmentStore store) throws IOException {
    return HoldSocket.leftovers(store.folder()).stream()
        .map(file -> new StoreFinding(file, true, "the socket of a holder that is gone"))
        .toList();
  }

  /**
   * Deletes the sockets that holders left when they were killed.
   *
   * @param store where they are
   * @return what was deleted
   * @throws IOException if the store cannot be read or written
   */
  public static List<Path> clean(SegmentStore store) throws IOException {
    List<Path> deleted = HoldSocket.leftovers(store.folder());
    for (Path each : deleted) {
      Files.deleteIfExists(each);
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
    return request("modify " + mode.name());
  }

  /**
   * Has the segment saved as it stands in the holder's memory. Linux counterpart: {@code
   * segment_save}.
   *
   * @return the version that was made
   * @throws IOException with the code by name: any of {@link dev.xip.segment.SegmentLoader#save}
   */
  public long save() throws IOException {
    return request("save");
  }

  /**
   * Has the segment unloaded, and with it the holder ended. Linux counterpart: {@code
   * segment_unload}.
   *
   * @return the version that was left
   * @throws IOException with the code by name: any of {@link dev.xip.segment.SegmentLoader#unload}
   */
  public long unload() throws IOException {
    return request("unload");
  }

  private long request(String line) throws IOException {
    String answer;
    try (SocketChannel channel = HoldSocket.connect(store, HoldSocket.file(store, name, pid))) {
      HoldSocket.send(channel, line);
      answer = HoldSocket.receive(channel);
    } catch (IOException e) {
      throw new IOException(
          "segment %s: process %d, which holds it: %s".formatted(name, pid, e.getMessage()), e);
    }
    if (answer == null) {
      throw new SegmentException(
          Errno.EINVAL, "segment " + name, "an answer of process " + pid, "that it ended before");
    }
    if (answer.startsWith("ok ")) {
      return Long.parseLong(answer.substring("ok ".length()));
    }
    throw new IOException(answer.substring("failed ".length()));
  }
}
