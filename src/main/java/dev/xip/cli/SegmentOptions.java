package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What several segment commands take. */
final class SegmentOptions {
  private SegmentOptions() {}

  /** The store that a command works with. */
  static final class Store {
    @Option(
        names = "--store",
        paramLabel = "DIR",
        converter = HostPlace.Folder.class,
        description = "The folder of the store.")
    private Path folder;

    Store() {}

    Path folder() {
      if (folder != null) {
        return folder;
      }
      String store = RawArguments.variable("XIP_STORE");
      if (store != null) {
        return HostPaths.of(FileName.of(store));
      }
      String data = RawArguments.variable("XDG_DATA_HOME");
      // The XDG specification has relative paths ignored.
      Path shared =
          data != null && data.startsWith("/")
              ? HostPaths.of(FileName.of(data))
              : HostPlace.home().resolve(".local/share");
      return shared.resolve("xip/segments");
    }
  }

  /** A segment that is in a store. */
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
      return SegmentStore.open(store.folder());
    }
  }

  /** One of several processes that hold a segment. */
  static final class Holder {
    @Option(
        names = "--pid",
        paramLabel = "PID",
        description = "The process that is meant; needed if several hold the segment.")
    private Long pid;

    Holder() {}

    OptionalLong pid() {
      return pid == null ? OptionalLong.empty() : OptionalLong.of(pid);
    }
  }
}
