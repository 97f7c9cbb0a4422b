package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.FsImage;
import dev.xip.image.MemoryFaults;
import dev.xip.mount.OpenImage;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** A command that reads one image: opens it, works, prints, closes it. */
abstract class ImageCommand implements Callable<Integer> {
  /** The default path: the root of the image. */
  static final String ROOT = "/";

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      converter = HostPlace.Some.class,
      description = "The image file, or segment:A:B:C for one in adjacent segments.")
  private String name;

  @Mixin private SegmentOptions.Store store = new SegmentOptions.Store();

  ImageCommand() {}

  /** Sets the image of a command that picocli did not parse. */
  final void openLater(String image) {
    name = image;
  }

  @Override
  public final Integer call() throws IOException {
    Output out = new Output();
    try (OpenImage mount = open(out)) {
      FsImage image = mount.image();
      int code = MemoryFaults.guarded(image.name(), image.memory(), () -> run(mount, image, out));
      out.flush();
      return code;
    }
  }

  private OpenImage open(Output out) throws IOException {
    if (!name.startsWith(OpenImage.SEGMENTS)) {
      Path file = HostPlace.of(name);
      if (out.isInto(file)) {
        throw new IOException(name + ": input file is output file");
      }
      return OpenImage.open(file);
    }
    List<SegmentName> names = new ArrayList<>();
    for (String each : name.substring(OpenImage.SEGMENTS.length()).split(":", -1)) {
      names.add(SegmentName.of(each));
    }
    return OpenImage.open(SegmentStore.open(store.folder()), names);
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
