package dev.xip.cli;

import dev.xip.base.ProgressListener;
import dev.xip.demo.Demo;
import dev.xip.demo.DemoListener;
import dev.xip.demo.DemoPicture;
import dev.xip.demo.DemoReport;
import dev.xip.host.HostPaths;
import dev.xip.host.ScratchFolder;
import dev.xip.mount.ImageSource;
import dev.xip.mount.OpenImage;
import dev.xip.segment.SegmentName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
          + " of a segment. Five lines say what was shown.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip demo                        on the running JDK",
      "  xip demo --dir /usr/share/doc   on a folder",
      "  xip demo --image disk.img:2     on an image, which is only read",
      "  xip demo --details              the answer, then how it came about, step by step",
      "  xip demo --svg demo.svg         the answer, and the same as a picture",
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
        converter = HostPlace.Input.class,
        description =
            "The image to read: a file, a block device, a partition as in disk.img:2, or"
                + " segment:A:B for one in adjacent segments.")
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

  @ArgGroup private Form form = new Form();

  /** How much is printed: at most one of the two. */
  static final class Form {
    @Option(names = "--details", description = "Print also how it went, step by step.")
    private boolean details;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;
  }

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description =
          "Also draw one page of a file, read in place and through a page cache, with the numbers"
              + " of this run; a file that exists is replaced.")
  private Path picture;

  @Mixin private SegmentOptions.Place store = new SegmentOptions.Place();

  DemoCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (picture == null) {
      return print(run());
    }
    try (DrawnFile file = DrawnFile.at(picture, "a picture")) {
      DemoReport report = run();
      if (report.samePage() == null) {
        throw new IOException(
            "demo: a picture shows a page of a file in place, found none in "
                + HostPaths.text(report.source()));
      }
      file.write(DemoPicture.of(report));
      return print(report);
    }
  }

  private DemoReport run() throws IOException, InterruptedException {
    try (ScratchFolder scratch =
            ScratchFolder.in(work == null ? HostPlace.temporary() : work, "xip-demo");
        Phases phases = new Phases()) {
      Path folder = scratch.path();
      return source.image != null
          ? ofImage(folder, phases)
          : Demo.ofFolder(
              source.folder != null ? source.folder : Path.of(System.getProperty("java.home")),
              folder,
              phases);
    }
  }

  private DemoReport ofImage(Path folder, Phases phases) throws IOException, InterruptedException {
    if (source.image.startsWith(OpenImage.SEGMENTS)) {
      List<SegmentName> names = ImageOperand.segments(source.image);
      try (OpenImage image = OpenImage.open(store.open(), names)) {
        return Demo.ofImage(image, Path.of(image.image().name()), folder, phases);
      }
    }
    ImageSource file = ImageSource.parse(source.image);
    try (OpenImage image = OpenImage.open(file)) {
      return Demo.ofImage(image, file.file(), folder, phases);
    }
  }

  private int print(DemoReport report) throws IOException {
    Output out = new Output();
    if (form.json) {
      DemoJson.print(report, out);
    } else {
      DemoAnswer.print(report, out);
      if (form.details) {
        DemoStory.print(report, out);
      }
      DemoAnswer.verdict(report, out);
      if (!form.details) {
        DemoAnswer.more(out);
      }
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
