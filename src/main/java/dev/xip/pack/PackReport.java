package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.mount.Placement;
import java.nio.file.Path;
import java.util.List;

/**
 * The result of packing a folder.
 *
 * @param image the image file
 * @param format its format
 * @param imageBytes its length
 * @param files how many regular files it holds, hard links counted once
 * @param fileBytes the sum of their sizes
 * @param notInPlace the regular files that cannot be used where they lie, with the reason
 * @param alignment how much of the large files can be mapped 2 MiB by 2 MiB
 * @param proof how it is known which files are in place, in words
 * @param leftOut the files that are not in the image: sockets
 * @param losses what the image does not keep of files
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
    List<FileName> leftOut,
    List<Loss> losses) {
  /**
   * Something that the image does not keep.
   *
   * @param path the file, as the caller would name it
   * @param what what is lost of it
   */
  public record Loss(FileName path, String what) {}

  /**
   * How much of the files of 2 MiB and more can be mapped by page-table entries of 2 MiB.
   *
   * @param largeBytes the sum of their sizes, 0 if there are none or they were not looked at
   * @param alignedBytes how many of these bytes can
   */
  public record Alignment(long largeBytes, long alignedBytes) {
    /** Nothing to be aligned. */
    static final Alignment NONE = new Alignment(0, 0);
  }

  /** Copies the lists. */
  public PackReport {
    notInPlace = List.copyOf(notInPlace);
    leftOut = List.copyOf(leftOut);
    losses = List.copyOf(losses);
  }
}
