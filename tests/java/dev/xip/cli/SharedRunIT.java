package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.xip.scenario.HostTree;
import dev.xip.segment.Smaps;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ten guests in ten processes run out of one segment at once, and memory holds it once: by smaps of
 * each process and by the page cache.
 */
class SharedRunIT {
  private static final int GUESTS = 10;

  /** Pages that not all guests have touched when they are looked at. */
  private static final double TOLERANCE = 0.03;

  @TempDir Path folder;
  private final List<Process> guests = new ArrayList<>();

  @AfterEach
  void endAll() {
    guests.forEach(Process::destroyForcibly);
  }

  @Test
  void tenGuestsHaveATenthEachOfTheSegment() throws Exception {
    Judge.kvm();
    HostTree tree = new HostTree(Files.createDirectory(folder.resolve("tree")));
    String shell = HostTree.find("bash");
    Judge.needs(shell != null, "bash");
    tree.add(shell);
    Path store = folder.resolve("store");
    Path image = Images.ext2(tree.root());
    Xip.run("segment", "define", "ROOT", "--from", image, "--store", store).isDone();
    Path data;
    try (var files = Files.list(store)) {
      data = files.filter(each -> sizeOf(each) >= sizeOf(image)).findFirst().orElseThrow();
    }
    for (int i = 0; i < GUESTS; i++) {
      guests.add(
          Xip.builder(
                  "run",
                  "--memory",
                  "64",
                  "--store",
                  store,
                  "segment:ROOT",
                  shell,
                  "-c",
                  "echo ready; read x; exit $x")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    }
    for (Process each : guests) {
      assertThat(each.inputReader().readLine()).isEqualTo("ready");
    }
    for (Process each : guests) {
      Map<String, Long> figures = Smaps.of(each.pid(), data);
      System.err.printf("SharedRunIT: process %d: %s%n", each.pid(), figures);
      long rss = figures.get("Rss");
      assertThat(rss).isPositive();
      assertThat(figures.get("Pss")).isCloseTo(rss / GUESTS, within((long) (rss * TOLERANCE)));
      assertThat(figures).containsEntry("Private_Dirty", 0L);
    }
    long cached = pageCache(data);
    System.err.printf("SharedRunIT: page cache %d of %d bytes%n", cached, sizeOf(data));
    assertThat(cached).isBetween(1L, sizeOf(data));
    for (Process each : guests) {
      each.getOutputStream().write("7\n".getBytes());
      each.getOutputStream().close();
      assertThat(each.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      assertThat(each.exitValue()).isEqualTo(7);
    }
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How much of a file the page cache holds, in bytes. */
  private static long pageCache(Path file) throws IOException {
    return Long.parseLong(
        Processes.run(
                "fincore", "--bytes", "--noheadings", "--raw", "--output", "RES", file.toString())
            .text()
            .strip());
  }
}
