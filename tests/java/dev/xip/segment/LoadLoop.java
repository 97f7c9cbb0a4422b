package dev.xip.segment;

import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A program that loads the segments that {@link SaveLoop}s save and checks each, until its input
 * ends: all pages are of one version, the one that was loaded, and none goes back to a version
 * before.
 */
final class LoadLoop {
  private LoadLoop() {}

  /**
   * Runs the program, which writes how many loads it checked.
   *
   * @param args the folder of the store and the names of the segments
   */
  public static void main(String[] args) throws IOException {
    SegmentStore store = SegmentStore.open(Path.of(args[0]));
    SegmentLoader loader = new SegmentLoader(store, PhysicalMemory.boot(16L << 30, 16L << 20));
    Map<String, Long> versions = new HashMap<>();
    long loads = 0;
    // The input ends with the process that started this one, even if it was killed.
    Thread input = Thread.ofPlatform().daemon().start(LoadLoop::awaitEndOfInput);
    while (input.isAlive()) {
      String name = args[1 + (int) (loads++ % (args.length - 1))];
      SharingMode mode = SharingMode.values()[(int) (loads % 2)];
      SavedSegment loaded = loader.load(new SegmentName(name), mode);
      long version = loaded.version();
      check(
          loader.memory().window().asSlice(loaded.range().start(), loaded.range().length()),
          version);
      if (version < versions.getOrDefault(name, 0L)) {
        throw new AssertionError("%s went back to %d from %s".formatted(name, version, versions));
      }
      versions.put(name, version);
      loader.unload(loaded.name());
    }
    System.out.println(loads);
  }

  private static void awaitEndOfInput() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void check(MemorySegment mem, long version) {
    for (long at = 0; at < mem.byteSize(); at += Pages.SIZE) {
      long found = mem.get(ValueLayout.JAVA_LONG, at);
      // The zeros that a segment is defined with are of version 1.
      if (found != version && (version != 1 || found != 0)) {
        throw new AssertionError(
            "version %d has a page of version %d at 0x%x".formatted(version, found, at));
      }
    }
  }
}
