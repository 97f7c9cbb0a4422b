package dev.xip.cli;

import dev.xip.base.Pages;
import dev.xip.machine.HeldSegment;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import dev.xip.segment.StoredSegment;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code xip segment}: works with a segment store. */
@Command(
    name = "segment",
    header = "Work with saved segments: define, list, load, save, remove.",
    synopsisSubcommandLabel = "COMMAND",
    description = {
      "%nA segment is a run of physical memory with a name, kept in a folder, the store. What is"
          + " loaded from it has no page frames.%n"
    },
    commandListHeading = "Commands:%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment define JDK --from jdk.img",
      "  xip segment list",
      "  xip segment load JDK      (holds it until standard input ends or a signal comes)",
      "",
      "The store is --store, else $$XIP_STORE, else $$XDG_DATA_HOME/xip/segments, else",
      "~/.local/share/xip/segments. Names have 1 to 8 letters, digits or $$#@_, in upper case."
    })
final class SegmentCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  SegmentCommand() {}

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "a segment command is needed");
  }

  @Command(
      name = "define",
      header = "Define a segment with the contents of a file.",
      description = {
        "%nCopies the file into the store, holes kept, and gives the copy a place in physical"
            + " memory: the first free one, or --at.%n"
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  xip segment define JDK --from jdk.img",
        "  xip segment define WORK --from disk.img --at 0x200000000 --type EW",
        "",
        "Types: first letter S shared or E exclusive; second R read-only, W writable, N writable",
        "and not saved; SC is written by the hypervisor alone."
      })
  int define(
      @Mixin StoreOption store,
      @Parameters(paramLabel = "NAME", description = "The segment's name.") String name,
      @Option(
              names = "--from",
              required = true,
              paramLabel = "FILE",
              description = "The file with the contents.")
          Path file,
      @Option(
              names = "--at",
              paramLabel = "ADDR",
              converter = AddressConverter.class,
              description = "The physical address in bytes, 0x... or decimal, in whole pages.")
          Long address,
      @Option(
              names = "--type",
              paramLabel = "TYPE",
              defaultValue = "SR",
              description = "SW EW SR ER SN EN or SC; default: ${DEFAULT-VALUE}.")
          SegmentType type)
      throws IOException {
    SegmentName segment = SegmentName.of(name);
    long bytes = Files.size(file);
    SegmentStore opened = SegmentStore.create(store.folder());
    SegmentDefinition definition;
    if (address == null) {
      definition = opened.place(segment, type, bytes);
    } else {
      long first = address >>> Pages.SHIFT;
      long last = first + Math.max(1, Pages.covering(bytes)) - 1;
      definition = SegmentDefinition.of(segment, List.of(SegmentPart.of(type, first, last)));
    }
    print(opened.define(definition, copyOf(file, bytes)));
    return Main.DONE;
  }

  @Command(
      name = "list",
      header = "List the segments of the store.",
      description =
          "%nA definition that is damaged is told on standard error; the exit code is 1.%n",
      footerHeading = "%nExamples:%n",
      footer = {"  xip segment list", "  xip segment list --json | jq -r '.segments[].name'"})
  int list(
      @Mixin StoreOption store,
      @Option(names = "--json", description = "Print one JSON object.") boolean json)
      throws IOException {
    Path folder = store.folder();
    SegmentStore.Listing listing =
        Files.exists(folder)
            ? SegmentStore.open(folder).list()
            : new SegmentStore.Listing(List.of(), List.of());
    Output out = new Output();
    if (json) {
      printJson(folder, listing, out);
    } else {
      out.line(
          "%-8s %-4s %-34s %16s %8s".formatted("NAME", "TYPE", "ADDRESSES", "BYTES", "VERSION"));
      for (StoredSegment each : listing.segments()) {
        out.line(row(each));
      }
    }
    out.flush();
    if (!listing.damaged().isEmpty()) {
      throw listing.damaged().getFirst();
    }
    return Main.DONE;
  }

  @Command(
      name = "load",
      header = "Load a segment, say where it lies, and hold it.",
      description = {
        "%nMaps the segment shared at its physical address, prints where that is, and holds it"
            + " until standard input ends or a signal comes.%n"
      },
      footerHeading = "%nExamples:%n",
      footer = {"  xip segment load JDK", "  sleep 60 | xip segment load JDK"})
  int load(
      @Mixin StoreOption store,
      @Parameters(paramLabel = "NAME", description = "The segment's name.") String name)
      throws IOException {
    SegmentStore opened = SegmentStore.open(store.folder());
    SegmentName segment = SegmentName.of(name);
    try (HeldSegment held = HeldSegment.load(opened, segment, SharingMode.SHARED)) {
      SavedSegment loaded = held.segment();
      Output out = new Output();
      out.line(
          "%s: %s %s, version %d, physical %s, in this process at 0x%x"
              .formatted(
                  loaded.name(),
                  loaded.type(),
                  loaded.mode().name().toLowerCase(Locale.ROOT),
                  loaded.version(),
                  loaded.range(),
                  held.address()));
      out.flush();
      System.in.transferTo(OutputStream.nullOutputStream());
    }
    return Main.DONE;
  }

  @Command(
      name = "save",
      header = "Give a segment new contents from a file.",
      description = {
        "%nLoads from now on get the new contents; whoever has loaded the old ones keeps them.%n"
      },
      footerHeading = "%nExamples:%n",
      footer = "  xip segment save JDK --from newer.img")
  int save(
      @Mixin StoreOption store,
      @Parameters(paramLabel = "NAME", description = "The segment's name.") String name,
      @Option(
              names = "--from",
              required = true,
              paramLabel = "FILE",
              description = "The file with the contents, at most as long as the segment.")
          Path file)
      throws IOException {
    long bytes = Files.size(file);
    print(SegmentStore.open(store.folder()).save(SegmentName.of(name), copyOf(file, bytes)));
    return Main.DONE;
  }

  @Command(
      name = "remove",
      header = "Remove a segment from the store.",
      description = "%nWhoever has it loaded keeps it until they leave.%n",
      footerHeading = "%nExamples:%n",
      footer = "  xip segment remove JDK")
  int remove(
      @Mixin StoreOption store,
      @Parameters(paramLabel = "NAME", description = "The segment's name.") String name)
      throws IOException {
    SegmentStore.open(store.folder()).remove(SegmentName.of(name));
    return Main.DONE;
  }

  private static SegmentSource copyOf(Path file, long bytes) {
    TerminalProgress progress = TerminalProgress.ofBytes("copying");
    return SegmentSource.copyOf(
        file,
        done -> {
          progress.at(done, bytes);
          if (done >= bytes) {
            progress.close();
          }
        });
  }

  private static void print(StoredSegment segment) throws IOException {
    Output out = new Output();
    out.line(row(segment));
    out.flush();
  }

  private static String row(StoredSegment segment) {
    SegmentDefinition definition = segment.definition();
    return "%-8s %-4s %-34s %16d %8d"
        .formatted(
            segment.name(),
            definition.type(),
            definition.range(),
            definition.byteSize(),
            segment.version());
  }

  private static void printJson(Path folder, SegmentStore.Listing listing, Output out)
      throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("store", folder.toString()).name("segments").beginArray();
    for (StoredSegment each : listing.segments()) {
      SegmentDefinition definition = each.definition();
      json.beginObject()
          .member("name", each.name().value())
          .member("type", definition.type().name())
          .member("start", definition.range().start())
          .member("end", definition.range().end())
          .member("bytes", definition.byteSize())
          .member("version", each.version())
          .member("dataFile", each.dataFile().toString())
          .endObject();
    }
    json.endArray().name("damaged").beginArray();
    for (SegmentException each : listing.damaged()) {
      json.value(each.getMessage());
    }
    json.endArray().endObject().finish();
  }

  /** Takes an address in bytes, page aligned. */
  static final class AddressConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        boolean hex = text.startsWith("0x") || text.startsWith("0X");
        long address = hex ? Long.parseLong(text.substring(2), 16) : Long.parseLong(text);
        return Pages.requireAligned(address, "address");
      } catch (NumberFormatException e) {
        throw new TypeConversionException("'%s' is no address".formatted(text));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** The store that a command works with. */
  static final class StoreOption {
    @Option(names = "--store", paramLabel = "DIR", description = "The folder of the store.")
    private Path folder;

    StoreOption() {}

    Path folder() {
      if (folder != null) {
        return folder;
      }
      String store = System.getenv("XIP_STORE");
      if (store != null && !store.isEmpty()) {
        return Path.of(store);
      }
      String data = System.getenv("XDG_DATA_HOME");
      // The XDG specification has relative paths ignored.
      return data != null && data.startsWith("/")
          ? Path.of(data, "xip", "segments")
          : Path.of(System.getProperty("user.home"), ".local", "share", "xip", "segments");
    }
  }
}
