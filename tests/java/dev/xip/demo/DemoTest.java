package dev.xip.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.ProgressListener;
import dev.xip.measure.StrategyTable;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Trees;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

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

  private static DemoReport ofImage(Path image, Path work) throws Exception {
    try (OpenImage open = OpenImage.open(image)) {
      return Demo.ofImage(open, image, work, QUIET);
    }
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
    assertThat(counts.controlFrames())
        .as("a file of one page has two names")
        .isEqualTo(counts.pagesRead() - 1);
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
  void execRunsWithTheBitAndIsABugWithThePatchAsPosted() throws Exception {
    Files.copy(Path.of("/bin/true"), tree.resolve("program"));
    ExecAct exec = Demo.ofFolder(tree, work, QUIET).exec();
    assertThat(exec.arguments()).containsExactly(exec.program(), "in", "place");
    assertThat(exec.bug()).contains("sleeping function called from invalid context");
    assertThat(exec.chain())
        .containsSubsequence(
            "exec",
            "copyStrings",
            "getUserPages",
            "followPage",
            "normalFrame",
            "pfnValid",
            "pfnInSharedMemory",
            "mutexLock");
  }

  @Test
  void everyStrategyAnswersAndBreaksAsTheThreadSaid() throws Exception {
    for (StrategyTable.Line line : Demo.ofFolder(tree, work, QUIET).strategies()) {
      FrameStrategy.Outcome outcome = FrameStrategy.named(line.strategy()).outcome();
      boolean right = outcome != FrameStrategy.Outcome.WRONG;
      assertThat(
              line.segment() == StrategyTable.Answer.NO_FRAME
                  && line.ram() == StrategyTable.Answer.COUNTED)
          .as(line.strategy())
          .isEqualTo(right);
      assertThat(line.nanos() > 0).as(line.strategy()).isEqualTo(right);
      assertThat(line.breaks()).as(line.strategy()).containsExactly(breaks(line.strategy()));
    }
  }

  private static String[] breaks(String strategy) {
    String counts = "counts segments in page frames that do not exist";
    String shared = "takes all RAM for shared segments";
    String sleeps = "sleeps under a spin lock";
    String walks = "takes a lock and walks up to 65 chunks for each entry";
    String noList = "too early: takes what is not on its list for RAM";
    String hole = "counts a segment in a hole between banks";
    String section = "counts a segment in a section with RAM, and frees it as RAM";
    String bit = "needs a spare bit in the entry";
    return switch (strategy) {
      case "lra" -> new String[] {counts};
      case "mixedmap-refcount-pfn" -> new String[] {sleeps, noList};
      case "refcount-pte-bit", "special-bit" -> new String[] {bit};
      case "mem-segs-posted" -> new String[] {counts, sleeps};
      case "mem-segs-corrected" -> new String[] {shared, sleeps};
      case "mem-segs-mutex" -> new String[] {sleeps};
      case "mem-segs-spin-lock" -> new String[] {walks};
      case "refcount-pte-pfn-valid", "flat", "flat-if-mixed" -> new String[] {hole};
      case "sparse" -> new String[] {section};
      case "sorted-array" -> new String[] {noList};
      default -> throw new AssertionError(strategy);
    };
  }

  @Test
  void anImageIsReadInPlaceAndStaysAsItWas() throws Exception {
    Path image = Images.ext2(tree);
    byte[] before = Files.readAllBytes(image);
    DemoReport report = ofImage(image, work);
    assertThat(report.broken()).isEmpty();
    assertThat(report.counts().files()).isPositive();
    assertThat(Files.readAllBytes(image)).isEqualTo(before);
  }

  @Test
  void aPictureIsXmlWhateverTheFileIsCalled() throws Exception {
    String name = "<&\u0001\ufffe\"'" + "x".repeat(60);
    Files.write(tree.resolve(name), new byte[1 << 20]);
    DemoReport report = Demo.ofFolder(tree, work, QUIET);
    assertThat(report.samePage().inPlace().special()).isTrue();
    assertThat(report.samePage().cached().special()).isFalse();
    assertThat(report.samePage().cached().path()).isEqualTo(report.samePage().inPlace().path());
    String picture = DemoPicture.of(report);
    NodeList texts =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(picture)))
            .getElementsByTagName("text");
    assertThat(IntStream.range(0, texts.getLength()).mapToObj(i -> texts.item(i).getTextContent()))
        .contains("0", "%,d".formatted(report.counts().controlFrames()), "special bit 1");
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
  void anErofsImageIsReadInPlace() throws Exception {
    Judge.program("mkfs.erofs");
    Path image = Images.erofs(tree, folder.resolve("image"), "-Enoinline_data");
    DemoReport report = ofImage(image, work);
    assertThat(report.broken()).isEmpty();
    assertThat(report.info().format()).isEqualTo("erofs");
    assertThat(report.counts().files()).isPositive();
    assertThat(report.counts().notInPlace()).isZero();
  }

  @Test
  void anImageWithoutAFileInPlaceProvesNothing() throws Exception {
    Path small = Images.ext2(tree, folder.resolve("small"), "-b", "1024");
    assertThatThrownBy(() -> ofImage(small, work))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("has no file to show in place, and ")
        .hasMessageContaining("xip check IMAGE says why");
  }

  @Test
  void aFileThatIsNoImageFailsBeforeItIsCopied() throws IOException {
    Path text = Files.writeString(folder.resolve("text"), "x".repeat(5000));
    assertThatThrownBy(() -> ofImage(text, work))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("0x438");
    assertThat(work).isEmptyDirectory();
  }
}
