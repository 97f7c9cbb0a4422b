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
 * Name, attributes and first 4 KiB of files of a {@link WorkTree} in random order, the same one for
 * every competitor. For one thread.
 */
public abstract class Visits implements Work {
  /** So many files are one work. */
  public static final int VISITS = 256;

  private static final int PAGE = 4096;

  /** A multiple of {@link #VISITS}. */
  private static final int PATHS = 1 << 17;

  private final String[] paths = new String[PATHS];
  private int next;

  private Visits(int files) {
    Random random = new Random(42);
    for (int i = 0; i < PATHS; i++) {
      paths[i] = WorkTree.path(random.nextInt(files));
    }
  }

  /**
   * Visits files in place. All that will be visited are visited once before this returns, as with
   * the other method, so that what is compared is warm.
   *
   * @param image the image of a work tree
   * @param files how many files it has
   * @return the work
   * @throws IOException if one of them cannot be read
   */
  public static Visits in(FsImage image, int files) throws IOException {
    MemorySegment page = MemorySegment.ofArray(new byte[PAGE]);
    return warm(
        new Visits(files) {
          @Override
          long visit(String path) throws IOException {
            Inode inode = PathResolver.resolve(image, path, true);
            long read = FileContent.of(image, inode).read(0, page);
            return inode.size() + inode.number() + read;
          }
        });
  }

  /**
   * Visits files through java.nio.
   *
   * @param root the root of a work tree in any file system
   * @param files how many files it has
   * @return the work
   * @throws IOException if one of them cannot be read
   */
  public static Visits in(Path root, int files) throws IOException {
    ByteBuffer page = ByteBuffer.allocate(PAGE);
    return warm(
        new Visits(files) {
          @Override
          long visit(String path) throws IOException {
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

  private static Visits warm(Visits visits) throws IOException {
    for (int i = 0; i < PATHS; i += VISITS) {
      visits.run();
    }
    return visits;
  }

  @Override
  public long run() throws IOException {
    long sum = 0;
    for (int i = 0; i < VISITS; i++) {
      sum += visit(paths[next + i]);
    }
    next = next + VISITS & PATHS - 1;
    return sum;
  }

  abstract long visit(String path) throws IOException;
}
