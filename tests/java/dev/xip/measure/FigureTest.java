package dev.xip.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures are compared with their goals, and drawn. */
class FigureTest {
  @TempDir private Path folder;

  private static Figure figure(double median, double raw, Goal goal) {
    return new Figure(
        "reads", Figure.params("bytes", "1 GiB"), "ns/read", median, "raw", raw, goal);
  }

  @Test
  void aCostIsAMultipleOfTheLimit() {
    assertThat(figure(15, 10, Goal.times(1.5)).ratio()).isEqualTo(1.5, within(1e-9));
    assertThat(figure(15, 10, Goal.times(1.5)).met()).isTrue();
    assertThat(figure(15.1, 10, Goal.times(1.5)).met()).isFalse();
  }

  @Test
  void aLeadIsAMultipleOfThePeer() {
    assertThat(figure(10, 400, Goal.ahead(40)).ratio()).isEqualTo(40, within(1e-9));
    assertThat(figure(10, 400, Goal.ahead(40)).met()).isTrue();
    assertThat(figure(10, 399, Goal.ahead(40)).met()).isFalse();
  }

  private static Figure limited(double median, double rawMedian) {
    return new Figure(
        "reads",
        Figure.params("bytes", "1 GiB"),
        "ns/read",
        median,
        "FileChannel.read",
        440,
        Goal.ahead(40),
        new Limit(rawMedian, 440, 0.5));
  }

  @Test
  void aGoalThatMemoryItselfMissesIsTheMachinesLimit() {
    assertThat(limited(39, 20).isLimited()).isTrue();
    assertThat(limited(39, 20).limitRatio()).isEqualTo(22, within(1e-9));
    assertThat(limited(39, 20).met()).as("half of what memory reaches").isTrue();
    assertThat(limited(41, 20).met()).isFalse();
  }

  @Test
  void aGoalThatMemoryReachesCountsAsItIs() {
    assertThat(limited(12, 10).isLimited()).isFalse();
    assertThat(limited(12, 10).met()).isFalse();
    assertThat(limited(11, 10).met()).isTrue();
  }

  @Test
  void theProcessorHasTheNameThatTheKernelGives() throws IOException {
    String cpuinfo = Files.readString(Path.of("/proc/cpuinfo"));
    String model = Processor.name().replaceFirst(", \\d+ processors$", "");
    assertThat(cpuinfo.contains(model) || model.equals(System.getProperty("os.arch"))).isTrue();
  }

  @Test
  void aBoundIsForTheFigureAlone() {
    assertThat(figure(100, Double.NaN, Goal.atMost(100)).met()).isTrue();
    assertThat(figure(100.1, Double.NaN, Goal.atMost(100)).met()).isFalse();
    assertThat(figure(100, Double.NaN, Goal.atMost(100)).ratio()).isNaN();
  }

  @Test
  void anExcessIsOverTheLimit() {
    assertThat(figure(1.8, 1, Goal.above(1)).met()).isTrue();
    assertThat(figure(2.1, 1, Goal.above(1)).met()).isFalse();
  }

  @Test
  void aMissingFigureMeetsNoGoal() {
    assertThat(figure(Double.NaN, 1, Goal.times(2)).met()).isFalse();
    assertThat(figure(Double.NaN, 1, Goal.ahead(2)).met()).isFalse();
  }

  @Test
  void goalsAreText() {
    assertThat(List.of(Goal.times(1.05), Goal.ahead(40), Goal.atMost(100), Goal.above(1)))
        .extracting(Goal::toString)
        .containsExactly("<= 1.05 x", ">= 40 x ahead", "<= 100", "<= raw + 1");
  }

  @Test
  void goalsThatWereMetAndThoseThatWereMissedHaveAChartEachWithoutEmptyRows() throws IOException {
    Path file = folder.resolve("chart.png");
    FigureChart.write(
        List.of(
            figure(10, 40, Goal.times(1)),
            figure(40, 10, Goal.times(1)),
            figure(10, 20, Goal.times(1))),
        file);
    BufferedImage picture = ImageIO.read(file.toFile());
    List<Rectangle> met = bars(picture, FigureChart.MET.getRGB());
    List<Rectangle> missed = bars(picture, FigureChart.MISSED.getRGB());
    assertThat(met).hasSize(2);
    assertThat(missed).hasSize(1);
    Rectangle quarter = met.getFirst();
    Rectangle half = met.getLast();
    assertThat(quarter.width).as("logarithmic").isCloseTo(2 * half.width, within(4));
    assertThat(quarter.getMaxX()).as("the goal").isEqualTo(half.getMaxX());
    assertThat(half.y - quarter.getMaxY()).as("between rows").isLessThan(quarter.height / 2.0);
    assertThat(missed.getFirst().x).as("its goal").isLessThan(quarter.x + quarter.width / 4);
    assertThat(missed.getFirst().y).as("below the others").isGreaterThan((int) half.getMaxY());
  }

  /** {@return where the bars of a colour lie, from the top} */
  private static List<Rectangle> bars(BufferedImage picture, int rgb) {
    List<Rectangle> bars = new ArrayList<>();
    for (int y = 0; y < picture.getHeight(); y++) {
      Rectangle row = null;
      for (int x = 0; x < picture.getWidth(); x++) {
        if (picture.getRGB(x, y) == rgb) {
          row = row == null ? new Rectangle(x, y, 1, 1) : row.union(new Rectangle(x, y, 1, 1));
        }
      }
      if (row != null && !bars.isEmpty() && bars.getLast().getMaxY() == y) {
        bars.add(bars.removeLast().union(row));
      } else if (row != null) {
        bars.add(row);
      }
    }
    return bars;
  }

  @Test
  void aChartCanBeScalable() throws IOException {
    Path file = folder.resolve("chart.SVG");
    FigureChart.write(List.of(figure(10, 10, Goal.times(2))), file);
    assertThat(Files.readString(file)).contains("<svg").contains("</svg>");
  }

  @Test
  void aChartOfAnotherKindIsRefusedAndNothingIsWritten() {
    Path file = folder.resolve("chart.gif");
    assertThatThrownBy(() -> FigureChart.write(List.of(), file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("chart.gif")
        .hasMessageContaining(".png or .svg");
    assertThat(file).doesNotExist();
  }

  @Test
  void growthIsNamedByThePowerThatTheCostFollows() {
    assertThat(List.of(growth(10, 10, 10), growth(10, 16, 25), growth(10, 110, 900)))
        .extracting(Growth::kind)
        .containsExactly("constant", "logarithmic", "linear");
    assertThat(growth(1, 100, 10_000).kind()).isEqualTo("steeper than linear");
  }

  private static Growth growth(double... costs) {
    List<Growth.Point> points = new ArrayList<>();
    for (int i = 0; i < costs.length; i++) {
      points.add(new Growth.Point((long) Math.pow(10, i), costs[i]));
    }
    return new Growth("work", "files", "ns", points);
  }

  @Test
  void growthIsDrawn() throws IOException {
    Path file = folder.resolve("growth.png");
    GrowthChart.write(List.of(growth(10, 100, 1_000), growth(5, 5, 5)), file);
    int one = ImageIO.read(file.toFile()).getWidth();
    assertThat(one).isGreaterThan(500);
    Growth other = new Growth("work", "segments", "ns", growth(1, 2, 3).points());
    GrowthChart.write(List.of(growth(10, 100, 1_000), other), file);
    assertThat(ImageIO.read(file.toFile()).getWidth()).as("a chart a subject").isEqualTo(2 * one);
  }
}
