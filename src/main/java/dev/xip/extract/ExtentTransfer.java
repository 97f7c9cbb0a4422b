package dev.xip.extract;

import dev.xip.host.HostFile;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.Extent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
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
 * Sends the bytes of a file from the image's own page cache to a channel, extent by extent, through
 * the kernel: none of them passes a buffer of ours. Pipes and files are sent pages of the image
 * (sendfile, copy_file_range); a device is written to from where the image is mapped, and takes
 * what it wants.
 */
public final class ExtentTransfer {
  private static final int ZEROS = 1 << 16;

  /** What a device is handed at once: a buffer has no more than 2 GiB. */
  private static final long AT_ONCE = 1L << 30;

  private final FsImage image;
  private final List<ImagePiece> pieces;
  private final boolean toDevice;

  private ExtentTransfer(OpenImage mount, boolean toDevice) {
    this.image = mount.image();
    this.pieces = mount.pieces();
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
   * targets get the same bytes, by a copy more.
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
   * @throws FileSystemException if the file's bytes do not stand in the image as they are read
   * @throws IOException if the target refuses
   */
  public void stream(Inode file, WritableByteChannel target) throws IOException {
    BlockMap map = readableMap(file);
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
    BlockMap map = readableMap(file);
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

  private BlockMap readableMap(Inode file) throws IOException {
    BlockMap map = image.blockMap(file);
    if (!map.verdict().copyable()) {
      throw new FileSystemException(
          image.name(),
          null,
          "inode %d cannot be read: %s".formatted(file.number(), map.verdict().reason()));
    }
    return map;
  }

  /** Sends the part of an extent that lies before the end of the file. */
  private void send(Extent extent, long fileSize, WritableByteChannel target) throws IOException {
    long from = extent.imageOffset();
    long end = from + Math.min(extent.length(), fileSize - extent.fileOffset());
    while (from < end) {
      from += send(pieceAt(from), from, end, target);
    }
  }

  /** What lies past the end of the image is asked of its last piece, and missed there. */
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
    long at = from - piece.start();
    if (at >= piece.channel().size()) {
      throw new CorruptImageException(
          image.name(),
          from,
          "bytes of a file up to 0x%x".formatted(end),
          "the end of %s at 0x%x: it was truncated while in use"
              .formatted(
                  pieces.size() == 1 ? "the image" : "a segment",
                  piece.start() + piece.channel().size()));
    }
    long wanted = (piece == pieces.getLast() ? end : Math.min(end, piece.end())) - from;
    if (!toDevice) {
      return piece.channel().transferTo(at, wanted, target);
    }
    // Not past the file's end: the rest of its last page would be zeros, and there is no more.
    long there = Math.min(Math.min(wanted, AT_ONCE), piece.channel().size() - at);
    try {
      return target.write(image.memory().asSlice(from, there).asByteBuffer());
    } catch (IOException e) {
      // The file was cut meanwhile, and the address is refused (EFAULT): the next try says so.
      if (piece.channel().size() >= at + there) {
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
