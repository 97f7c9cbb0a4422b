package dev.xip.demo;

import dev.xip.base.Pages;
import dev.xip.measure.XmlText;

/**
 * Draws as SVG how one page of a file is read, in place and through a page cache: program, entry,
 * physical memory, image. Numbers are those of a run of the demo.
 */
public final class DemoPicture {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 614;
  private static final int STAGES = 16;
  private static final int LEFT = 156;
  private static final int RIGHT = 566;
  private static final int PANEL = 378;

  private static final int PROGRAM = 52;
  private static final int ENTRY = 146;
  private static final int MEMORY = 274;
  private static final int IMAGE = 428;
  private static final int RESULT = 528;
  private static final int LOW = 48;
  private static final int HIGH = 72;

  /** Where the segment begins in its panel, and the image below it. */
  private static final int SEGMENT = 112;

  private static final int SEGMENT_WIDTH = PANEL - SEGMENT;
  private static final int PAGE_WIDTH = 8;
  private static final int FRAMES = 20;
  private static final int FRAME = 13;
  private static final int LONGEST_NAME = 40;

  /** Colours without variables, which not every viewer of SVG knows; dark where the reader is. */
  private static final String STYLE =
      """
      <style>
      text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1d2126; }
      .title { font-size: 17px; font-weight: 600; } .stage { font-weight: 600; }
      .soft { font-size: 12px; fill: #56606b; } .big { font-size: 30px; font-weight: 600; }
      .end { text-anchor: end; }
      .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
      .paper { fill: #fcfcfa; } .box { fill: #ffffff; stroke: #56606b; }
      .ram { fill: #cfe2f6; stroke: #56606b; } .seg { fill: #d3ecd8; stroke: #56606b; }
      .frame { fill: #7fa8d6; } .count { fill: #56606b; } .page { fill: #c2410c; }
      .bit { fill: #c2410c; stroke: #56606b; } .onbit { fill: #ffffff; font-weight: 600; }
      .line { fill: none; stroke: #c2410c; stroke-width: 2; }
      .same { fill: none; stroke: #22703f; stroke-width: 1.5; stroke-dasharray: 5 4; }
      .gap { fill: none; stroke: #8896a8; stroke-dasharray: 3 4; }
      @media (prefers-color-scheme: dark) {
      text { fill: #e4e7ea; } .soft { fill: #a3adb8; }
      .paper { fill: #15181c; } .box { fill: #1e2328; stroke: #a3adb8; }
      .ram { fill: #21405f; stroke: #a3adb8; } .seg { fill: #23472e; stroke: #a3adb8; }
      .frame { fill: #5b8cc4; } .count { fill: #a3adb8; } .page { fill: #f08a4b; }
      .bit { fill: #f08a4b; stroke: #a3adb8; } .onbit { fill: #1b1009; }
      .line { stroke: #f08a4b; } .same { stroke: #7fd09a; } .gap { stroke: #6d7b8c; }
      }
      </style>
      """;

  private final XmlText svg = new XmlText();
  private final DemoReport report;
  private final DemoReport.SamePage page;

  private DemoPicture(DemoReport report) {
    this.report = report;
    this.page = report.samePage();
  }

  /**
   * Draws.
   *
   * @param report the results of a run in which at least one page was in place
   * @return an SVG document, readable on light and dark screens
   */
  public static String of(DemoReport report) {
    return new DemoPicture(report).draw();
  }

