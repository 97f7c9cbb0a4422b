package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.mount.DirectoryListing;
import dev.xip.mount.Placement;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One image, read in every way: all ways agree, whatever numbers it holds. */
public final class WholeReading {
  /** The name of the image in messages. */
  public static final String NAME = "random.img";

  private final byte[] buffer = new byte[4096];
  private final byte[] taken = new byte[4096];

  /** The types of the files met. */
  public final Set<FileType> types = new HashSet<>();

  private final Set<Long> regular = new HashSet<>();
  private final ImageFormat format;
  private final byte[] bytes;
  private final Overlay replayed;
  private FsImage image;

  /** Whether the image opened. */
  public boolean opened;

  /** How many extended attributes were met. */
  public int attributes;

  private boolean placed = true;

  /** The first damage met after opening. */
  public IOException damage;

  /**
   * Prepares a reading.
   *
   * @param format the format of the image
   * @param bytes the image
   */
  public WholeReading(ImageFormat format, byte[] bytes) {
    this(format, bytes, Overlay.NONE);
  }

  /**
   * Prepares a reading of an image whose journal was replayed.
   *
   * @param format the format of the image
   * @param bytes the image after the replay
   * @param replayed what the replay changed
   */
  public WholeReading(ImageFormat format, byte[] bytes, Overlay replayed) {
    this.format = format;
    this.bytes = bytes;
    this.replayed = replayed;
  }

  /**
   * Reads the image.
   *
   * @throws IOException if it does not open
   */
  public void everything() throws IOException {
    MemorySegment memory = MemorySegment.ofArray(bytes);
    image = replayed.isEmpty() ? format.open(NAME, memory) : format.open(NAME, memory, replayed);
    opened = true;
    boolean walked = passes(() -> TreeWalk.walk(image, root(), (walk, inode) -> one(inode)));
    Set<Long> judged = new HashSet<>();
    boolean checked =
        passes(
            () ->
                Placement.check(
                    image,
                    root(),
                    file -> judged.add(file.inode().number()),
                    ProgressListener.NONE));
    assertThat(checked).as("check ends well if a walk and its maps do").isEqualTo(walked && placed);
    if (checked) {
      assertThat(judged).as("what check saw").isEqualTo(regular);
    }
  }

  private Inode root() throws IOException {
    return image.root();
  }

  /** Reading that may meet damage. */
  private interface Part {
    void read() throws IOException;
  }

  private boolean passes(Part part) {
    try {
      part.read();
      return true;
    } catch (IOException e) {
      assertThat(e).hasMessageContaining(NAME);
      damage = damage == null ? e : damage;
      return false;
    }
  }

  private void one(Inode inode) {
    types.add(inode.type());
    passes(() -> attributes += image.extendedAttributes(inode).size());
    switch (inode.type()) {
      case SYMLINK -> passes(() -> image.readLink(inode));
      case REGULAR -> {
        regular.add(inode.number());
        placed &= passes(() -> image.blockMap(inode));
        passes(() -> contents(inode));
      }
      case DIRECTORY -> passes(() -> names(inode));
      default -> {}
    }
  }

  /** Both ends, and what lies at the first extents: a damaged size can be terabytes of zeros. */
  private void contents(Inode inode) throws IOException {
    FileContent content;
    try {
      content = FileContent.of(image, inode);
    } catch (CorruptImageException damage) {
      throw damage;
    } catch (FileSystemException refusal) {
      // A single file that this version does not read is no damage.
      assertThat(image.blockMap(inode).verdict().copyable()).isFalse();
      return;
    }
    BlockMap map = image.blockMap(inode);
    Arrays.fill(buffer, (byte) 1);
    int count = (int) content.read(0, MemorySegment.ofArray(buffer));
    assertThat(content.read(0, buffer.length, this::take, 0)).isEqualTo(count);
    assertThat(Arrays.equals(taken, 0, count, buffer, 0, count)).isTrue();
    content.read(Math.max(0, inode.size() - 4096), MemorySegment.ofArray(buffer));
    for (int i = 0; i < Math.min(8, map.extentCount()); i++) {
      content.read(map.extent(i).fileOffset(), MemorySegment.ofArray(buffer));
    }
  }

  private long take(MemorySegment from, long offset, long at, long length) {
    MemorySegment.copy(from, offset, MemorySegment.ofArray(taken), at, length);
    return length;
  }

  private void names(Inode folder) throws IOException {
    Map<FileName, Long> listed = new LinkedHashMap<>();
    image.list(folder, (name, number, type) -> listed.put(name, number) == null);
    for (Map.Entry<FileName, Long> each : listed.entrySet()) {
      assertThat(image.find(folder, each.getKey())).isEqualTo(each.getValue());
    }
    assertThat(image.find(folder, FileName.of("not there"))).isEqualTo(-1);
    for (DirectoryListing.Entry entry : DirectoryListing.of(image, folder)) {
      assertThat(entry.inode().number()).isEqualTo(listed.remove(entry.name()));
    }
    listed.keySet().removeAll(List.of(FileName.of("."), FileName.of("..")));
    assertThat(listed).isEmpty();
  }
}
