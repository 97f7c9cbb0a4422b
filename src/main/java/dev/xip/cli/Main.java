package dev.xip.cli;

import dev.xip.host.Leftovers;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code xip}; the only place that turns failures into exit codes and messages. */
@Command(
    name = "xip",
    header = "Reads the files inside a file-system image in place.",
    synopsisHeading = "Usage: ",
    customSynopsis = "xip [--verbose] COMMAND [ARG...]",
    description = {
      "%nNo mount, no root, no extraction: the image is mapped once, and each byte is read where it"
          + " lies."
    },
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip demo                            the whole way, measured, in seconds",
      "  xip history                         how the special bit came to be, run step by step",
      "  xip pack /usr/share/doc doc.img     make an image of a folder",
      "  xip ls -l doc.img /                 look into it",
      "  xip cat doc.img /a/file | less      read a file of it",
      "  xip check doc.img                   what can be used in place, and why not",
      "  xip help ls                         more about one command",
      "",
      "Exit codes: 0 done; 1 failed, with one line on standard error; 2 wrong usage; 127 no JDK to"
          + " run on, or an incomplete installation."
    },
    versionProvider = Main.Version.class)
public final class Main implements Callable<Integer> {
  /** Success. */
  static final int DONE = 0;

  /** Failure, with one line on standard error. */
  static final int FAILED = 1;

  /** Wrong usage: the command line cannot be parsed. */
  static final int WRONG_USAGE = 2;

  private static final List<String> VERSION = List.of("-V", "--version");

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help and exit.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version and exit.")
  private boolean version;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "On failure, show the stack trace too.")
  private boolean verbose;

  @Spec private CommandSpec spec;

  private Main() {}

  /**
   * Runs one command and exits with its code.
   *
   * @param arguments the command and its arguments
   */
  public static void main(String[] arguments) {
    Thread.setDefaultUncaughtExceptionHandler(new UncaughtFailure());
    int code = run(arguments);
    if (code != DONE) {
      // Not on success: System.exit sets up a logger, which takes a tenth of a short command's
      // time.
      System.exit(code);
    }
  }

  /**
   * Runs one command.
   *
   * @param arguments the command and its arguments
   * @return the exit code
   */
  static int run(String... arguments) {
    Main main = new Main();
    try {
      if (arguments.length == 1 && VERSION.contains(arguments[0])) {
        // Starting picocli would take longer than the answer.
        return print(version() + "\n");
      }
      String[] recovered = RawArguments.recover(arguments);
      CatCommand cat = CatCommand.ofNames(recovered);
      return cat == null ? main.parse(recovered) : cat.call();
    } catch (IOException | RuntimeException | Error e) {
      return main.report(e);
    }
  }

  private int parse(String[] arguments) throws IOException {
    // The first word that is not an option is the command, or wrong.
    CommandLine line = new CommandLine(this).setStopAtPositional(true);
    Commands.addTo(line, arguments);
    // Picocli ignores write errors, so it prints into memory.
    StringWriter help = new StringWriter();
    int code =
        line.setCaseInsensitiveEnumValuesAllowed(true)
            .setExpandAtFiles(false)
            .registerConverter(Path.class, new HostPlace())
            .setOut(new PrintWriter(help))
            .setUsageHelpWidth(HelpText.width())
            .setUsageHelpLongOptionsMaxWidth(32)
            .setHelpSectionMap(HelpText.sections(line.getHelpSectionMap()))
            .setParameterExceptionHandler(Main::wrongUsage)
            .setExecutionExceptionHandler((failure, command, parsed) -> report(failure))
            .execute(arguments);
    return help.getBuffer().isEmpty() ? code : print(help.toString());
  }

  private static int print(String help) throws IOException {
    Output out = new Output();
    out.help(help);
    out.flush();
    return DONE;
  }

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "a command is needed");
  }

  private static int wrongUsage(ParameterException e, String[] arguments) {
    String command = e.getCommandLine().getCommandSpec().qualifiedName(" ");
    String message =
        e instanceof UnmatchedArgumentException unmatched
            ? DidYouMean.line(unmatched)
            : e.getMessage().lines().findFirst().orElse("");
    Errors.line("%s (see %s --help)".formatted(message, command));
    return WRONG_USAGE;
  }

  private int report(Throwable failure) {
    if (Failure.isClosedPipe(failure)) {
      return DONE;
    }
    try {
      Leftovers.step(() -> tell(failure));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // tell does not throw it
    }
    return FAILED;
  }

  /** Reports a failure; not called once a signal stops the process, which causes failures. */
  private Void tell(Throwable failure) {
    Errors.line(Failure.line(failure));
    if (verbose) {
      Errors.trace(failure);
    }
    return null;
  }

  static String version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return "xip " + (version == null ? "(not from a jar)" : version);
  }

  /** Reports the exception that ended another thread. */
  private static final class UncaughtFailure implements Thread.UncaughtExceptionHandler {
    @Override
    public void uncaughtException(Thread thread, Throwable failure) {
      Errors.line(Failure.line(failure));
    }
  }

  /** The version, for picocli if {@code --version} is among other arguments. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {version()};
    }
  }
}
