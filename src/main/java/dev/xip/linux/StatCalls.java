package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.image.FileType;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Link;
import dev.xip.vfs.Node;
import dev.xip.vfs.Special;
import dev.xip.vfs.Tree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/** System calls that tell what a file is. Linux counterpart: fs/stat.c, fs/statfs.c. */
final class StatCalls {
  private static final int STAT_BYTES = 144;
  private static final int STATX_BYTES = 256;
  private static final int STATX_BASIC = 0x7ff;
  private static final int STATX_BTIME = 0x800;
  private static final int STATX_RESERVED = 0x8000_0000;
  private static final int STATX_FLAGS = PathCalls.FLAGS | 0x800 | 0x6000;
  private static final int STATFS_BYTES = 120;
  private static final int MOST_NAME = 255;

  /** Of pipes: the number of their device, as no tree has it. */
  private static final long PIPE_DEVICE = 0xd;

  private static final Attributes PIPE = Attributes.of(FileType.FIFO, 0600);

  private final Task task;
  private final PathCalls paths;

  StatCalls(Task task, PathCalls paths) {
    this.task = task;
    this.paths = paths;
  }

  /** newfstatat(2). */
  long stat(long fd, long path, long va, int flags) throws IOException {
    if ((flags & ~STATX_FLAGS) != 0) {
      return -Errno.EINVAL.number();
    }
    return put(paths.node(fd, path, flags & PathCalls.FLAGS), fd, va);
  }

  /** fstat(2). */
  long stat(long fd, long va) throws IOException {
    return put(paths.node(fd), fd, va);
  }

  /** stat(2) and lstat(2). */
  long stat(long path, long va, boolean follow) throws IOException {
    return put(paths.node(path, follow), PathCalls.AT_FDCWD, va);
  }

  /** Writes struct stat of x86-64 (arch/x86/include/uapi/asm/stat.h); null is a pipe. */
  private long put(Node node, long fd, long va) throws IOException {
    Attributes of = node == null ? PIPE : node.attributes();
    ByteBuffer struct = ByteBuffer.allocate(STAT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    struct.putLong(device(node)).putLong(number(node, fd)).putLong(links(node));
    struct.putInt(of.mode()).putInt((int) of.uid()).putInt((int) of.gid()).putInt(0);
    long major = node instanceof Special special ? special.major() : 0;
    long minor = node instanceof Special special ? special.minor() : 0;
    struct.putLong(major << 8 | minor & 0xff | (minor & ~0xff) << 12);
    struct.putLong(node == null ? 0 : node.size()).putLong(Pages.SIZE);
    struct.putLong(node == null ? 0 : node.blocks());
    putTime(struct, of.accessed());
    putTime(struct, of.modified());
    putTime(struct, of.changed());
    task.memory().write(va, struct.array(), STAT_BYTES);
    return 0;
  }

  private static void putTime(ByteBuffer struct, Instant time) {
    Instant known = time == null ? Instant.EPOCH : time;
    struct.putLong(known.getEpochSecond()).putLong(known.getNano());
  }

  private static long device(Node node) {
    return node == null ? PIPE_DEVICE : node.tree().device();
  }

  private long number(Node node, long fd) throws IOException {
    return node == null ? paths.file(fd).number() : node.number();
  }

  private static long links(Node node) {
    return node == null ? 1 : node.links();
  }

  /** statx(2). */
  long statx(long fd, long path, int flags, int mask, long va) throws IOException {
    if ((flags & ~STATX_FLAGS) != 0 || (flags & 0x6000) == 0x6000 || (mask & STATX_RESERVED) != 0) {
      return -Errno.EINVAL.number();
    }
    Node node = paths.node(fd, path, flags & PathCalls.FLAGS);
    Attributes of = node == null ? PIPE : node.attributes();
    ByteBuffer struct = ByteBuffer.allocate(STATX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    struct.putInt(STATX_BASIC | (of.created() == null ? 0 : STATX_BTIME));
    struct.putInt((int) Pages.SIZE).putLong(0);
    struct.putInt((int) links(node)).putInt((int) of.uid()).putInt((int) of.gid());
    struct.putInt(of.mode()).putLong(number(node, fd)).putLong(node == null ? 0 : node.size());
    struct.putLong(node == null ? 0 : node.blocks()).putLong(0);
    putTime(struct, of.accessed());
    putTime(struct, of.created());
    putTime(struct, of.changed());
    putTime(struct, of.modified());
    struct.putInt(node instanceof Special special ? special.major() : 0);
    struct.putInt(node instanceof Special special ? special.minor() : 0);
    struct.putInt((int) (device(node) >>> 8)).putInt((int) device(node) & 0xff);
    task.memory().write(va, struct.array(), STATX_BYTES);
    return 0;
  }

  /** statfs(2). */
  long fileSystem(long path, long va) throws IOException {
    return putUsage(paths.node(path, true), va);
  }

  /** fstatfs(2). */
  long openFileSystem(long fd, long va) throws IOException {
    return putUsage(paths.node(fd), va);
  }

  private long putUsage(Node node, long va) throws IOException {
    if (node == null) {
      return -Errno.ENOSYS.number();
    }
    Tree.Usage usage = node.tree().usage();
    ByteBuffer struct = ByteBuffer.allocate(STATFS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    struct.putLong(usage.magic()).putLong(Pages.SIZE).putLong(usage.blocks());
    struct.putLong(usage.free()).putLong(usage.free());
    struct.putLong(usage.files()).putLong(usage.freeFiles()).putLong(node.tree().device());
    struct.putLong(MOST_NAME).putLong(Pages.SIZE).putLong(0);
    task.memory().write(va, struct.array(), STATFS_BYTES);
    return 0;
  }

  /** readlinkat(2). */
  long readLink(long fd, long path, long va, long size) throws IOException {
    if ((int) size <= 0) {
      return -Errno.EINVAL.number();
    }
    FileName name = paths.path(path);
    Node node = paths.node(fd, name, PathCalls.FLAGS);
    if (!(node instanceof Link link)) {
      return -(name.length() == 0 ? Errno.ENOENT : Errno.EINVAL).number();
    }
    byte[] target = link.target().bytes();
    int length = (int) Math.min(size, target.length);
    task.memory().write(va, target, length);
    return length;
  }
}
