package dev.xip.bench;

import dev.xip.base.FileName;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.measure.LoopMount;
import dev.xip.measure.NameLookups;
import dev.xip.measure.WorkTree;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Name, attributes and first 4 KiB of each file of one image with 100,000 in 100 folders, in random
 * order: xip, java.nio on the kernel's loop mount of the same image, and zipfs on a stored zip of
 * the same tree. All caches are warm. Without root, which may mount, the kernel's row is replaced
 * by an error that says so.
 */
@Warmup(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
public class SmallFilesBenchmark extends CommonOptions {
  private static final int FILES = 100_000;

  private static WorkTree tree(int files) throws IOException {
    byte[] content = new byte[4096];
    new Random(42).nextBytes(content);
    return WorkTree.create(Path.of(System.getProperty("java.io.tmpdir")), files, content);
  }

  /** The tree as an image, read by xip. */
  @State(Scope.Thread)
  public static class InPlace {
    private WorkTree tree;
    private OpenImage mount;
    private NameLookups lookups;

    /** Packs. */
    @Setup
    public void open() throws IOException {
      tree = tree(FILES);
      mount = OpenImage.open(tree.image());
      lookups = NameLookups.in(mount.image(), FILES);
    }

    /** Removes everything. */
    @TearDown
    public void close() throws IOException {
      mount.close();
      tree.close();
    }
  }

  /** One folder of the tree, and the names of its files. */
  @State(Scope.Thread)
  public static class Folder {
    private final FileName[] names = new FileName[WorkTree.PER_FOLDER];
    private WorkTree tree;
    private OpenImage mount;
    private Inode folder;

    /** Packs. */
    @Setup
    public void open() throws IOException {
      tree = tree(names.length);
      mount = OpenImage.open(tree.image());
      for (int i = 0; i < names.length; i++) {
        names[i] = FileName.of(Path.of(WorkTree.path(i)).getFileName().toString());
      }
      String path = Path.of(WorkTree.path(0)).getParent().toString();
      folder = PathResolver.resolve(mount.image(), path, true);
    }

    /** Removes everything. */
    @TearDown
    public void close() throws IOException {
      mount.close();
      tree.close();
    }
  }

  /** The tree as an image that the kernel mounts. */
  @State(Scope.Thread)
  public static class Mounted {
    private WorkTree tree;
    private LoopMount mount;
    private NameLookups lookups;

    /** Packs and mounts. */
    @Setup
    public void open() throws IOException {
      tree = tree(FILES);
      Optional<LoopMount> loop = LoopMount.of(tree.image(), tree.folder());
      if (loop.isEmpty()) {
        tree.close();
        throw new IOException(
            "NO ROW FOR THE KERNEL'S LOOP MOUNT: this user may not mount, or the host has no loop"
                + " device");
      }
      mount = loop.get();
      lookups = NameLookups.in(mount.root(), FILES);
    }

    /** Unmounts and removes everything. */
    @TearDown
    public void close() throws IOException {
      mount.close();
      tree.close();
    }
  }

  /** The tree as a zip with stored files. */
  @State(Scope.Thread)
  public static class Zipped {
    private WorkTree tree;
    private FileSystem zip;
    private NameLookups lookups;

    /** Packs and opens. */
    @Setup
    public void open() throws IOException {
      tree = tree(FILES);
      zip = FileSystems.newFileSystem(tree.zip());
      lookups = NameLookups.in(zip.getPath("/"), FILES);
    }

    /** Removes everything. */
    @TearDown
    public void close() throws IOException {
      zip.close();
      tree.close();
    }
  }

  /** Reads in place. */
  @Benchmark
  @OperationsPerInvocation(NameLookups.LOOKUPS)
  public long inPlace(InPlace in) throws IOException {
    return in.lookups.run();
  }

  /** Look-up of a name alone, in a folder whose inode is known. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(WorkTree.PER_FOLDER)
  public long nameInFolder(Folder in) throws IOException {
    long sum = 0;
    for (FileName name : in.names) {
      sum += in.mount.image().find(in.folder, name);
    }
    return sum;
  }

  /** The kernel's own reader, through java.nio. */
  @Benchmark
  @OperationsPerInvocation(NameLookups.LOOKUPS)
  public long loopMount(Mounted in) throws IOException {
    return in.lookups.run();
  }

  /** A stored zip, through java.nio. */
  @Benchmark
  @OperationsPerInvocation(NameLookups.LOOKUPS)
  public long zip(Zipped in) throws IOException {
    return in.lookups.run();
  }
}
