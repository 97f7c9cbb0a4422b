package dev.xip.segment;

import dev.xip.base.Pages;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A program that saves one segment again and again until it is killed. Every page of a version
 * begins with the version's number. After each save it writes the number as a line.
 */
final class SaveLoop {
  private SaveLoop() {}

  /**
   * Runs the program.
   *
   * @param args the folder of the store and the segment's name
   */
  public static void main(String[] args) throws IOException {
    SegmentStore store = SegmentStore.open(Path.of(args[0]));
    SegmentName name = new SegmentName(args[1]);
    StoredSegment stored = store.query(name);
    MemorySegment mem = Arena.global().allocate(stored.definition().byteSize(), Pages.SIZE);
    try (OutputStream out = new FileOutputStream(FileDescriptor.out)) {
      for (long version = stored.version() + 1; ; version++) {
        for (long at = 0; at < mem.byteSize(); at += Pages.SIZE) {
          mem.set(ValueLayout.JAVA_LONG, at, version);
        }
        store.save(name, SegmentSource.ofMemory(mem, stored.definition()));
        out.write((version + "\n").getBytes(StandardCharsets.US_ASCII));
      }
    }
  }
}
