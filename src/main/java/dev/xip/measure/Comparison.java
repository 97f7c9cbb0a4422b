package dev.xip.measure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The comparisons of xip with the memory underneath and with its peers. */
public enum Comparison {
  /** Reads of eight bytes through addresses. */
  READS("reads", ReadFigures::measure),
  /** Copies of pages and mebibytes through addresses. */
  COPIES("copies", CopyFigures::measure),
  /** Reads of a file, and contiguous views of fragmented files. */
  FILES("files", FileFigures::measure),
  /** Faults, populate and huge leaves. */
  FAULTS("faults", FaultFigures::measure),
  /** The normal-page test, and fork and exit. */
  FORKS("forks", ForkFigures::measure),
  /** Names, attributes and first pages of many files. */
  NAMES("names", NameFigures::measure),
  /** Whole processes of the command. */
  PROCESSES("processes", ProcessFigures::measure),
  /** Programs on a virtual processor; needs /dev/kvm. */
  GUEST("guest", GuestFigures::measure);

  @FunctionalInterface
  private interface Measurer {
    List<Figure> measure(Path folder) throws IOException;
  }

  private final String label;
  private final Measurer measurer;

  Comparison(String label, Measurer measurer) {
    this.label = label;
    this.measurer = measurer;
  }

  /**
   * Measures.
   *
   * @param folder a folder for work files, up to some gibibytes, which are deleted at the end
   * @return the figures
   * @throws IOException if there is no room for a work file or no address space for a window
   */
  public List<Figure> measure(Path folder) throws IOException {
    return measurer.measure(folder);
  }

  @Override
  public String toString() {
    return label;
  }
}
