package dev.xip.measure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The comparisons that show how near xip comes to the memory underneath and who is behind it. */
public enum Comparison {
  /** Eight bytes through addresses. */
  READS("reads", ReadFigures::measure),
  /** Pages and mebibytes through addresses. */
  COPIES("copies", CopyFigures::measure),
  /** A file's own read, and views of files in fragments. */
  FILES("files", FileFigures::measure),
  /** Faults, populate and huge leaves. */
  FAULTS("faults", FaultFigures::measure),
  /** The decision about an entry, and fork and exit. */
  FORKS("forks", ForkFigures::measure),
  /** Names, attributes and first pages of many files. */
  NAMES("names", NameFigures::measure),
  /** Whole processes of the command. */
  PROCESSES("processes", ProcessFigures::measure);

  /** Does the measuring. */
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
   * @param folder a folder for work files, up to some gibibytes, all gone afterwards
   * @return the figures
   * @throws IOException if a work file or the address space cannot be had
   */
  public List<Figure> measure(Path folder) throws IOException {
    return measurer.measure(folder);
  }

  @Override
  public String toString() {
    return label;
  }
}
