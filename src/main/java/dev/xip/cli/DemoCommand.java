package dev.xip.cli;

import dev.xip.base.ProgressListener;
import dev.xip.demo.Demo;
import dev.xip.demo.DemoListener;
import dev.xip.demo.DemoReport;
import dev.xip.host.ScratchFolder;
import dev.xip.mount.ImageSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code xip demo}: measures the way from an image to a byte read in place. */
@Command(
    name = "demo",
    header = "Show and measure the whole way from an image to a byte read in place.",
    description = {
      "%nPacks a folder (the running JDK if none is named) with mke2fs, defines the image as a"
          + " segment, loads it at its physical address, mounts it, maps every file into an address"
          + " space, touches each page and reads every byte through the page tables, comparing"
          + " SHA-256 with the source. For comparison the same files are read through the page"
          + " cache, which takes a frame of RAM for each page. Then a process stores, forks and"
          + " calls exec in the modelled memory, and, with /dev/kvm, programs of this host run out"
          + " of a segment.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip demo                        on the running JDK",
      "  xip demo --dir /usr/share/doc   on a folder",
      "  xip demo --image disk.img:2     on an image, which is only read",
      "  xip demo --json                 one JSON object, for programs",
      "",
      "Exit code 0 means that every law held; 1 that one did not, or that something failed."
    })
final class DemoCommand implements Callable<Integer> {
  /** The input: at most one of the two. */
  static final class Source {
    @Option(
        names = "--dir",
        paramLabel = "DIR",
        converter = HostPlace.Folder.class,
        description = "The folder to pack and read.")
    private Path folder;

    @Option(
        names = "--image",
        paramLabel = "IMAGE",
        converter = HostPlace.Some.class,
        description =
            "The image to read: a file, a block device or, as in disk.img:2, a partition.")
    private String image;
  }

  @ArgGroup private Source source = new Source();

  @Option(
      names = "--work",
      paramLabel = "DIR",
      converter = HostPlace.Folder.class,
      description =
          "The folder for the image and the segment store, in a subfolder that is deleted at the"
              + " end; default: $$TMPDIR, else /tmp.")
  private Path work;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  DemoCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    DemoReport report;
    try (ScratchFolder scratch =
            ScratchFolder.in(work == null ? HostPlace.temporary() : work, "xip-demo");
        Phases phases = new Phases()) {
      Path folder = scratch.path();
      report =
          source.image != null
              ? Demo.ofImage(ImageSource.parse(source.image), folder, phases)
              : Demo.ofFolder(
                  source.folder != null ? source.folder : Path.of(System.getProperty("java.home")),
                  folder,
                  phases);
    }
    Output out = new Output();
    if (json) {
      DemoStory.printJson(report, out);
    } else {
      DemoStory.print(report, out);
    }
    out.flush();
    if (!report.broken().isEmpty()) {
      throw new IOException("demo: " + String.join("; ", report.broken()));
    }
    return Main.DONE;
  }

  /** One progress bar for each phase. */
  private static final class Phases implements DemoListener, AutoCloseable {
    private TerminalProgress current;

    @Override
    public ProgressListener begin(String phase) {
      close();
      current = TerminalProgress.ofBytes(phase);
      return current;
    }

    @Override
    public void close() {
      if (current != null) {
        current.close();
      }
    }
  }
}
