package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A program that is one user of a store: it performs the calls that it reads from standard input,
 * one at a time, until that ends. A call is a number of strings, and so is the answer: "ok" and the
 * result, or the code by name and the message. Addresses and pages are in hexadecimal.
 */
final class SegmentWorker {
  private final SegmentStore store;
  private final PhysicalMemory memory;
  private final SegmentLoader loader;
  private final SegmentDevices devices;
  private final Map<SegmentName, List<OpenSegmentDevice>> open = new HashMap<>();
  private Region claimed;

  private SegmentWorker(SegmentStore store, PhysicalMemory memory) {
    this.store = store;
    this.memory = memory;
    this.loader = new SegmentLoader(store, memory);
    this.devices = new SegmentDevices(loader);
  }

  /**
   * Runs the program.
   *
   * @param args the folder of the store, the size of the window and of RAM in bytes
   */
  public static void main(String[] args) throws IOException {
    try (PhysicalMemory memory =
            PhysicalMemory.boot(Long.parseLong(args[1]), Long.parseLong(args[2]));
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out =
            new DataOutputStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)))) {
      SegmentWorker worker = new SegmentWorker(SegmentStore.open(Path.of(args[0])), memory);
      while (true) {
        List<String> call;
        try {
          call = readFrame(in);
        } catch (EOFException e) {
          return;
        }
        writeFrame(out, worker.answer(call));
      }
    }
  }

  static List<String> readFrame(DataInputStream in) throws IOException {
    int count = in.readInt();
    List<String> frame = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      frame.add(in.readUTF());
    }
    return frame;
  }

  static void writeFrame(DataOutputStream out, List<String> frame) throws IOException {
    out.writeInt(frame.size());
    for (String each : frame) {
      out.writeUTF(each);
    }
    out.flush();
  }

  private List<String> answer(List<String> call) throws IOException {
    List<String> answer = new ArrayList<>();
    try {
      answer.add("ok");
      answer.addAll(call.getFirst().startsWith("device") ? onDevices(call) : onSegments(call));
      return answer;
    } catch (SegmentException e) {
      return List.of(e.errno().name(), e.getMessage());
    }
  }

  private List<String> onSegments(List<String> call) throws IOException {
    return switch (call.getFirst()) {
      case "load" -> shown(loader.load(name(call), SharingMode.valueOf(call.get(2))));
      case "modify" -> shown(loader.modifyShared(name(call), SharingMode.valueOf(call.get(2))));
      case "unload" -> {
        loader.unload(name(call));
        yield List.of();
      }
      case "save" -> version(loader.save(name(call)));
      case "type" -> List.of(loader.type(name(call)).name());
      case "define" -> version(store.define(definition(call), SegmentSource.zeros()));
      case "zeros" -> version(store.save(name(call), SegmentSource.zeros()));
      case "remove" -> {
        store.remove(name(call));
        yield List.of();
      }
      case "poke" -> {
        SavedSegment held = held(name(call));
        bytes(held)
            .set(
                ValueLayout.JAVA_BYTE,
                Long.parseLong(call.get(2), 16) << Pages.SHIFT,
                (byte) Integer.parseInt(call.get(3), 16));
        yield List.of();
      }
      case "pages" -> List.of(pages(bytes(held(name(call)))));
      case "claim" -> {
        long first = Long.parseLong(call.get(1), 16);
        claimed = memory.claim("device", AddrRange.ofLength(first, Pages.SIZE), false);
        yield List.of();
      }
      case "release" -> {
        memory.release(claimed);
        yield List.of();
      }
      case "state" -> state(Integer.parseInt(call.get(1)));
      default -> throw new IllegalArgumentException(call.toString());
    };
  }

  private List<String> onDevices(List<String> call) throws IOException {
    if (call.getFirst().equals("device add")) {
      return List.of(shown(devices.add(call.get(1))));
    }
    if (call.getFirst().equals("device remove")) {
      devices.remove(call.get(1));
      return List.of();
    }
    SegmentDevice device = devices.find(name(call)).orElseThrow();
    switch (call.getFirst()) {
      case "device shared" -> device.writeShared(call.get(2));
      case "device save" -> {
        return device.writeSave(call.get(2)).stream()
            .flatMap(result -> result.saved().stream())
            .map(saved -> saved.name() + " " + saved.version())
            .toList();
      }
      case "device open" ->
          open.computeIfAbsent(device.name(), _ -> new ArrayList<>()).add(device.open());
      case "device close" -> open.get(device.name()).removeLast().close();
      case "device read" -> {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment piece = arena.allocate(Long.parseLong(call.get(3), 16), Pages.SIZE);
          use(device).read(Long.parseLong(call.get(2), 16), List.of(piece));
          return List.of(pages(piece));
        }
      }
      case "device write" -> {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment piece = arena.allocate(Long.parseLong(call.get(3), 16), Pages.SIZE);
          piece.fill((byte) Integer.parseInt(call.get(4), 16));
          use(device).write(Long.parseLong(call.get(2), 16), List.of(piece));
        }
      }
      case "device access" -> {
        var there =
            use(device)
                .directAccess(Long.parseLong(call.get(2), 16), Long.parseLong(call.get(3), 16));
        return List.of(Long.toHexString(there.pfn()), Long.toHexString(there.pages()));
      }
      default -> throw new IllegalArgumentException(call.toString());
    }
    return List.of();
  }

  private static SegmentName name(List<String> call) {
    return new SegmentName(call.get(1));
  }

  /** The name, then type, first and last page of each part. */
  private static SegmentDefinition definition(List<String> call) {
    List<SegmentPart> parts = new ArrayList<>();
    for (int i = 2; i < call.size(); i += 3) {
      parts.add(
          new SegmentPart(
              SegmentType.valueOf(call.get(i)),
              Long.parseLong(call.get(i + 1), 16),
              Long.parseLong(call.get(i + 2), 16)));
    }
    return new SegmentDefinition(name(call), parts);
  }

  private static List<String> version(StoredSegment stored) {
    return List.of(Long.toString(stored.version()));
  }

  private OpenSegmentDevice use(SegmentDevice device) {
    return open.get(device.name()).getLast();
  }

  private SavedSegment held(SegmentName name) {
    return loader.loaded().stream().filter(each -> each.name().equals(name)).findFirst().get();
  }

  private MemorySegment bytes(SavedSegment held) {
    MemorySegment bytes = memory.window().asSlice(held.range().start(), held.range().length());
    return held.type().isWritable(held.mode()) ? PhysicalMemory.storable(bytes) : bytes;
  }

  /** The first byte of each page. */
  private static String pages(MemorySegment bytes) {
    byte[] pages = new byte[(int) Pages.covering(bytes.byteSize())];
    for (int i = 0; i < pages.length; i++) {
      pages[i] = bytes.get(ValueLayout.JAVA_BYTE, i * Pages.SIZE);
    }
    return HexFormat.of().formatHex(pages);
  }

  private static List<String> shown(SavedSegment held) {
    return List.of(
        held.type().name(),
        Long.toHexString(held.range().start()),
        Long.toHexString(held.range().end() - 1),
        Long.toString(held.version()));
  }

  private static String shown(SegmentDevice device) {
    return "%s %s %s %x-%x %s %s opened %d%s"
        .formatted(
            device.diskName(),
            device.names(),
            device.type(),
            device.range().start(),
            device.range().end() - 1,
            device.sharing(),
            device.isReadOnly() ? "read-only" : "writable",
            device.uses(),
            device.isSavePending() ? " to be saved" : "");
  }

  /** All that is loaded with the first byte of one page each, in order of address; the devices. */
  private List<String> state(int page) {
    List<String> state = new ArrayList<>();
    for (SavedSegment held : loader.loaded()) {
      MemorySegment bytes = bytes(held);
      long at = page % Pages.covering(bytes.byteSize()) << Pages.SHIFT;
      state.add(
          "%s %s %s %s references %d byte %x: %02x"
              .formatted(
                  held.name(),
                  shown(held),
                  held.mode(),
                  held.isWritable() ? "writable" : "read-only",
                  held.references(),
                  at,
                  bytes.get(ValueLayout.JAVA_BYTE, at)));
    }
    state.add("%d regions".formatted(memory.regions().size()));
    devices.devices().forEach(each -> state.add(shown(each)));
    return state;
  }
}
