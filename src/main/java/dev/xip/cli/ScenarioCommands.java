package dev.xip.cli;

import dev.xip.scenario.Scenario;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip maps} and {@code xip pagetable}: address spaces and entries, for diagnostics. */
abstract class ScenarioCommands implements Callable<Integer> {
  @Mixin private ImageOperand image = new ImageOperand();

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "SCRIPT",
      converter = HostPlace.InputFile.class,
      description =
          "The steps, one a line, - for standard input; default: an example with every kind of"
              + " entry.")
  private Path script;

  @Option(names = "--print-script", description = "Print the steps instead of performing them.")
  private boolean printScript;

  @Mixin private SegmentOptions.Place store = new SegmentOptions.Place();

  private final Function<Scenario, String> show;

  ScenarioCommands(Function<Scenario, String> show) {
    this.show = show;
  }

  @Override
  public Integer call() throws IOException {
    try (Scenario scenario =
        image.isInSegments()
            ? Scenario.on(image.segments(), store.open())
            : Scenario.on(image.source())) {
      scenario.warnings().forEach(each -> Errors.line(image.name() + ": " + each));
      List<String> steps = script == null ? scenario.example() : Scenario.script(script);
      Output out = new Output();
      if (printScript) {
        for (String each : steps) {
          out.line(each);
        }
      } else {
        scenario.run(steps);
        out.text(show.apply(scenario));
      }
      out.flush();
    }
    return Main.DONE;
  }

  /** {@code xip maps}. */
  @Command(
      name = "maps",
      header = "Show modelled address spaces as /proc/PID/smaps would.",
      description = {
        "%nPerforms the steps of a script on the files of an image and prints the mappings of every"
            + " address space, with the sizes of their entries of each kind.%n",
        "  space NAME                        a new address space",
        "  map NAME LABEL PATH RIGHTS        a file of the image; RIGHTS as in rw-p or r--s",
        "  anon NAME LABEL PAGES RIGHTS      anonymous memory",
        "  read NAME LABEL OFFSET LENGTH     touches every page of the range",
        "  write NAME LABEL OFFSET TEXT      stores the text",
        "  fork NAME CHILD                   the child has the parent's labels",
        "  protect NAME LABEL RIGHTS         mprotect of the whole mapping",
        "  unmap NAME LABEL",
        "  exit NAME%n"
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  xip maps jdk.img",
        "  xip maps --print-script jdk.img >steps.txt     the example, to be changed",
        "  xip maps jdk.img steps.txt"
      })
  static final class Maps extends ScenarioCommands {
    Maps() {
      super(Scenario::maps);
    }
  }

  /** {@code xip pagetable}. */
  @Command(
      name = "pagetable",
      header = "Show the page-table entries of modelled address spaces, bit by bit.",
      description = {
        "%nPerforms the steps of a script on the files of an image (xip maps --help lists them) and"
            + " prints the entries of every address space.%n"
      },
      footerHeading = "%nExamples:%n",
      footer = {"  xip pagetable jdk.img", "  xip pagetable jdk.img steps.txt"})
  static final class PageTables extends ScenarioCommands {
    PageTables() {
      super(Scenario::pageTables);
    }
  }
}
