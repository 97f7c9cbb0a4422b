package dev.xip.machine;

import java.nio.file.Path;
import java.util.List;

/**
 * What became of a packed folder.
 *
 * @param image the image file
 * @param format its format
 * @param imageBytes its length
 * @param files how many regular files it holds, hard links counted once
 * @param fileBytes the sum of their sizes
 * @param notInPlace the regular files that cannot be used where they lie, with the reason
 * @param alignment how much of the large files can be mapped 2 MiB by 2 MiB
 * @param proof how it is known which files are in place, in words
 * @param leftOut what the tool does not put into an image: sockets
 */
public record PackReport(
    Path image,
    PackFormat format,
    long imageBytes,
    long files,
    long fileBytes,
    List<Placement.FilePlacement> notInPlace,
    Alignment alignment,
    String proof,
    List<Path> leftOut) {
  /**
   * How much of the files of 2 MiB and more lies so that one page-table entry can map 2 MiB of it.
   *
   * @param largeBytes the sum of their sizes, 0 if there are none or nobody looked
   * @param alignedBytes how many of these bytes do
   * @param obstacles the features of the image because of which all files lie where the tool put
   *     them
   */
  public record Alignment(long largeBytes, long alignedBytes, List<String> obstacles) {
    /** Nothing to be aligned. */
    static final Alignment NONE = new Alignment(0, 0, List.of());

    /** Copies the list. */
    public Alignment {
      obstacles = List.copyOf(obstacles);
    }
  }

  /** Copies the lists. */
  public PackReport {
    notInPlace = List.copyOf(notInPlace);
    leftOut = List.copyOf(leftOut);
  }
}
