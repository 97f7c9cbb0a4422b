package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.WaitLimit;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options of several segment commands. */
final class SegmentOptions {
  private static final BigDecimal LONGEST_SECONDS =
      BigDecimal.valueOf(WaitLimit.LONGEST.toSeconds());

  private static final int DEFAULT_SECONDS = 10;

  private SegmentOptions() {}

  /** The folder of a command's store. */
  static final class Place {
    @Option(
        names = "--store",
        paramLabel = "DIR",
        converter = HostPlace.Folder.class,
        description = "The folder of the store.")
    private Path folder;

    Place() {}

    /** Opens an existing store, whose operations wait a while for other processes. */
    SegmentStore open() throws IOException {
      return waiting(SegmentStore.open(folder()), Duration.ofSeconds(DEFAULT_SECONDS));
    }

    private static SegmentStore waiting(SegmentStore store, Duration most) {
      return store.waiting(WaitLimit.of(most, Errors::line));
    }

    Path folder() {
      if (folder != null) {
        return folder;
      }
      String store = RawArguments.variable("XIP_STORE");
      if (store != null) {
        return HostPaths.of(FileName.of(store));
      }
      String data = RawArguments.variable("XDG_DATA_HOME");
      // By the XDG specification relative paths are ignored.
      Path shared =
          data != null && data.startsWith("/")
              ? HostPaths.of(FileName.of(data))
              : HostPlace.home().resolve(".local/share");
      return shared.resolve("xip/segments");
    }
  }

  /** The store of a command that lets the user choose how long it waits. */
  static final class Store {
    @Mixin private Place place = new Place();

    @Option(
        names = "--timeout",
        paramLabel = "SECONDS",
        defaultValue = "" + DEFAULT_SECONDS,
        converter = Seconds.class,
        description = "The longest wait for other processes; default: ${DEFAULT-VALUE}.")
    private Duration timeout;

    Store() {}

    /** Opens an existing store. */
    SegmentStore open() throws IOException {
      return Place.waiting(SegmentStore.open(folder()), timeout);
    }

    /** Opens the store, or creates it. */
    SegmentStore create() throws IOException {
      return Place.waiting(SegmentStore.create(folder()), timeout);
    }

    Path folder() {
      return place.folder();
    }
  }

  /** Converts a number of seconds, with or without a fraction. */
  static final class Seconds implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        BigDecimal seconds = new BigDecimal(text);
        if (seconds.signum() >= 0 && seconds.compareTo(LONGEST_SECONDS) <= 0) {
          return Duration.ofMillis(seconds.movePointRight(3).longValue());
        }
      } catch (NumberFormatException e) {
        // reported below
      }
      throw new TypeConversionException(
          "expected a number of seconds from 0 to %s, found '%s'".formatted(LONGEST_SECONDS, text));
    }
  }

  /** A segment in a store. */
  static final class Segment {
    @Mixin private Store store;

    @Parameters(
        index = "0",
        paramLabel = "NAME",
        completionCandidates = CompletionCommand.SegmentNames.class,
        description = "The segment's name.")
    private String name;

    Segment() {}

    SegmentName name() throws IOException {
      return SegmentName.of(name);
    }

    SegmentStore store() throws IOException {
      return store.open();
    }
  }

  /** The file that has the contents of a segment. */
  static final class From {
    @Option(
        names = "--from",
        paramLabel = "FILE",
        converter = HostPlace.Input.class,
        description =
            "The contents: a file or block device; "
                + ImageOperand.PARTITION
                + "; or a pipe, - for standard input, which is read to its end.")
    private String name;

    @Option(
        names = "--offset",
        paramLabel = "BYTES",
        converter = SegmentNumbers.Offset.class,
        description = "The contents, or the disk, begin at this byte of the file.")
    private Long offset;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    From() {}

    /** {@return whether a file is named} */
    boolean isGiven() {
      return name != null;
    }

    /** {@return whether the contents or the disk begin at a certain byte of it} */
    boolean hasOffset() {
      if (offset != null && name == null) {
        throw new ParameterException(spec.commandLine(), "--offset: expected --from FILE");
      }
      return offset != null;
    }

    /**
     * Opens the contents.
     *
     * @param size how many bytes the contents or the disk have; null for all up to the file's end
     * @param atMost the most bytes that are read from a pipe
     */
    Contents contents(Long size, long atMost) throws IOException {
      return Contents.of(ImageOperand.source(name, offset, size), atMost);
    }
  }

  /** One of several processes that hold a segment. */
  static final class Holder {
    @Option(
        names = "--pid",
        paramLabel = "PID",
        description = "The holder's process ID; required if several processes hold the segment.")
    private Long pid;

    Holder() {}

    OptionalLong pid() {
      return pid == null ? OptionalLong.empty() : OptionalLong.of(pid);
    }
  }
}
