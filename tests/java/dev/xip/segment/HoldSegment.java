package dev.xip.segment;

import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.nio.file.Path;

/** A program that loads one segment, writes one byte, and holds the segment until it ends. */
final class HoldSegment {
  private HoldSegment() {}

  /**
   * Runs the program.
   *
   * @param args the folder of the store, the segment's name, and the mode if not exclusive
   */
  public static void main(String[] args) throws IOException {
    SharingMode mode = args.length < 3 ? SharingMode.EXCLUSIVE : SharingMode.valueOf(args[2]);
    PhysicalMemory memory = PhysicalMemory.boot(LoaderFixture.WINDOW, LoaderFixture.RAM);
    new SegmentLoader(SegmentStore.open(Path.of(args[0])), memory)
        .load(new SegmentName(args[1]), mode);
    System.out.write('h');
    System.out.flush();
    System.in.read();
  }
}
