package dev.xip.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.ProgressListener;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo on a small tree with holes and links, and on an image of it. */
class DemoTest {
  private static final DemoListener QUIET = phase -> ProgressListener.NONE;

  @TempDir Path folder;
  private Path tree;
  private Path work;

  @BeforeEach
  void makeTree() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    work = Files.createDirectory(folder.resolve("work"));
  }

  @Test
  void aFolderIsReadInPlaceAndEveryLawHolds() throws Exception {
    DemoReport report = Demo.ofFolder(tree, work, QUIET);
    DemoReport.Counts counts = report.counts();
    assertThat(report.broken()).isEmpty();
    assertThat(counts.files()).isPositive();
    assertThat(counts.specialEntries()).isPositive();
    assertThat(counts.normalEntries()).as("the tree has holes").isPositive();
    assertThat(counts.specialEntries() + counts.normalEntries()).isEqualTo(counts.pagesRead());
    assertThat(counts.faults()).isBetween(counts.pagesRead() / 16, counts.pagesRead());
    assertThat(counts.framesInUseAfter()).isEqualTo(counts.framesInUseBefore());
    assertThat(counts.memMapBytesAfter()).isEqualTo(counts.memMapBytesBefore());
    assertThat(counts.controlFrames()).isEqualTo(counts.pagesRead());
    assertThat(counts.sha256Mismatches()).isZero();
    assertThat(counts.nativeDisagreements()).isZero();
    assertThat(report.privateDirtyBytes()).isZero();
    assertThat(report.sampleEntries()).isNotEmpty();
    assertThat(report.sampleEntries())
        .allMatch(entry -> entry.pte() == entry.nativePte())
        .allMatch(entry -> entry.special() == entry.nativeSpecial());
  }

  @Test
  void theSecondActCountsOneCopyForEachStoreAndNoneForFork() throws Exception {
    DemoReport report = Demo.ofFolder(tree, work, QUIET);
    SecondAct act = report.secondAct();
    assertThat(act.writeFaults()).isEqualTo(2);
    assertThat(act.copies()).isEqualTo(1);
    assertThat(act.forkFrames()).isZero();
    assertThat(act.childFrames()).isEqualTo(1);
    assertThat(act.framesLeft()).isZero();
    assertThat(act.originalKept()).isTrue();
    assertThat(act.parentKept()).isTrue();
  }

  @Test
  void execRunsWithTheBitAndIsABugWithTheMutex() throws Exception {
    Files.copy(Path.of("/bin/true"), tree.resolve("program"));
    ExecAct exec = Demo.ofFolder(tree, work, QUIET).exec();
    assertThat(exec.arguments()).containsExactly(exec.program(), "in", "place");
    assertThat(exec.bug()).contains("sleeping function called from invalid context");
    assertThat(exec.chain())
        .containsSubsequence(
            "exec", "copyStrings", "getUserPages", "followPage", "normalFrame", "pfnValid");
  }

  @Test
  void everyStrategyAnswersAlikeAndTheMutexAndTheListsBreakAsTheThreadSaid() throws Exception {
    for (StrategyTable.Line line : Demo.ofFolder(tree, work, QUIET).strategies()) {
      assertThat(line.segmentCounted()).as(line.strategy()).isFalse();
      assertThat(line.ramCounted()).as(line.strategy()).isTrue();
      assertThat(line.nanos()).isPositive();
      assertThat(line.underLock().isEmpty()).isEqualTo(!line.strategy().equals("list-mutex"));
      assertThat(line.wrongEarly())
          .as(line.strategy())
          .isEqualTo(line.strategy().startsWith("list") || line.strategy().startsWith("sorted"));
    }
  }

  @Test
  void anImageIsReadInPlaceAndStaysAsItWas() throws IOException {
    Path image = Images.ext2(tree);
    byte[] before = Files.readAllBytes(image);
    DemoReport report = Demo.ofImage(image, work, QUIET);
    assertThat(report.broken()).isEmpty();
    assertThat(report.counts().files()).isPositive();
    assertThat(Files.readAllBytes(image)).isEqualTo(before);
  }

  @Test
  void aFileThatDiffersFromItsSourceIsCounted() throws Exception {
    Path victim;
    try (var files = Files.walk(tree)) {
      victim =
          files
              .filter(path -> Files.isRegularFile(path))
              .filter(path -> path.toFile().length() > 0)
              .findFirst()
              .orElseThrow();
    }
    List<String> phases = new ArrayList<>();
    DemoReport report =
        Demo.ofFolder(
            tree,
            work,
            phase -> {
              phases.add(phase);
              if (phase.startsWith("mapping")) {
                change(victim);
              }
              return ProgressListener.NONE;
            });
    assertThat(report.counts().sha256Mismatches()).isPositive();
    assertThat(report.broken()).anyMatch(line -> line.startsWith("SHA-256 mismatches"));
    assertThat(phases).hasSizeGreaterThan(3);
  }

  private static void change(Path victim) {
    try {
      byte[] bytes = Files.readAllBytes(victim);
      bytes[0] ^= 1;
      Files.write(victim, bytes);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aFileThatIsNoImageFailsBeforeItIsCopied() throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "x".repeat(5000));
    assertThatThrownBy(() -> Demo.ofImage(text, work, QUIET))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("0x438");
    assertThat(work).isEmptyDirectory();
  }
}
