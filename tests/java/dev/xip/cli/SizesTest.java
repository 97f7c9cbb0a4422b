package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Sizes are shown as numfmt(1) shows them, which rounds as ls(1) and du(1) do. */
class SizesTest {
  @Test
  void sizesAreThoseOfNumfmt() throws Exception {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    LongStream random = new Random(seed).longs(3_000).map(bits -> bits >>> 1 + (bits & 63));
    LongStream edges =
        LongStream.range(0, 60)
            .flatMap(shift -> LongStream.of(-1, 0, 1).map(each -> (10L << shift) + each));
    LongStream powers =
        LongStream.range(0, 62)
            .flatMap(shift -> LongStream.of(-1, 0, 1).map(each -> (1L << shift) + each));
    List<Long> sizes =
        LongStream.concat(random, LongStream.concat(edges, powers))
            .filter(each -> each >= 0)
            .boxed()
            .toList();
    Sizes shown = new Sizes();
    List<String> expected =
        Processes.run(
                Stream.concat(Stream.of("numfmt", "--to=iec"), sizes.stream().map(String::valueOf))
                    .toArray(String[]::new))
            .out()
            .lines()
            .toList();
    assertThat(sizes.stream().map(shown::of).toList()).as("seed %d", seed).isEqualTo(expected);
  }

  @Test
  void exactSizesAreNumbersOfBytes() {
    Sizes exact = new Sizes();
    new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("sizes", mixin(exact)))
        .parseArgs("--bytes");
    assertThat(exact.of(12_345)).isEqualTo("12345");
    assertThat(exact.text(12_345)).isEqualTo("12,345 bytes");
  }

  private static CommandLine.Model.CommandSpec mixin(Sizes sizes) {
    return CommandLine.Model.CommandSpec.forAnnotatedObject(sizes);
  }

  @Test
  void aSentenceSaysBytesWhereNoUnitDoes() {
    assertThat(Sizes.readableText(1023)).isEqualTo("1023 bytes");
    assertThat(Sizes.readableText(1025)).isEqualTo("1.1K");
    assertThat(Sizes.both(7)).isEqualTo("7 bytes");
    assertThat(Sizes.both(9_000)).isEqualTo("8.8K, 9,000 bytes");
  }
}
