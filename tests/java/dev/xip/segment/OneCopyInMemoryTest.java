package dev.xip.segment;

import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.xip.base.Pages;
import dev.xip.testing.Processes;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * However many processes load a segment and touch all of it, memory holds it once. Verified by the
 * page cache and by smaps of each process. The processes report when they have touched everything,
 * and stay until all have been measured.
 */
class OneCopyInMemoryTest {
  private static final long BYTES = 256L << 20;
  private static final double TOLERANCE = 0.03;
  private static final SegmentName BIG = new SegmentName("BIG");

  @TempDir static Path temp;
  private static StoredSegment stored;

  private final List<SegmentProgram> programs = new ArrayList<>();

  @BeforeAll
  static void define() throws IOException {
    Path source = temp.resolve("source");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(source))) {
      ByteBuffer page = ByteBuffer.allocate((int) Pages.SIZE);
      for (long number = 0; number < BYTES / Pages.SIZE; number++) {
        out.write(page.putLong(0, number).array());
      }
    }
    stored =
        SegmentStore.create(temp.resolve("store"))
            .define(
                definition(BIG, SegmentType.SR, 0x100000, BYTES / Pages.SIZE),
                SegmentSource.moving(source));
  }

  @AfterEach
  void endAll() throws IOException {
    for (SegmentProgram each : programs) {
      each.close();
    }
  }

  private void start(int inJava, int inC) throws IOException {
    Path store = stored.dataFile().getParent();
    for (int i = 0; i < inJava + inC; i++) {
      programs.add(i < inJava ? SegmentProgram.inJava(store) : SegmentProgram.inC(store));
    }
  }

  /** All load, then all read every byte; returns when the last has said so. */
  private void touchAll(String mode) throws IOException {
    Set<String> sums = new HashSet<>();
    for (SegmentProgram each : programs) {
      each.must("load BIG " + mode);
    }
    for (SegmentProgram each : programs) {
      each.tell("sum BIG");
    }
    for (SegmentProgram each : programs) {
      sums.add(each.answer());
    }
    assertThat(sums).as("what the processes read").hasSize(1);
    assertThat(sums.iterator().next()).startsWith("ok ");
  }

  /** Reads smaps of each process, prints it, and returns the proportional shares. */
  private List<Long> shares() throws IOException {
    List<Long> shares = new ArrayList<>();
    for (SegmentProgram each : programs) {
      Map<String, Long> figures = Smaps.of(each.pid(), stored.dataFile());
      System.err.printf("OneCopyInMemoryTest: process %d: %s%n", each.pid(), figures);
      assertThat(figures).containsEntry("Size", BYTES).containsEntry("Private_Dirty", 0L);
      assertThat(figures.get("Rss")).isCloseTo(BYTES, within((long) (BYTES * TOLERANCE)));
      shares.add(figures.get("Pss"));
    }
    long sum = shares.stream().mapToLong(Long::longValue).sum();
    System.err.printf(
        "OneCopyInMemoryTest: %d processes, shares %s, sum %d, page cache %d%n",
        shares.size(), shares, sum, pageCache());
    assertThat(sum).isCloseTo(BYTES, within((long) (BYTES * TOLERANCE)));
    return shares;
  }

  /** How much of the data file the page cache holds, in bytes. */
  private static long pageCache() throws IOException {
    String file = stored.dataFile().toString();
    return Long.parseLong(
        Processes.run("fincore", "--bytes", "--noheadings", "--raw", "--output", "RES", file)
            .text()
            .strip());
  }

  private void assertEachHasItsShare() throws IOException {
    long part = BYTES / programs.size();
    assertThat(shares())
        .allSatisfy(pss -> assertThat(pss).isCloseTo(part, within((long) (part * TOLERANCE))));
    assertThat(pageCache()).isEqualTo(BYTES);
  }

  @ParameterizedTest
  @EnumSource(SharingMode.class)
  void ofTwoJvmsEachHasHalf(SharingMode mode) throws IOException {
    start(2, 0);
    touchAll(mode.name().toLowerCase(Locale.ROOT));
    assertEachHasItsShare();
  }

  @Test
  void ofTwoJvmsAndEightCProgramsEachHasATenth() throws IOException {
    start(2, 8);
    touchAll("shared");
    assertEachHasItsShare();
  }

  @Test
  void whoLeavesHandsItsShareToTheOthers() throws Exception {
    start(0, 3);
    touchAll("shared");
    assertEachHasItsShare();
    programs.removeLast().leave();
    assertEachHasItsShare();
    SegmentProgram killed = programs.removeLast();
    killed.kill();
    Map<String, Long> last = Smaps.of(programs.getFirst().pid(), stored.dataFile());
    assertThat(last.get("Pss")).isCloseTo(BYTES, within((long) (BYTES * TOLERANCE)));
    assertThat(last).containsEntry("Private_Dirty", 0L);
  }

  @Test
  void aPrivateCopyCostsThePagesThatWereWritten() throws IOException {
    start(1, 1);
    touchAll("exclusive");
    for (int page = 0; page < 10; page++) {
      programs.getLast().must("poke BIG %d 1".formatted(page * Pages.SIZE));
    }
    Map<String, Long> writer = Smaps.of(programs.getLast().pid(), stored.dataFile());
    assertThat(writer).containsEntry("Private_Dirty", 10 * Pages.SIZE);
    assertThat(Smaps.of(programs.getFirst().pid(), stored.dataFile()))
        .containsEntry("Private_Dirty", 0L);
  }
}
