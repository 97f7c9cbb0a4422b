package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.CorruptImageException;
import dev.xip.image.DecodedExtent;
import dev.xip.image.ExtentDecoder;
import dev.xip.image.FileContent;
import dev.xip.image.MemoryFaults;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorInputStream;

/** Decodes the extents of a compressed file. Linux counterpart: fs/erofs/decompressor.c. */
final class FileDecoder implements ExtentDecoder {
  /** How much of a fragment is read at once. */
  private static final long FRAGMENT_WINDOW = 1 << 17;

  private final ByteView image;
  private final Superblock superblock;
  private final ByteView besideInode;
  private final Clusters clusters;

  /** Null if the file has no fragment. */
  private final FileContent packed;

  /**
   * Makes a decoder.
   *
   * @param image the image
   * @param superblock its superblock
   * @param besideInode what the file's inode lies in
   * @param clusters the extents of the file
   * @param packed what fragments are pieces of, or null if there is none
   */
  FileDecoder(
      ByteView image,
      Superblock superblock,
      ByteView besideInode,
      Clusters clusters,
      FileContent packed) {
    this.image = image;
    this.superblock = superblock;
    this.besideInode = besideInode;
    this.clusters = clusters;
    this.packed = packed;
  }

  @Override
  public DecodedExtent decode(long fileOffset) throws CorruptImageException {
    try {
      return decodeAt(clusters.indexOf(fileOffset), fileOffset);
    } catch (CorruptImageException damage) {
      throw damage;
    } catch (MalformedDataException damage) {
      throw new CorruptImageException(
          damage.getFile(), damage.offset(), damage.expected(), damage.found());
    } finally {
      MemoryFaults.check(image.file(), image.memory());
    }
  }

  private DecodedExtent decodeAt(int index, long fileOffset) throws MalformedDataException {
    long start = clusters.start(index);
    long length = clusters.end(index) - start;
    ByteView view = clusters.isBesideInode(index) ? besideInode : image;
    long place = clusters.place(index);
    return switch (clusters.form(index)) {
      case HOLE -> new DecodedExtent(start, length, null);
      case PLAIN -> new DecodedExtent(start, length, view.memory().asSlice(place, length));
      case INTERLACED -> {
        byte[] stored = view.bytes(place, clusters.stored(index));
        yield extent(start, rotated(view, place, stored, start, (int) length));
      }
      case LZ4 -> {
        byte[] stored = view.bytes(place, clusters.stored(index));
        yield extent(start, lz4(view, place, stored, (int) length));
      }
      case FRAGMENT -> fragment(start, place, length, fileOffset);
    };
  }

  private static DecodedExtent extent(long start, byte[] bytes) {
    return new DecodedExtent(start, bytes.length, MemorySegment.ofArray(bytes));
  }

  /** Bytes up to the end of a block lie at their own offset in it, the others at its start. */
  private byte[] rotated(ByteView view, long place, byte[] stored, long start, int length)
      throws MalformedDataException {
    int offset = superblock.offsetInBlock(start);
    int first = Math.min(superblock.blockSize() - offset, length);
    if (offset + first > stored.length) {
      throw view.malformed(
          place, "a block of %d bytes".formatted(offset + first), stored.length + " bytes");
    }
    byte[] bytes = new byte[length];
    System.arraycopy(stored, offset, bytes, 0, first);
    System.arraycopy(stored, 0, bytes, first, length - first);
    return bytes;
  }

  /** Compressed bytes end with their blocks, in old images begin with them. */
  private byte[] lz4(ByteView view, long place, byte[] stored, int length)
      throws MalformedDataException {
    int from = 0;
    while (superblock.has(ErofsFeatures.INCOMPAT_ZERO_PADDING)
        && from < stored.length
        && stored[from] == 0) {
      from++;
    }
    byte[] bytes = new byte[length];
    String found;
    try (BlockLZ4CompressorInputStream in =
        new BlockLZ4CompressorInputStream(
            new ByteArrayInputStream(stored, from, stored.length - from))) {
      int count = in.readNBytes(bytes, 0, length);
      if (count == length) {
        return bytes;
      }
      found = count + " bytes";
    } catch (IOException | IllegalArgumentException e) {
      found = e.getMessage();
    }
    throw view.malformed(place + from, "%d bytes compressed with LZ4".formatted(length), found);
  }

  private DecodedExtent fragment(long start, long place, long length, long fileOffset)
      throws CorruptImageException {
    long skipped = fileOffset - start & -FRAGMENT_WINDOW;
    byte[] bytes = new byte[(int) Math.min(FRAGMENT_WINDOW, length - skipped)];
    packed.read(place + skipped, MemorySegment.ofArray(bytes));
    return extent(start + skipped, bytes);
  }
}
