package dev.xip.segment;

import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A program that loads one segment exclusively, says so with one byte, and holds it till it dies.
 */
final class HoldSegment {
  private HoldSegment() {}

  /**
   * Runs the program.
   *
   * @param args the folder of the store and the segment's name
   */
  public static void main(String[] args) throws IOException {
    PhysicalMemory memory = PhysicalMemory.boot(LoaderFixture.WINDOW, LoaderFixture.RAM);
    new SegmentLoader(SegmentStore.open(Path.of(args[0])), memory)
        .load(new SegmentName(args[1]), SharingMode.EXCLUSIVE);
    System.out.write('h');
    System.out.flush();
    System.in.read();
  }
}
