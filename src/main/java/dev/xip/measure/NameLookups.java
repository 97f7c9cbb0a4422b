package dev.xip.measure;

import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Random;

/**
 * Look-ups of name, attributes and first 4 KiB of files of a {@link WorkTree}, in the same random
 * order for every contender. For one thread.
 */
public abstract class NameLookups implements Workload {
  /** The files of one run. */
  public static final int LOOKUPS = 256;

  private static final int PAGE = 4096;

  /** A multiple of {@link #LOOKUPS}. */
  private static final int PATHS = 1 << 17;

  private final String[] paths = new String[PATHS];
  private int next;

  private NameLookups(int files) {
    Random random = new Random(42);
    for (int i = 0; i < PATHS; i++) {
      paths[i] = WorkTree.path(random.nextInt(files));
    }
  }

  /**
   * Looks files up in place. As with the other method, every look-up is made once before this
   * returns, so that the caches are warm.
   *
   * @param image the image of a work tree
   * @param files the number of its files
   * @return the workload
   * @throws IOException if one of them cannot be read
   */
  public static NameLookups in(FsImage image, int files) throws IOException {
    MemorySegment page = MemorySegment.ofArray(new byte[PAGE]);
    return warm(
        new NameLookups(files) {
          @Override
          long lookUp(String path) throws IOException {
            Inode inode = PathResolver.resolve(image, path, true);
            long read = FileContent.of(image, inode).read(0, page);
            return inode.size() + inode.number() + read;
          }
        });
  }

  /**
   * Looks files up through java.nio.
   *
   * @param root the root of a work tree in any file system
   * @param files the number of its files
   * @return the workload
   * @throws IOException if one of them cannot be read
   */
  public static NameLookups in(Path root, int files) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(PAGE);
    return warm(
        new NameLookups(files) {
          @Override
          long lookUp(String path) throws IOException {
            Path file = root.resolve(path);
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            try (SeekableByteChannel channel = Files.newByteChannel(file)) {
              page.clear();
              while (page.hasRemaining() && channel.read(page) >= 0) {
                continue;
              }
            }
            return attributes.size() + attributes.lastModifiedTime().toMillis() + page.position();
          }
        });
  }

  private static NameLookups warm(NameLookups lookups) throws IOException {
    for (int i = 0; i < PATHS; i += LOOKUPS) {
      lookups.run();
    }
    return lookups;
  }

  @Override
  public long run() throws IOException {
    long sum = 0;
    for (int i = 0; i < LOOKUPS; i++) {
      sum += lookUp(paths[next + i]);
    }
    next = next + LOOKUPS & PATHS - 1;
    return sum;
  }

  abstract long lookUp(String path) throws IOException;
}
