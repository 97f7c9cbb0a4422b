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
    String proof,
    List<Path> leftOut) {
  /** Copies the lists. */
  public PackReport {
    notInPlace = List.copyOf(notInPlace);
    leftOut = List.copyOf(leftOut);
  }
}
