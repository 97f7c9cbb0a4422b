package dev.xip.mount;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Reservation;
import dev.xip.host.Sharing;
import dev.xip.image.Overlay;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * An image as it is after the replay of its journal: its files mapped copy on write, and the blocks
 * that the replay changes stored. The files stay as they are; only changed pages take memory.
 */
final class ReplayedMemory implements AutoCloseable {
  private final Reservation range;
  private final MemorySegment bytes;

  private ReplayedMemory(Reservation range, MemorySegment bytes) {
    this.range = range;
    this.bytes = bytes;
  }

  /**
   * Maps an image and replays its journal.
   *
   * @param pieces the files that hold it, in image order; all but a single one begin with a page
   * @param overlay what the replay changes
   * @return the image after the replay, to be closed
   * @throws IOException if a file cannot be opened or mapped
   */
  static ReplayedMemory of(List<ImagePiece> pieces, Overlay overlay) throws IOException {
    long inPage = inPage(pieces.getFirst());
    long size = pieces.getLast().end();
    Reservation range = Reservation.readableZeros(Pages.roundUp(inPage + size));
    try {
      for (ImagePiece each : pieces) {
        try (HostFile file = each.reopen()) {
          range.mapFile(
              inPage + each.start() - inPage(each),
              Pages.roundUp(inPage(each) + each.length()),
              file,
              Pages.roundDown(each.fileOffset()),
              Access.READ_WRITE,
              Sharing.PRIVATE);
        }
      }
      MemorySegment bytes = range.memory().asSlice(inPage, size);
      overlay.storeInto(bytes);
      range.protect(0, range.size(), Access.READ);
      return new ReplayedMemory(range, bytes.asReadOnly());
    } catch (IOException | RuntimeException | Error e) {
      range.close();
      throw e;
    }
  }

  private static long inPage(ImagePiece piece) {
    return piece.fileOffset() - Pages.roundDown(piece.fileOffset());
  }

  /** {@return the read-only bytes of the image, until {@link #close}} */
  MemorySegment bytes() {
    return bytes;
  }

  /** {@return what unmaps first this and then the files that the image was read from} */
  Closeable before(Closeable files) {
    return () -> {
      try (files) {
        close();
      }
    };
  }

  /** Unmaps the image; a second time does nothing. */
  @Override
  public void close() {
    range.close();
  }
}
