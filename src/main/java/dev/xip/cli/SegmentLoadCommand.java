package dev.xip.cli;

import dev.xip.hold.HeldSegment;
import dev.xip.host.HostPaths;
import dev.xip.host.HostProcess;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip segment load}: loads a segment and holds it. */
@Command(
    name = "load",
    header = "Load a segment, print its address, and hold it.",
    description = {
      "%nMaps the segment at its physical address, prints one line and holds the segment until"
          + " standard input ends, a signal arrives or 'xip segment unload' asks for it. With a"
          + " command after --, it holds the segment while the command runs, prints nothing, and"
          + " exits with the command's exit code.%n",
      "The command finds in XIP_SEGMENT_FILE the file of the loaded version, which it can map"
          + " shared, in XIP_SEGMENT_SIZE its size in bytes, and in XIP_SEGMENT_MODE shared or"
          + " exclusive. A private copy is in the memory of the holder alone, not in that file.%n",
      "Standard input that is a file or /dev/null, as shells give it to background jobs of a"
          + " script, is ignored.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment load JDK",
      "  xip segment load JDK -- make test",
      "  xip segment load WORK -- sh -c 'ls -l \"$$XIP_SEGMENT_FILE\"'",
      "",
      "In a script:",
      "  coproc xip segment load WORK --exclusive --json",
      "  read -r ready <&\"$${COPROC[0]}\"      (an empty line: not loaded)",
      "  xip segment save WORK",
      "  xip segment unload WORK"
    })
final class SegmentLoadCommand implements Callable<Integer> {
  private static final String WITH_VARIABLES =
      """
      export XIP_SEGMENT_FILE="$1" XIP_SEGMENT_SIZE="$2" XIP_SEGMENT_MODE="$3"
      shift 3
      exec "$@"
      """;

  @Mixin private SegmentOptions.Segment target;

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "After --: the command to run meanwhile, with its arguments.")
  private List<String> command = List.of();

  @Option(names = "--exclusive", description = "Load a private copy, invisible to other processes.")
  private boolean exclusive;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  SegmentLoadCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    SharingMode mode = exclusive ? SharingMode.EXCLUSIVE : SharingMode.SHARED;
    try (HeldSegment held = HeldSegment.load(target.store(), target.name(), mode)) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> closeLate(held)));
      if (!command.isEmpty()) {
        return run(held.segment());
      }
      print(held);
      if (endsWithInput()) {
        Thread.ofPlatform().daemon().start(() -> endAfterInput(held));
      }
      held.await();
    }
    return Main.DONE;
  }

  /** Runs as a shutdown hook: a signal ends the JVM without running finally blocks. */
  private static void closeLate(HeldSegment held) {
    try {
      held.close();
    } catch (IOException e) {
      Errors.line(Failure.line(e));
    }
  }

  /** The names of files are bytes, which the environment of a JVM's child cannot hold. */
  private int run(SavedSegment loaded) throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                "-c",
                WITH_VARIABLES,
                "xip",
                HostPaths.text(loaded.dataFile().toRealPath()),
                Long.toString(loaded.range().length()),
                SegmentText.of(loaded.mode())));
    words.addAll(command);
    Process process = new ProcessBuilder(HostProcess.words(words)).inheritIO().start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    return process.waitFor();
  }

  private static boolean endsWithInput() {
    Path input = Path.of("/proc/self/fd/0");
    try {
      return !Files.isRegularFile(input) && !Files.isSameFile(input, Path.of("/dev/null"));
    } catch (IOException e) {
      return false; // standard input is closed
    }
  }

  private static void endAfterInput(HeldSegment held) {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // Input that cannot be read counts as ended.
    }
    held.end();
  }

  private void print(HeldSegment held) throws IOException {
    SavedSegment loaded = held.segment();
    long pid = ProcessHandle.current().pid();
    Output out = new Output();
    if (json) {
      JsonWriter writer =
          new JsonWriter(out)
              .beginObject()
              .member("name", loaded.name().value())
              .member("type", loaded.type().name())
              .member("mode", SegmentText.of(loaded.mode()))
              .member("version", loaded.version())
              .member("start", loaded.range().start())
              .member("end", loaded.range().end())
              .member("address", held.address())
              .member("pid", pid)
              .member("socket", held.socket().map(Path::toString).orElse(null));
      writer.endObject().finish();
    } else {
      out.line(
          "%s: %s %s, version %d, physical %s, in process %d at 0x%x%s"
              .formatted(
                  loaded.name(),
                  loaded.type(),
                  SegmentText.of(loaded.mode()),
                  loaded.version(),
                  loaded.range(),
                  pid,
                  held.address(),
                  held.unreachable()
                      .map(why -> "; takes no requests: " + Failure.line(why))
                      .orElse("")));
    }
    out.flush();
  }
}
