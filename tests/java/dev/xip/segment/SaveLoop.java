package dev.xip.segment;

import dev.xip.base.Pages;
import dev.xip.testing.Folders;
import dev.xip.testing.ForkingJvm;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A process that saves one segment again and again until it is killed. Every page of a version
 * begins with the version's number. After each save it writes the number as a line to a file.
 */
final class SaveLoop implements ForkingJvm.Work {
  /** How many pages the segment has, few enough for the memory that a forked JVM has. */
  static final int PAGES = 64;

  /** After this many saves it waits to be killed, so that it needs no garbage collection. */
  private static final int SAVES = 400;

  @Override
  public void warmUp() throws IOException {
    Path folder = Files.createTempDirectory("xip");
    SegmentName name = new SegmentName("WARM");
    SegmentStore.open(folder)
        .define(
            SegmentDefinition.of(
                name, List.of(SegmentPart.of(SegmentType.SW, 0x100000, 0x100000 + PAGES - 1))),
            SegmentSource.zeros());
    save(folder, name, folder.resolve("lines"), 3);
    Folders.delete(folder);
  }

  @Override
  public void run(List<String> args) throws IOException {
    save(Path.of(args.get(0)), new SegmentName(args.get(1)), Path.of(args.get(2)), SAVES);
    for (; ; ) {
      LockSupport.park();
    }
  }

  private static void save(Path folder, SegmentName name, Path lines, int saves)
      throws IOException {
    SegmentStore store = SegmentStore.open(folder);
    StoredSegment stored = store.query(name);
    try (OutputStream out = Files.newOutputStream(lines);
        Arena arena = Arena.ofConfined()) {
      MemorySegment mem = arena.allocate(stored.definition().byteSize(), Pages.SIZE);
      for (long version = stored.version() + 1; version <= stored.version() + saves; version++) {
        for (long at = 0; at < mem.byteSize(); at += Pages.SIZE) {
          mem.set(ValueLayout.JAVA_LONG, at, version);
        }
        store.save(name, SegmentSource.ofMemory(mem, stored.definition(), null));
        out.write((version + "\n").getBytes(StandardCharsets.US_ASCII));
      }
    }
  }
}
