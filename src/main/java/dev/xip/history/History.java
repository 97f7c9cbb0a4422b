package dev.xip.history;

import dev.xip.base.ProgressListener;
import dev.xip.measure.Processor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The steps of the story, and their run. */
public final class History {
  /** All steps, in the order of the story. */
  public static final List<Step> STEPS =
      List.of(
          new SegmentsAreValid(),
          new BitProposed(),
          new ListWalk(),
          new ArchitectureCallbacks(),
          new TwoMeanings(),
          new PostedPatch(),
          new Convinced(),
          new Booted(),
          new Merged(),
          new FirstRelease(),
          new FramesReturn(),
          new DevmapBit(),
          new HugePfnMaps(),
          new GuardMarkers());

  private History() {}

  /**
   * Finds a step.
   *
   * @param id its name, such as {@code 15-jan}
   * @return the step
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static Step named(String id) {
    return STEPS.stream()
        .filter(step -> step.account().id().equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "step %s: expected one of %s"
                        .formatted(
                            id,
                            STEPS.stream()
                                .map(step -> step.account().id())
                                .collect(Collectors.joining(", ")))));
  }

  /**
   * Runs steps.
   *
   * @param steps the steps
   * @param work an empty folder for their files, of some MiB
   * @param progress receives the number of finished steps
   * @return what they have shown
   * @throws IOException if the host does not give the memory or files that a step needs
   */
  public static Story run(List<Step> steps, Path work, ProgressListener progress)
      throws IOException {
    long start = System.nanoTime();
    List<Story.Chapter> chapters = new ArrayList<>();
    for (Step step : steps) {
      long from = System.nanoTime();
      Account account = step.account();
      Findings findings = new Findings(Files.createDirectory(work.resolve(account.id())));
      step.run(findings);
      chapters.add(new Story.Chapter(account, findings.all(), seconds(from)));
      progress.at(chapters.size(), steps.size());
    }
    return new Story(Processor.name(), chapters, seconds(start));
  }

  private static double seconds(long from) {
    return (System.nanoTime() - from) / 1e9;
  }
}
