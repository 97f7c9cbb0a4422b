package dev.xip.extract;

import dev.xip.host.HostFile;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.DecodedExtent;
import dev.xip.image.Extent;
import dev.xip.image.ExtentDecoder;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.Overlay;
import dev.xip.mount.ImagePiece;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Sends the bytes of a file from the image's page cache to a channel, extent by extent, with no
 * buffer of ours between: to pipes and files by sendfile or copy_file_range, to a device by writes
 * from the mapped image, as is done with what a replay of the journal changed.
 */
public final class ExtentTransfer {
  private static final int ZEROS = 1 << 16;

  /** The most bytes of one write to a device: a buffer has less than 2 GiB. */
  private static final long AT_ONCE = 1L << 30;

  private final FsImage image;
  private final List<ImagePiece> pieces;
  private final Overlay overlay;
  private final boolean toDevice;

  private ExtentTransfer(OpenImage mount, boolean toDevice) {
    this.image = mount.image();
    this.pieces = mount.pieces();
    this.overlay = mount.overlay();
    this.toDevice = toDevice;
  }

  /**
   * Prepares transfers out of an image.
   *
   * @param mount the open image
   * @return the transfer, to be used while the image is open
   */
  public static ExtentTransfer from(OpenImage mount) {
    return new ExtentTransfer(mount, false);
  }

  /**
   * Prepares transfers out of an image to a device, such as a terminal or {@code /dev/null}. Other
   * targets get the same bytes, with one more copy.
   *
   * @param mount the open image
   * @return the transfer, to be used while the image is open
   */
  public static ExtentTransfer toDevice(OpenImage mount) {
    return new ExtentTransfer(mount, true);
  }

  /**
   * Sends a whole file in order, holes as zeros.
   *
   * @param file the inode of a regular file
   * @param target where the bytes go
   * @throws CorruptImageException if the image ends before the file does
   * @throws FileSystemException if the file's bytes are stored in another form
   * @throws IOException if the target refuses
   */
  public void stream(Inode file, WritableByteChannel target) throws IOException {
    BlockMap map = image.blockMap(file);
    if (!map.verdict().copyable()) {
      decode(file, target, ExtentTransfer::sendZeros);
      return;
    }
    long position = 0;
    for (int i = 0; i < map.extentCount() && position < file.size(); i++) {
      Extent extent = map.extent(i);
      sendZeros(Math.min(extent.fileOffset(), file.size()) - position, target);
      send(extent, file.size(), target);
      position = Math.min(extent.fileEnd(), file.size());
    }
    sendZeros(file.size() - position, target);
  }

  /**
   * Writes a file into a new one of the same length, holes staying holes.
   *
   * @param file the inode of a regular file
   * @param target an empty file of the right length
   * @throws IOException as {@link #stream}
   */
  public void copySparse(Inode file, FileChannel target) throws IOException {
    BlockMap map = image.blockMap(file);
    if (!map.verdict().copyable()) {
      decode(file, target, (length, channel) -> target.position(target.position() + length));
      return;
    }
    for (int i = 0; i < map.extentCount() && map.extent(i).fileOffset() < file.size(); i++) {
      target.position(map.extent(i).fileOffset());
      send(map.extent(i), file.size(), target);
    }
  }

  /**
   * Writes a file into a new one, holes staying holes.
   *
   * @param file the inode of a regular file
   * @param target an empty file, open for writing
   * @throws IOException as {@link #stream}
   */
  public void fill(Inode file, HostFile target) throws IOException {
    if (file.size() > 0) {
      target.truncate(file.size());
      try (FileChannel channel =
          FileChannel.open(target.descriptorPath(), StandardOpenOption.WRITE)) {
        copySparse(file, channel);
      }
    }
  }

  /** Passes over a hole in a decoded file. */
  @FunctionalInterface
  private interface Hole {
    void pass(long length, WritableByteChannel target) throws IOException;
  }

  /** Sends the bytes of a file that must be decoded, each extent from the memory it comes in. */
  private void decode(Inode file, WritableByteChannel target, Hole hole) throws IOException {
    ExtentDecoder decoder = image.decoder(file);
    for (long position = 0; position < file.size(); ) {
      DecodedExtent extent = decoder.decode(position);
      long run = Math.min(extent.fileEnd() - position, AT_ONCE);
      if (extent.bytes() == null) {
        hole.pass(run, target);
      } else {
        long from = position - extent.fileOffset();
        ByteBuffer bytes = extent.bytes().asSlice(from, run).asByteBuffer();
        while (bytes.hasRemaining()) {
          target.write(bytes);
        }
        MemoryFaults.check(image.name(), image.memory());
      }
      position += run;
    }
  }

  /** Sends the part of an extent that lies before the end of the file. */
  private void send(Extent extent, long fileSize, WritableByteChannel target) throws IOException {
    long from = extent.imageOffset();
    long end = from + Math.min(extent.length(), fileSize - extent.fileOffset());
    while (from < end) {
      from += send(pieceAt(from), from, end, target);
    }
  }

  /** A place past the end of the image is looked up in the last piece, where it is reported. */
  private ImagePiece pieceAt(long at) {
    int i = 0;
    while (i < pieces.size() - 1 && pieces.get(i).end() <= at) {
      i++;
    }
    return pieces.get(i);
  }

  /** Sends some of the bytes that a piece has of a range and returns how many. */
  private long send(ImagePiece piece, long from, long end, WritableByteChannel target)
      throws IOException {
    long toFile = piece.fileOffset() - piece.start();
    long size = piece.channel().size();
    if (from + toFile >= size) {
      throw new CorruptImageException(
          image.name(),
          from,
          "bytes of a file up to 0x%x".formatted(end),
          "the end of %s at 0x%x: it was truncated while in use"
              .formatted(
                  pieces.size() == 1 ? "the image" : "a segment", Math.max(0, size - toFile)));
    }
    long wanted = (piece == pieces.getLast() ? end : Math.min(end, piece.end())) - from;
    if (!toDevice && !overlay.touches(from, wanted)) {
      return piece.channel().transferTo(from + toFile, wanted, target);
    }
    // Not past the file's end: the rest of its last page reads as zeros, pages behind it are gone.
    long there = Math.min(Math.min(wanted, AT_ONCE), size - from - toFile);
    try {
      return target.write(image.memory().asSlice(from, there).asByteBuffer());
    } catch (IOException e) {
      // If the file was truncated meanwhile (EFAULT), the next call reports it.
      if (piece.channel().size() >= from + toFile + there) {
        throw e;
      }
      return 0;
    }
  }

  private static void sendZeros(long count, WritableByteChannel target) throws IOException {
    if (count <= 0) {
      return;
    }
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(count, ZEROS));
    for (long left = count; left > 0; left -= zeros.position()) {
      zeros.clear().limit((int) Math.min(left, zeros.capacity()));
      while (zeros.hasRemaining()) {
        target.write(zeros);
      }
    }
  }
}
