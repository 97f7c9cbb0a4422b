package dev.xip.nio;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A call of a file channel with its arguments, to be made on several channels.
 *
 * @param name the call as text
 * @param body makes it, and returns what the caller can see of it
 */
record ChannelCall(String name, Body body) {
  /** Makes a call. */
  interface Body {
    Object on(Side side) throws IOException;
  }

  /** A channel, and what calls need beside it. */
  static final class Side {
    private final FileChannel channel;
    private final Path target;
    private final Deque<FileLock> locks = new ArrayDeque<>();

    Side(FileChannel channel, Path target) {
      this.channel = channel;
      this.target = target;
    }

    private Object release() throws IOException {
      if (locks.isEmpty()) {
        return "none";
      }
      FileLock lock = locks.pop();
      lock.release();
      return lock.isValid();
    }

    private Object force() throws IOException {
      channel.force(true);
      return "forced";
    }

    private Object close() throws IOException {
      channel.close();
      return locks.stream().anyMatch(FileLock::isValid);
    }

    /** Makes a call and returns its result or exception, and the channel's state after it. */
    List<Object> seenOf(ChannelCall call, boolean interrupted) throws IOException {
      List<Object> seen = new ArrayList<>();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      try {
        seen.add(call.body.on(this));
      } catch (IOException | RuntimeException e) {
        seen.add(e.getClass());
      }
      seen.add(Thread.interrupted());
      seen.add(channel.isOpen());
      seen.add(channel.isOpen() ? channel.position() : -1);
      return seen;
    }
  }

  private static ChannelCall call(Body body, String name, Object... arguments) {
    return new ChannelCall(name + Arrays.toString(arguments), body);
  }

  /** Makes up a call on a file of some size. */
  static ChannelCall random(Random random, long size) {
    long at = number(random, size);
    long count = number(random, size);
    return switch (random.nextInt(24)) {
      case 0, 1, 2 -> read(random);
      case 3, 4, 5 -> readAt(random, at);
      case 6, 7 -> scatter(random);
      case 8, 9 -> call(side -> side.channel.position(at).isOpen(), "position", at);
      case 10 -> call(side -> side.channel.size(), "size");
      case 11, 12 -> transferToFile(at, count);
      case 13 -> transferToStream(at, count);
      case 14 -> transferToNowhere(random, at, count);
      case 15, 16 -> map(random, at, count);
      case 17, 18 -> mapInArena(random, at, count);
      case 19, 20 -> lock(random, at, count);
      case 21 -> call(Side::release, "release");
      case 22 -> change(random, at, count);
      default -> random.nextInt(6) > 0 ? call(Side::force, "force") : call(Side::close, "close");
    };
  }

  /** Mostly inside the file, also at and past its end, and negative. */
  private static long number(Random random, long size) {
    return switch (random.nextInt(12)) {
      case 0 -> 0;
      case 1 -> size;
      case 2 -> size + random.nextInt(10_000);
      case 3 -> -1 - random.nextInt(5);
      case 4 -> random.nextLong(size / 4096 + 1) * 4096;
      default -> random.nextLong(size + 1);
    };
  }

  private static ByteBuffer buffer(int kind, int bytes) {
    ByteBuffer buffer =
        kind % 2 == 0 ? ByteBuffer.allocate(bytes) : ByteBuffer.allocateDirect(bytes);
    buffer.position(bytes / 5);
    return kind == 7 ? buffer.asReadOnlyBuffer() : buffer;
  }

  private static List<Object> seen(long count, ByteBuffer buffer) {
    return List.of(count, buffer.position(), buffer.limit(), buffer.duplicate().flip().hashCode());
  }

  private static int bytes(Random random) {
    return random.nextInt(5) == 0 ? 0 : random.nextInt(30_000);
  }

  private static ChannelCall read(Random random) {
    int kind = random.nextInt(8);
    int bytes = bytes(random);
    return call(
        side -> {
          ByteBuffer to = buffer(kind, bytes);
          return seen(side.channel.read(to), to);
        },
        "read",
        kind,
        bytes);
  }

  private static ChannelCall readAt(Random random, long at) {
    int kind = random.nextInt(8);
    int bytes = bytes(random);
    return call(
        side -> {
          ByteBuffer to = buffer(kind, bytes);
          return seen(side.channel.read(to, at), to);
        },
        "read",
        kind,
        bytes,
        at);
  }

  private static ChannelCall scatter(Random random) {
    int[] bytes = IntStream.range(0, random.nextInt(5)).map(i -> bytes(random)).toArray();
    int[] kinds = IntStream.range(0, bytes.length).map(i -> random.nextInt(20)).toArray();
    int offset = random.nextInt(bytes.length + 1);
    int length = random.nextInt(bytes.length + 2);
    return call(
        side -> {
          ByteBuffer[] to = new ByteBuffer[bytes.length];
          Arrays.setAll(to, i -> buffer(kinds[i], bytes[i]));
          List<Object> seen = new ArrayList<>();
          seen.add(side.channel.read(to, offset, length));
          for (ByteBuffer each : to) {
            seen.add(seen(0, each));
          }
          return seen;
        },
        "scatter",
        Arrays.toString(bytes),
        Arrays.toString(kinds),
        offset,
        length);
  }

