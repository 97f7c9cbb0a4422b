package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.FsImage;
import dev.xip.image.MemoryFaults;
import dev.xip.mount.ImageSource;
import dev.xip.mount.OpenImage;
import dev.xip.mount.Recovery;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that reads one image: opens it, works, prints, closes it. */
abstract class ImageCommand implements Callable<Integer> {
  /** The default path: the root of the image. */
  static final String ROOT = "/";

  @Mixin private ImageOperand operand = new ImageOperand();

  @Option(
      names = "--no-recovery",
      description = "Read an image whose journal needs recovery as it is, without the journal.")
  private boolean noRecovery;

  @Mixin private SegmentOptions.Store store = new SegmentOptions.Store();

  ImageCommand() {}

  /** Sets the image of a command that picocli did not parse. */
  final void openLater(String image) {
    operand = ImageOperand.of(image);
  }

  @Override
  public final Integer call() throws IOException {
    Output out = new Output();
    try (OpenImage mount = open(out)) {
      mount.warnings().forEach(each -> Errors.line(mount.image().name() + ": " + each));
      FsImage image = mount.image();
      int code = MemoryFaults.guarded(image.name(), image.memory(), () -> run(mount, image, out));
      out.flush();
      return code;
    }
  }

  private OpenImage open(Output out) throws IOException {
    Recovery recovery = noRecovery ? Recovery.NONE : Recovery.IN_MEMORY;
    if (operand.isInSegments()) {
      List<SegmentName> names = operand.segments();
      return OpenImage.open(SegmentStore.open(store.folder()), names, recovery);
    }
    ImageSource source = operand.source();
    if (out.isInto(source.file())) {
      throw new IOException(operand.name() + ": input file is output file");
    }
    return OpenImage.open(source.with(recovery));
  }

  /**
   * Runs the command.
   *
   * @param mount the open image
   * @param image its file system
   * @param out standard output
   * @return the exit code
   * @throws IOException shown to the user as one line
   */
  abstract int run(OpenImage mount, FsImage image, Output out) throws IOException;

  /** Converts an argument to the bytes of a path inside the image. */
  static final class PathConverter implements ITypeConverter<FileName> {
    @Override
    public FileName convert(String argument) {
      return FileName.of(HostPlace.demandSome(argument));
    }
  }
}
