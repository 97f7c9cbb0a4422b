package dev.xip.mount;

import dev.xip.file.WholeFile;
import dev.xip.host.RewiredView;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.mapping.Rewiring;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Opens the files of a mapped image as contiguous memory, and closes the views that this needs with
 * the image at the latest. Safe for any number of threads.
 */
public final class ImageViews implements Rewiring, AutoCloseable {
  private final FsImage image;

  /** The image's files, mapped so that they can be mapped again. */
  private final MemorySegment files;

  /** Where a mapping of the image ends and the next begins, in bytes, ascending. */
  private final long[] cuts;

  /** Views that are not closed yet. */
  private final Set<View> open = ConcurrentHashMap.newKeySet();

  /**
   * Makes views of an image.
   *
   * @param image the image
   * @param files the image's files, mapped shared: the memory of the image, or what it was before a
   *     replay of its journal, as no file is rewired that the replay changed
   * @param cuts the image offsets at which a mapping ends, ascending, not changed any more; a piece
   *     of a view lies in one mapping
   */
  public ImageViews(FsImage image, MemorySegment files, long[] cuts) {
    this.image = image;
    this.files = files;
    this.cuts = cuts;
  }

  /**
   * Opens a file as contiguous memory.
   *
   * @param inode a regular file's inode
   * @return the file, to be closed, and closed with this at the latest
   * @throws java.nio.file.FileSystemException if it is not a regular file, or its bytes are stored
   *     in another form
   * @throws IOException if the image is damaged there
   */
  public WholeFile whole(Inode inode) throws IOException {
    return WholeFile.open(image, inode, this);
  }

  @Override
  public Rewiring.View rewire(long bytes, List<Rewiring.Run> runs) throws IOException {
    View view = new View(RewiredView.of(bytes, pieces(runs)));
    open.add(view);
    return view;
  }

  /** Splits runs where a mapping of the image ends. */
  List<RewiredView.Piece> pieces(List<Run> runs) {
    List<RewiredView.Piece> pieces = new ArrayList<>(runs.size());
    for (Run run : runs) {
      addPieces(run, pieces);
    }
    return pieces;
  }

  private void addPieces(Run run, List<RewiredView.Piece> pieces) {
    long from = run.from();
    long end = from + run.length();
    for (long cut : cuts) {
      if (cut > from && cut < end) {
        pieces.add(piece(run, from, cut));
        from = cut;
      }
    }
    pieces.add(piece(run, from, end));
  }

  private RewiredView.Piece piece(Run run, long from, long end) {
    return new RewiredView.Piece(run.at() + (from - run.from()), files.asSlice(from, end - from));
  }

  /** Closes all views; the memory of files that needed one cannot be used any more. */
  @Override
  public void close() {
    for (View each : open) {
      each.close();
    }
  }

  /** A view that is taken off the list when it is closed. */
  private final class View implements Rewiring.View {
    private final RewiredView view;

    View(RewiredView view) {
      this.view = view;
    }

    @Override
    public MemorySegment memory() {
      return view.memory();
    }

    @Override
    public void close() {
      view.close();
      open.remove(this);
    }
  }
}