  private static ChannelCall transferToFile(long at, long count) {
    return call(
        side -> {
          try (FileChannel target =
              FileChannel.open(
                  side.target,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE)) {
            long transferred = failureOr(() -> side.channel.transferTo(at, count, target));
            if (!target.isOpen()) {
              return "both closed";
            }
            ByteBuffer bytes = ByteBuffer.allocate((int) target.size());
            target.read(bytes, 0);
            return List.of(transferred, target.position(), bytes.flip().hashCode());
          }
        },
        "transferToFile",
        at,
        count);
  }

  /** An exception as a number, so that the caller can look at the other channel as well. */
  private static long failureOr(Transfer transfer) {
    try {
      return transfer.run();
    } catch (IOException | RuntimeException e) {
      return -e.getClass().hashCode();
    }
  }

  /** A transfer. */
  private interface Transfer {
    long run() throws IOException;
  }

  private static ChannelCall transferToStream(long at, long count) {
    return call(
        side -> {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          WritableByteChannel target = Channels.newChannel(bytes);
          long transferred = failureOr(() -> side.channel.transferTo(at, count, target));
          return List.of(transferred, target.isOpen(), Arrays.hashCode(bytes.toByteArray()));
        },
        "transferToStream",
        at,
        count);
  }

  private static ChannelCall transferToNowhere(Random random, long at, long count) {
    boolean closed = random.nextBoolean();
    long from = Math.abs(at);
    long most = Math.abs(count);
    return call(
        side -> {
          try (FileChannel target = unwritable(closed)) {
            return side.channel.transferTo(from, most, target);
          }
        },
        "transferToNowhere",
        closed,
        from,
        most);
  }

  private static FileChannel unwritable(boolean closed) throws IOException {
    FileChannel channel = FileChannel.open(Path.of("/proc/self/exe"));
    if (closed) {
      channel.close();
    }
    return channel;
  }

  private static MapMode mode(Random random) {
    return random.nextInt(5) == 0 ? MapMode.READ_WRITE : MapMode.READ_ONLY;
  }

  private static ChannelCall map(Random random, long at, long count) {
    MapMode mode = mode(random);
    long bytes = random.nextInt(20) == 0 ? 1L << 31 : count / 2;
    return call(
        side -> {
          MappedByteBuffer buffer = side.channel.map(mode, at, bytes);
          buffer.load();
          buffer.isLoaded();
          buffer.force();
          boolean direct = buffer.isDirect() && buffer.isReadOnly();
          return List.of(direct, buffer.order(), seen(0, buffer), buffer.hashCode());
        },
        "map",
        mode,
        at,
        bytes);
  }

  private static ChannelCall mapInArena(Random random, long at, long count) {
    MapMode mode = mode(random);
    boolean closed = random.nextInt(8) == 0;
    return call(
        side -> {
          Arena arena = Arena.ofConfined();
          try {
            if (closed) {
              arena.close();
            }
            MemorySegment memory = side.channel.map(mode, at, count / 2, arena);
            memory.load();
            memory.isLoaded();
            memory.force();
            return List.of(
                memory.isMapped(),
                memory.isReadOnly(),
                memory.scope().equals(arena.scope()),
                Arrays.hashCode(memory.toArray(ValueLayout.JAVA_BYTE)));
          } finally {
            if (!closed) {
              arena.close();
            }
          }
        },
        "mapInArena",
        mode,
        at,
        count / 2,
        closed);
  }

  private static ChannelCall lock(Random random, long at, long count) {
    boolean shared = random.nextInt(5) > 0;
    boolean waits = random.nextBoolean();
    return call(
        side -> {
          FileLock lock =
              waits
                  ? side.channel.lock(at, count / 8, shared)
                  : side.channel.tryLock(at, count / 8, shared);
          side.locks.push(lock);
          return List.of(lock.isShared(), lock.isValid(), lock.position(), lock.size());
        },
        waits ? "lock" : "tryLock",
        at,
        count / 8,
        shared);
  }

  private static ChannelCall change(Random random, long at, long count) {
    ByteBuffer some = ByteBuffer.allocate(random.nextInt(3));
    return switch (random.nextInt(5)) {
      case 0 -> call(side -> side.channel.truncate(at), "truncate", at);
      case 1 -> call(side -> side.channel.write(some), "write", some);
      case 2 -> call(side -> side.channel.write(some, at), "write", some, at);
      case 3 -> {
        int length = random.nextInt(3);
        yield call(
            side -> side.channel.write(new ByteBuffer[] {some}, 0, length), "gather", length);
      }
      default ->
          call(
              side -> {
                try (FileChannel source = FileChannel.open(Path.of("/proc/self/exe"))) {
                  return side.channel.transferFrom(source, at, count);
                }
              },
              "transferFrom",
              at,
              count);
    };
  }

  @Override
  public String toString() {
    return name;
  }
}
