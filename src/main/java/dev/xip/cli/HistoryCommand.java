package dev.xip.cli;

import dev.xip.history.History;
import dev.xip.history.HtmlPage;
import dev.xip.history.Step;
import dev.xip.history.Story;
import dev.xip.host.ScratchFolder;
import dev.xip.vm.Era;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code xip history}: the story of the special bit, each proposal run and broken. */
@Command(
    name = "history",
    header = "Tell how the special bit came to be, with each proposal run and broken.",
    description = {
      "%nIn January 2008 linux-mm looked for a way to tell which page-table entries have no struct"
          + " page. Each step runs a proposal of that thread on a machine made for it and shows"
          + " what was seen, what broke with the text that the machine gave, and what it cost on"
          + " this host. Without a STEP, all of them, in less than a minute.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip history                     the whole story",
      "  xip history 15-jan | less       the patch with the four objections",
      "  xip history --list              the steps",
      "  xip history --eras              where releases of Linux differ",
      "  xip history --html story.html   one page with drawings and charts",
      "",
      "Exit code 0 means that every fact was as told; 1 that one was not, or that something failed."
    })
final class HistoryCommand implements Callable<Integer> {
  /** Finds an era by its name. */
  static final class EraName implements ITypeConverter<Era> {
    @Override
    public Era convert(String name) {
      try {
        return Era.named(name);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** The names of the eras. */
  static final class EraNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.of(Era.values()).map(Era::toString).iterator();
    }
  }

  /** The names of the steps. */
  static final class StepNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return History.STEPS.stream().map(step -> step.account().id()).iterator();
    }
  }

  @Parameters(
      arity = "0..*",
      paramLabel = "STEP",
      completionCandidates = StepNames.class,
      description = "The steps to run, each once: ${COMPLETION-CANDIDATES}; default: all.")
  private List<String> names = List.of();

  @ArgGroup private Form form = new Form();

  /** What to make in place of text about steps that are run: at most one of these. */
  static final class Form {
    @Option(names = "--list", description = "Print the names of the steps and run nothing.")
    private boolean list;

    @Option(
        names = "--eras",
        description = "Print the rules in which releases of Linux differ, and run nothing.")
    private boolean all;

    @Option(
        names = "--era",
        paramLabel = "NAME",
        converter = EraName.class,
        completionCandidates = EraNames.class,
        description = "Print the rules of one era and run nothing: ${COMPLETION-CANDIDATES}.")
    private Era one;

    @Option(
        names = "--html",
        paramLabel = "FILE",
        description = "Write one page that needs no network; a file that exists is replaced.")
    private Path html;
  }

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      converter = HostPlace.Folder.class,
      description =
          "The folder for a small image and its segment, in a subfolder that is deleted at the end;"
              + " default: $$TMPDIR, else /tmp.")
  private Path work;

  @Spec private CommandSpec spec;

  private List<Step> steps;

  HistoryCommand() {}

  @Override
  public Integer call() throws IOException {
    steps = names.isEmpty() ? History.STEPS : names.stream().distinct().map(this::named).toList();
    if (form.all || form.one != null) {
      if (!names.isEmpty()) {
        throw new ParameterException(
            spec.commandLine(), "eras: expected no STEP, found " + names.getFirst());
      }
      return printEras(form.all ? List.of(Era.values()) : List.of(form.one));
    }
    if (form.html == null) {
      return print(form.list ? listed() : run());
    }
    try (DrawnFile page = DrawnFile.at(form.html, "a page")) {
      Story story = run();
      page.write(HtmlPage.of(story));
      return json ? print(story) : done(story);
    }
  }

  private Step named(String name) {
    try {
      return History.named(name);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  private Story listed() {
    return new Story(
        "",
        steps.stream().map(step -> new Story.Chapter(step.account(), List.of(), 0)).toList(),
        0);
  }

  private Story run() throws IOException {
    try (ScratchFolder scratch =
            ScratchFolder.in(work == null ? HostPlace.temporary() : work, "xip-history");
        TerminalProgress progress = TerminalProgress.ofSteps("running")) {
      return History.run(steps, scratch.path(), progress);
    }
  }

  private int print(Story story) throws IOException {
    Output out = new Output();
    if (json) {
      HistoryJson.print(story, out);
    } else if (form.list) {
      HistoryText.list(story, out);
    } else {
      HistoryText.print(story, out);
    }
    out.flush();
    return done(story);
  }

  private int printEras(List<Era> chosen) throws IOException {
    Output out = new Output();
    if (json) {
      HistoryEras.json(chosen, out);
    } else {
      HistoryEras.table(chosen, out);
    }
    out.flush();
    return Main.DONE;
  }

  private static int done(Story story) throws IOException {
    if (!story.broken().isEmpty()) {
      throw new IOException("history: not as told: " + String.join("; ", story.broken()));
    }
    return Main.DONE;
  }
}
