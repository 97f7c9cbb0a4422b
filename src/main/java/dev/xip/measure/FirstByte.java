package dev.xip.measure;

import dev.xip.Xip;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** A program that maps a file of an image and reads its first byte, in a JVM of its own. */
final class FirstByte {
  private FirstByte() {}

  /**
   * Runs it.
   *
   * @param arguments the image and the path of a file in it; none to do nothing but start
   * @throws IOException if the byte cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length == 0) {
      return;
    }
    try (Xip image = Xip.open(Path.of(arguments[0]));
        Arena arena = Arena.ofConfined()) {
      MemorySegment file = image.file(arguments[1]).map(arena);
      if (file.get(ValueLayout.JAVA_BYTE, 0) != StartFigures.FIRST) {
        throw new IOException(arguments[1] + ": not the byte that was packed");
      }
    }
  }
}
