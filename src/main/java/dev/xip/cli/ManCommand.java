package dev.xip.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code xip man}, for the installation: writes a page for man(1) of each command, from what its
 * help says, in the language of man(7).
 */
@Command(name = "man", hidden = true)
final class ManCommand implements Callable<Integer> {
  @Parameters(converter = HostPlace.Folder.class)
  private Path folder;

  @Spec private CommandSpec spec;

  ManCommand() {}

  @Override
  public Integer call() throws IOException {
    write(spec.root(), folder);
    return Main.DONE;
  }

  private static void write(CommandSpec command, Path folder) throws IOException {
    Files.writeString(folder.resolve(name(command) + ".1"), new Page(command).text());
    for (CommandSpec each : below(command)) {
      write(each, folder);
    }
  }

  private static List<CommandSpec> below(CommandSpec command) {
    return command.subcommands().values().stream()
        .map(CommandLine::getCommandSpec)
        .filter(each -> !each.usageMessage().hidden())
        .toList();
  }

  private static String name(CommandSpec command) {
    return command.qualifiedName("-");
  }

  /** One page. */
  private static final class Page {
    /** A row of help: an example, or a word and what it means. */
    private static final Pattern ROW = Pattern.compile(" +(\\S.*?)(?: {2,}(\\S.*))?");

    private final CommandSpec command;
    private final StringBuilder page = new StringBuilder();

    Page(CommandSpec command) {
      this.command = command;
    }

    private String text() {
      UsageMessageSpec usage = command.usageMessage();
      List<CommandSpec> below = below(command);
      line(
          ".TH %s 1 \"\" \"%s\" \"User commands\""
              .formatted(escaped(name(command).toUpperCase(Locale.ROOT)), Main.version()));
      section("NAME");
      line(escaped(name(command)) + " \\- " + summary(command));
      section("SYNOPSIS");
      line(".nf");
      new CommandLine.Help(command, CommandLine.Help.defaultColorScheme(Ansi.OFF))
          .synopsis(0)
          .lines()
          .forEach(each -> line(escaped(each)));
      line(".fi");
      section("DESCRIPTION");
      rowsAndParagraphs(usage.description());
      if (!below.isEmpty()) {
        section("COMMANDS");
        below.forEach(each -> item(bold(each.name()), summary(each)));
      }
      section("OPTIONS");
      command.positionalParameters().stream()
          .filter(each -> !each.paramLabel().isEmpty())
          .forEach(each -> item(italic(each.paramLabel()), described(each)));
      command.options().stream()
          .filter(each -> !each.hidden())
          .forEach(each -> item(names(each), described(each)));
      section("EXAMPLES");
      rowsAndParagraphs(usage.footer());
      section("SEE ALSO");
      line(
          (command.parent() == null ? below : List.of(command.parent()))
              .stream().map(each -> bold(name(each)) + "(1)").collect(Collectors.joining(", ")));
      return page.toString();
    }

    private static String summary(CommandSpec command) {
      return escaped(String.join(" ", command.usageMessage().header()).replaceFirst("\\.$", ""));
    }

    private static String names(OptionSpec option) {
      String value = option.arity().max() == 0 ? "" : "=" + italic(option.paramLabel());
      return Stream.of(option.names())
          .map(each -> bold(each) + (each.startsWith("--") ? value : ""))
          .collect(Collectors.joining(", "));
    }

    private static String described(ArgSpec argument) {
      return escaped(String.join(" ", argument.description()).formatted());
    }

    private void rowsAndParagraphs(String[] formats) {
      for (String each : formats) {
        for (String line : (each + "\n").formatted().lines().toList()) {
          Matcher row = ROW.matcher(line);
          if (line.startsWith(" ") && row.matches()) {
            item(bold(row.group(1)), row.group(2) == null ? "" : escaped(row.group(2)));
          } else {
            line(line.isBlank() ? ".PP" : escaped(line));
          }
        }
      }
    }

    private void item(String tag, String text) {
      line(".TP");
      line(tag);
      if (!text.isEmpty()) {
        line(text);
      }
    }

    private void section(String name) {
      line(".SH " + name);
    }

    private void line(String line) {
      page.append(line).append('\n');
    }

    private static String bold(String text) {
      return "\\fB" + escaped(text) + "\\fR";
    }

    private static String italic(String text) {
      return "\\fI" + escaped(text) + "\\fR";
    }

    /** Escapes what troff obeys: backslashes, hyphens that it would bend, and requests. */
    private static String escaped(String text) {
      String plain = text.replace("\\", "\\e").replace("-", "\\-");
      return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
    }
  }
}
