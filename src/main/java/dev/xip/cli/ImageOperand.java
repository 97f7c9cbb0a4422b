package dev.xip.cli;

import dev.xip.mount.ImageSource;
import dev.xip.mount.OpenImage;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The operand IMAGE, and the options that say where in it the image lies. */
final class ImageOperand {
  /** How a partition is named, for descriptions. */
  static final String PARTITION =
      "a partition of a disk, as in disk.img:2, disk.img:label=NAME, disk.img:uuid=UUID or"
          + " disk.img:type=linux";

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      converter = HostPlace.Input.class,
      description = {
        "The image: a file or block device, - for standard input; "
            + PARTITION
            + "; or segment:A:B:C for one in adjacent segments."
      })
  private String name;

  @Option(
      names = "--offset",
      paramLabel = "BYTES",
      converter = SegmentNumbers.Offset.class,
      description = "The image or disk begins at this byte of the file.")
  private Long offset;

  @Option(
      names = "--size",
      paramLabel = "BYTES",
      converter = SegmentNumbers.Bytes.class,
      description = "The image or disk has this many bytes; default: up to the end of the file.")
  private Long size;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "Read it as ext2, ext3, ext4 or erofs, whatever other magic numbers it has.")
  private Format format;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  /** The names that formats have. */
  enum Format {
    EXT2,
    EXT3,
    EXT4,
    EROFS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  ImageOperand() {}

  /** An operand without options, for a command that picocli did not parse. */
  static ImageOperand of(String name) {
    ImageOperand operand = new ImageOperand();
    operand.name = name;
    return operand;
  }

  /** {@return the operand as typed} */
  String name() {
    return name;
  }

  /** {@return whether the image is in segments} */
  boolean isInSegments() {
    return name.startsWith(OpenImage.SEGMENTS);
  }

  /** {@return the segments that hold it} */
  List<SegmentName> segments() throws SegmentException {
    if (offset != null || size != null || format != null) {
      throw new ParameterException(
          spec.commandLine(), "--offset, --size and --format: expected an image in a file");
    }
    return segments(name);
  }

  /** {@return the segments that an operand names} */
  static List<SegmentName> segments(String operand) throws SegmentException {
    List<SegmentName> names = new ArrayList<>();
    for (String each : operand.substring(OpenImage.SEGMENTS.length()).split(":", -1)) {
      names.add(SegmentName.of(each));
    }
    return names;
  }

  /** {@return where it lies, if it is not in segments} */
  ImageSource source() throws IOException {
    ImageSource source = source(name, offset, size);
    return format == null ? source : source.as(format.toString());
  }

  /**
   * {@return the place that a user names}
   *
   * @param name a file or block device, or a partition in it
   * @param offset where the image or disk begins in it, null for its first byte
   * @param size the length of the image or disk, null for the rest
   */
  static ImageSource source(String name, Long offset, Long size) throws IOException {
    ImageSource whole = ImageSource.parse(name);
    return offset == null && size == null
        ? whole
        : whole.within(offset == null ? 0 : offset, size == null ? -1 : size);
  }
}
