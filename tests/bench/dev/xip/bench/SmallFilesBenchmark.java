package dev.xip.bench;

import dev.xip.image.FileContent;
import dev.xip.image.FileName;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.machine.ImageMount;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Name, attributes and first 4 KiB of each file of one image, in random order: ours, java.nio on
 * the kernel's loop mount of the same image, and zipfs on a stored zip of the same tree. Everything
 * is warm. Run with {@code mvn -Pbench -Dbench=SmallFiles}, as root, for only root may mount; who
 * is not gets an error that says so in the place of the kernel's row.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 2,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Xmx2g"})
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
public class SmallFilesBenchmark {
  private static final int FIRST_BYTES = 4096;

  /** So many names are asked for in a row before the time is taken. */
  private static final int BATCH = 20_000;

  /** A tree of small files, and the order in which they are asked for. */
  @State(Scope.Thread)
  public static class Tree {
    /** How many files. */
    @Param("100000")
    int files;

    /** How many folders they are spread over. */
    @Param({"1", "100"})
    int folders;

    Path scratch;
    Path tree;
    final List<String> names = new ArrayList<>();
    private int next;

    void make() throws IOException {
      scratch = Files.createTempDirectory("xip-bench");
      tree = scratch.resolve("tree");
      Random random = new Random(6);
      for (int i = 0; i < files; i++) {
        String name = "folder%03d/file-%06d.txt".formatted(i % folders, i);
        names.add(name);
        Files.createDirectories(tree.resolve(name).getParent());
        byte[] content = new byte[random.nextInt(6000)];
        random.nextBytes(content);
        Files.write(tree.resolve(name), content);
      }
      Collections.shuffle(names, random);
    }

    String name() {
      next = next + 1 == names.size() ? 0 : next + 1;
      return names.get(next);
    }

    void remove() throws IOException {
      Processes.run("rm", "-r", scratch.toString());
    }
  }

  /** The tree as an image, and read by us. */
  public static class InPlace extends Tree {
    private ImageMount mount;
    private final MemorySegment first = Arena.global().allocate(FIRST_BYTES);

    /** Packs. */
    @Setup
    public void open() throws IOException {
      make();
      mount = ImageMount.open(Images.ext2(tree));
    }

    /** Removes everything. */
    @TearDown
    public void close() throws IOException {
      mount.close();
      remove();
    }
  }

  /** The tree as an image that the kernel has mounted. */
  public static class Mounted extends Tree {
    private final ByteBuffer first = ByteBuffer.allocateDirect(FIRST_BYTES);
    private Path root;

    /** Packs and mounts. */
    @Setup
    public void open() throws IOException {
      String reason = Images.whyNoLoopMount();
      if (!reason.isEmpty()) {
        throw new IOException("NO ROW FOR THE KERNEL'S LOOP MOUNT: " + reason);
      }
      make();
      root = Files.createDirectory(scratch.resolve("mounted"));
      String image = Images.ext2(tree).toString();
      Processes.run("mount", "-t", "ext4", "-o", "loop,ro", image, root.toString());
    }

    /** Unmounts and removes everything. */
    @TearDown
    public void close() throws IOException {
      if (root != null) {
        Processes.run("umount", root.toString());
        remove();
      }
    }
  }

  /** The tree as a zip that holds the files as they are. */
  public static class Zipped extends Tree {
    private final ByteBuffer first = ByteBuffer.allocateDirect(FIRST_BYTES);
    private FileSystem zip;

    /** Packs and opens. */
    @Setup
    public void open() throws IOException {
      make();
      Path file = scratch.resolve("tree.zip");
      try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file));
          Stream<Path> all = Files.walk(tree)) {
        out.setMethod(ZipOutputStream.STORED);
        all.filter(Files::isRegularFile).forEach(each -> store(tree, each, out));
      }
      zip = FileSystems.newFileSystem(URI.create("jar:" + file.toUri()), Map.of());
    }

    private static void store(Path tree, Path file, ZipOutputStream out) {
      try {
        byte[] content = Files.readAllBytes(file);
        CRC32 crc = new CRC32();
        crc.update(content);
        ZipEntry entry = new ZipEntry(tree.relativize(file).toString());
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        out.putNextEntry(entry);
        out.write(content);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Removes everything. */
    @TearDown
    public void close() throws IOException {
      zip.close();
      remove();
    }
  }

  /** Ours. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long inPlace(InPlace in) throws IOException {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      Inode inode = PathResolver.resolve(in.mount.image(), FileName.of(in.name()), true);
      sum += inode.modified().getEpochSecond() + inode.size();
      sum += FileContent.of(in.mount.image(), inode).read(0, in.first);
    }
    return sum;
  }

  /** The kernel's own reader, through java.nio. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long loopMount(Mounted in) throws IOException {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      sum += nio(in.root.resolve(in.name()), in.first);
    }
    return sum;
  }

  /** A stored zip, through java.nio. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long zip(Zipped in) throws IOException {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      sum += nio(in.zip.getPath(in.name()), in.first);
    }
    return sum;
  }

  private static long nio(Path path, ByteBuffer first) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    long sum = attributes.lastModifiedTime().toMillis() + attributes.size();
    try (SeekableByteChannel channel = Files.newByteChannel(path)) {
      return sum + channel.read(first.clear());
    }
  }
}