  private String draw() {
    DemoReport.Counts counts = report.counts();
    svg.add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
            + " height=\"%d\" role=\"img\" aria-label=\"%s\">\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, spoken());
    svg.raw(STYLE);
    svg.add("<rect width=\"%d\" height=\"%d\" class=\"paper\"/>\n", WIDTH, HEIGHT);
    stage(PROGRAM, "A program", "reads a byte", "of a mapped file");
    stage(ENTRY, "The page-table", "entry says where", "the byte lies");
    stage(MEMORY, "Physical", "memory of the", "modelled machine");
    stage(IMAGE, "The image file,", "which holds all", "files");
    text(LEFT, 32, "title", "In place, as xip reads it");
    text(RIGHT, 32, "title", "Through a page cache, the usual way");
    program(LEFT, page.inPlace());
    program(RIGHT, page.cached());
    entry(LEFT, page.inPlace(), "1: no struct page here, nothing is counted");
    entry(RIGHT, page.cached(), "0: has a struct page, which counts its users");
    segment();
    frames();
    result(
        LEFT,
        counts.framesInUseAfter() - counts.framesInUseBefore(),
        "page frames taken for %s".formatted(Amounts.plural(counts.files(), "file")),
        report.times().inPlace());
    result(
        RIGHT,
        counts.controlFrames(),
        "page frames taken, each with a copy",
        report.times().control());
    text(
        STAGES,
        HEIGHT - 12,
        "soft",
        "Orange: the page that is read. Page frame: 4 KiB of RAM and its struct page. Cold: each"
            + " way once, in place first, in a new JVM; SHA-256 included.");
    return svg.raw("</svg>\n").toString();
  }

  private String info() {
    return "%s, %s".formatted(report.info().format(), Amounts.size(report.imageBytes()));
  }

  private String spoken() {
    return "One page of "
        + page.inPlace().path()
        + ", read in two ways. In place: the page-table entry has the special bit and points into"
        + " the image, which is mapped as physical memory; no page frame is taken. Through a page"
        + " cache: the entry points to a page frame of RAM that holds a copy.";
  }

  private void stage(int y, String first, String second, String third) {
    text(STAGES, y + 16, "stage", first);
    text(STAGES, y + 33, "soft", second);
    text(STAGES, y + 49, "soft", third);
  }

  private void program(int x, DemoReport.SampleEntry entry) {
    box(x, PROGRAM, PANEL, LOW, "box");
    text(x + 12, PROGRAM + 20, "name", shortened(entry.path()));
    text(x + 12, PROGRAM + 38, "soft mono", "at address 0x%x".formatted(entry.va()));
    arrow(x + 72, PROGRAM + LOW, x + 72, ENTRY);
    text(x + 84, (PROGRAM + LOW + ENTRY) / 2 + 4, "soft", "a fault, at the first touch, writes it");
  }

  private void entry(int x, DemoReport.SampleEntry entry, String meaning) {
    int bit = 118;
    box(x, ENTRY, PANEL - bit, LOW, "box");
    text(x + 12, ENTRY + 20, "", "page number 0x%x".formatted(entry.nativePa() >>> Pages.SHIFT));
    text(x + 12, ENTRY + 38, "soft mono", "entry 0x%016x".formatted(entry.pte()));
    box(x + PANEL - bit, ENTRY, bit, LOW, entry.special() ? "bit" : "box");
    text(
        x + PANEL - bit + 18,
        ENTRY + 29,
        entry.special() ? "onbit" : "",
        "special bit %d".formatted(entry.special() ? 1 : 0));
    text(x + PANEL, ENTRY + LOW + 18, "soft end", meaning);
  }

  /** The left panel's memory: RAM, which stays empty, and the image where it was loaded. */
  private void segment() {
    box(LEFT, MEMORY, 76, HIGH, "ram");
    text(LEFT + 10, MEMORY + 30, "", "RAM");
    text(LEFT + 10, MEMORY + 50, "soft", Amounts.size(report.ramBytes()));
    svg.add(
        "<path d=\"M%d %dH%d\" class=\"gap\"/>\n",
        LEFT + 80, MEMORY + HIGH / 2, LEFT + SEGMENT - 4);
    int from = LEFT + SEGMENT;
    image(from, MEMORY, HIGH, "the image, mapped as", "a segment of memory");
    image(from, IMAGE, LOW, info(), "");
    int stripe = stripe(from);
    svg.add(
        "<path d=\"M%d %dV%dM%d %dV%d\" class=\"same\"/>\n",
        from, MEMORY + HIGH, IMAGE, from + SEGMENT_WIDTH, MEMORY + HIGH, IMAGE);
    text(from + 12, (MEMORY + HIGH + IMAGE) / 2 + 4, "", "the same bytes: mapped, not copied");
    arrow(from - 40, ENTRY + LOW, stripe, MEMORY);
  }

