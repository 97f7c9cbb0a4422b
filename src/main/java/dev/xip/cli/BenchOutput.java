package dev.xip.cli;

import dev.xip.measure.BenchRow;
import dev.xip.measure.Figure;
import dev.xip.measure.FivePercentRow;
import dev.xip.measure.Goal;
import dev.xip.measure.Growth;
import dev.xip.measure.Processor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Prints figures, as tables or as one JSON array of rows. */
final class BenchOutput {
  private final Output out;

  BenchOutput(Output out) {
    this.out = out;
  }

  /**
   * Prints one array, with null for a missing number. Figures include what bare memory reaches of
   * the goal, whether it misses the goal too, and the processor.
   */
  void json(
      List<Figure> figures, List<BenchRow> rows, List<FivePercentRow> shares, List<Growth> growth)
      throws IOException {
    JsonWriter json = new JsonWriter(out).beginArray();
    for (Figure figure : figures) {
      json.beginObject().member("name", figure.name()).name("params").beginObject();
      for (Map.Entry<String, String> param : figure.params().entrySet()) {
        json.member(param.getKey(), param.getValue());
      }
      json.endObject()
          .member("unit", figure.unit())
          .member("median", figure.median())
          .member("against", figure.against())
          .member("raw", figure.raw())
          .member("ratio", figure.ratio())
          .member("goal", figure.goal().toString())
          .member("rawRatio", figure.limitRatio())
          .member("machinesLimit", figure.isLimited())
          .member("processor", Processor.name())
          .member("met", figure.met())
          .endObject();
    }
    for (BenchRow row : rows) {
      json.beginObject().member("name", row.name()).name("params").beginObject();
      json.member("strategy", row.strategy())
          .member("segments", row.segments())
          .member("threads", row.threads())
          .endObject();
      json.member("unit", row.unit()).member("median", row.median());
      if (!row.note().isEmpty()) {
        json.member("note", row.note());
      }
      json.endObject();
    }
    for (FivePercentRow row : shares) {
      json.beginObject().member("name", "five-percent").name("params").beginObject();
      json.member("work", row.work())
          .member("strategy", row.strategy())
          .member("segments", row.segments())
          .endObject();
      json.member("unit", "ns/page")
          .member("median", row.median())
          .member("spread", row.spread())
          .member("questions", row.questions())
          .member("share", row.share())
          .member("againstBit", row.againstBit())
          .member("processor", Processor.name())
          .endObject();
    }
    for (Growth line : growth) {
      for (Growth.Point point : line.points()) {
        json.beginObject().member("name", line.name()).name("params").beginObject();
        json.member(line.scale(), point.size()).endObject();
        json.member("unit", line.unit()).member("median", point.median());
        json.member("growth", line.kind()).endObject();
      }
    }
    json.endArray().finish();
    out.flush();
  }

  /** Prints a line for each figure. */
  void table(List<Figure> figures) throws IOException {
    if (figures.isEmpty()) {
      return;
    }
    out.line(Processor.name());
    String form = "%-29s %-32s %19s  %-34s %12s %9s  %-15s %s";
    out.line(
        form.formatted("WORK", "CONDITIONS", "XIP", "AGAINST", "", "RATIO", "GOAL", "").strip());
    for (Figure figure : figures) {
      out.line(
          form.formatted(
              figure.name(),
              String.join(
                  ", ",
                  figure.params().entrySet().stream()
                      .map(param -> param.getKey() + " " + param.getValue())
                      .toList()),
              number(figure.median()) + " " + figure.unit(),
              figure.against(),
              number(figure.raw()),
              number(figure.ratio()),
              figure.goal(),
              verdict(figure)));
    }
    out.flush();
  }

  /** {@return met or missed, by the machine's limit if bare memory misses the goal as well} */
  private static String verdict(Figure figure) {
    String verdict = figure.met() ? "met" : "missed";
    return figure.goal().sense() == Goal.Sense.NONE
        ? ""
        : figure.isLimited()
            ? "the machine's limit: raw is %s x ahead; %s by that"
                .formatted(number(figure.limitRatio()), verdict)
            : verdict;
  }

  /** Prints a block for each kind of work, with a line for each strategy and number of segments. */
  void shares(List<FivePercentRow> shares) throws IOException {
    for (String work : shares.stream().map(FivePercentRow::work).distinct().toList()) {
      List<FivePercentRow> block = shares.stream().filter(row -> row.work().equals(work)).toList();
      out.line("%s: %.2f questions a page".formatted(work, block.getFirst().questions()));
      out.line(
          "  %-24s%10s%12s%10s%14s%14s"
              .formatted("", "segments", "ns/page", "spread", "the question", "against bit"));
      for (FivePercentRow row : block) {
        out.line(
            "  %-24s%,10d%,12.2f%9.1f%%%13.1f%%%+13.1f%%"
                .formatted(
                    row.strategy(),
                    row.segments(),
                    row.median(),
                    row.spread(),
                    row.share(),
                    row.againstBit()));
      }
      out.line("");
    }
    out.flush();
  }

  /** Prints a line for each kind of work, with the sizes and their costs. */
  void growth(List<Growth> growth) throws IOException {
    for (Growth line : growth) {
      out.line(
          "%s, %s: %s (the %.2f-th power)"
              .formatted(line.name(), line.unit(), line.kind(), line.power()));
      StringBuilder sizes = new StringBuilder("  %-16s".formatted(line.scale()));
      StringBuilder costs = new StringBuilder("  %-16s".formatted(line.unit()));
      for (Growth.Point point : line.points()) {
        sizes.append("%,14d".formatted(point.size()));
        costs.append("%,14.1f".formatted(point.median()));
      }
      out.line(sizes.toString());
      out.line(costs.toString());
    }
    out.flush();
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "" : "%,.2f".formatted(value);
  }

  /**
   * Prints a line for each strategy, a column for each number of segments, a block for each thread
   * count.
   */
  void table(List<BenchRow> rows, int[] segments, int[] threads) throws IOException {
    if (rows.isEmpty()) {
      return;
    }
    for (int workers : threads) {
      List<BenchRow> block = rows.stream().filter(row -> row.threads() == workers).toList();
      if (block.isEmpty()) {
        continue;
      }
      out.line(
          "%s, %s, %d thread%s"
              .formatted(
                  block.getFirst().name(),
                  block.getFirst().unit(),
                  workers,
                  workers == 1 ? "" : "s"));
      StringBuilder head = new StringBuilder("  %-20s".formatted("segments"));
      Arrays.stream(segments).forEach(number -> head.append("%,10d".formatted(number)));
      out.line(head.toString());
      for (String strategy : block.stream().map(BenchRow::strategy).distinct().toList()) {
        StringBuilder line = new StringBuilder("  %-20s".formatted(strategy));
        String note = "";
        for (BenchRow row : block) {
          if (row.strategy().equals(strategy)) {
            line.append(
                Double.isNaN(row.median())
                    ? "%10s".formatted("breaks")
                    : "%,10.2f".formatted(row.median()));
            note = row.note();
          }
        }
        out.line(line + (note.isEmpty() ? "" : "  " + note));
      }
      out.line("");
    }
    out.flush();
  }
}
