package dev.xip.cli;

import dev.xip.host.HostStream;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * Breaks the lines of help where the terminal ends. A line that begins with a blank is a row, such
 * as an example and what it does, whose last column goes on below itself; any other is a paragraph.
 */
final class HelpText {
  /** As narrow as picocli can make it. */
  private static final int NARROWEST = 55;

  private static final int WIDEST = 100;
  private static final int USUAL = 80;

  /** Where a row without a second column goes on. */
  private static final int INDENT = 6;

  private static final Pattern ROW = Pattern.compile("( +\\S.*? {2,})\\S.*");

  private HelpText() {}

  /** {@return the columns that help may take: those of COLUMNS, or else of the terminal} */
  static int width() {
    int columns = 0;
    String told = System.getenv("COLUMNS");
    if (told != null && told.matches("[1-9][0-9]{0,4}")) {
      columns = Integer.parseInt(told);
    }
    for (int i = 1; i <= 2 && columns == 0; i++) {
      columns = Output.isTerminal(i) ? HostStream.standard(i).columns() : 0;
    }
    return Math.clamp(columns == 0 ? USUAL : columns, NARROWEST, WIDEST);
  }

  /** {@return the sections of help, those of running text broken as said above} */
  static Map<String, IHelpSectionRenderer> sections(Map<String, IHelpSectionRenderer> usual) {
    Map<String, IHelpSectionRenderer> sections = new HashMap<>(usual);
    sections.put(
        UsageMessageSpec.SECTION_KEY_DESCRIPTION,
        help -> broken(help.commandSpec().usageMessage().description(), width()));
    sections.put(
        UsageMessageSpec.SECTION_KEY_FOOTER,
        help -> broken(help.commandSpec().usageMessage().footer(), width()));
    return sections;
  }

  /** {@return the lines of a section as picocli's format strings, none longer than the width} */
  private static String broken(String[] formats, int width) {
    StringBuilder text = new StringBuilder();
    for (String each : formats) {
      each.formatted().lines().forEach(line -> append(line, width, text));
      if (each.isEmpty() || each.endsWith("%n")) {
        text.append('\n');
      }
    }
    return text.toString();
  }

  private static void append(String line, int width, StringBuilder text) {
    Matcher row = ROW.matcher(line);
    int indent = !line.startsWith(" ") ? 0 : row.matches() ? row.group(1).length() : INDENT;
    indent = indent > width / 2 ? INDENT : indent;
    String rest = line;
    for (int room = width; rest.length() > room; room = width - indent) {
      int end = rest.lastIndexOf(' ', room);
      // A word that is longer than the line stays whole.
      end = end > rest.length() - rest.stripLeading().length() ? end : rest.indexOf(' ', room);
      if (end < 0) {
        break;
      }
      text.append(rest.substring(0, end).stripTrailing()).append('\n').repeat(" ", indent);
      rest = rest.substring(end).stripLeading();
    }
    text.append(rest).append('\n');
  }
}