  private void image(int x, int y, int height, String first, String second) {
    box(x, y, SEGMENT_WIDTH, height, "seg");
    int stripe = stripe(x);
    svg.add(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"page\"/>\n",
        stripe - PAGE_WIDTH / 2, y, PAGE_WIDTH, height);
    boolean atRight = stripe < x + SEGMENT_WIDTH / 2;
    String anchor = atRight ? "end" : "";
    int at = atRight ? x + SEGMENT_WIDTH - 12 : x + 12;
    int middle = y + height / 2;
    text(at, second.isEmpty() ? middle + 5 : middle - 4, anchor, first);
    if (!second.isEmpty()) {
      text(at, middle + 14, anchor, second);
    }
  }

  /** {@return the middle of the drawn page in an image that is drawn from x on} */
  private int stripe(int x) {
    double share =
        (double) (page.inPlace().nativePa() - report.physical().start())
            / report.physical().length();
    int room = SEGMENT_WIDTH - PAGE_WIDTH;
    return x + PAGE_WIDTH / 2 + (int) Math.round(room * Math.clamp(share, 0, 1));
  }

  /** The right panel's memory: frames of RAM with copies, and a struct page below each. */
  private void frames() {
    box(RIGHT, MEMORY, PANEL, HIGH, "ram");
    text(RIGHT + PANEL - 12, MEMORY + 20, "end", "RAM: a page frame for each page");
    int chosen = 4;
    for (int i = 0; i < FRAMES; i++) {
      int x = RIGHT + 12 + i * 18;
      svg.add(
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"/>\n",
          x, MEMORY + 32, FRAME, FRAME, i == chosen ? "page" : "frame");
      svg.add(
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"5\" class=\"count\"/>\n",
          x, MEMORY + 50, FRAME);
    }
    text(RIGHT + PANEL, MEMORY + HIGH + 17, "soft end", "small bars: their struct pages");
    int frame = RIGHT + 12 + chosen * 18 + FRAME / 2;
    arrow(RIGHT + 72, ENTRY + LOW, frame, MEMORY + 31);
    int from = RIGHT + SEGMENT;
    image(from, IMAGE, LOW, info(), "");
    arrow(stripe(from), IMAGE, frame, MEMORY + 46);
    text(
        Math.max(stripe(from), frame) + 14,
        (MEMORY + HIGH + IMAGE) / 2 + 12,
        "",
        "each page is copied");
  }

  private void result(int x, long frames, String what, double seconds) {
    String number = "%,d".formatted(frames);
    text(x, RESULT, "big", number);
    text(x + 14 + 19 * number.length(), RESULT - 1, "", what);
    text(x, RESULT + 26, "", "%.1f s, cold".formatted(seconds));
  }

  private static String shortened(String name) {
    int length = name.codePointCount(0, name.length());
    return length <= LONGEST_NAME
        ? name
        : "…" + name.substring(name.offsetByCodePoints(0, length - LONGEST_NAME + 1));
  }

  private void box(int x, int y, int width, int height, String style) {
    svg.add(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" class=\"%s\"/>\n",
        x, y, width, height, style);
  }

  private void arrow(int fromX, int fromY, int toX, int toY) {
    double length = Math.hypot(toX - fromX, toY - fromY);
    double dx = (toX - fromX) / length * 8;
    double dy = (toY - fromY) / length * 8;
    svg.add(
        "<path d=\"M%d %dL%d %dM%.1f %.1fL%d %dL%.1f %.1f\" class=\"line\"/>\n",
        fromX,
        fromY,
        toX,
        toY,
        toX - dx - dy / 2,
        toY - dy + dx / 2,
        toX,
        toY,
        toX - dx + dy / 2,
        toY - dy - dx / 2);
  }

  private void text(int x, int y, String style, String text) {
    svg.add("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, style, text);
  }
}
