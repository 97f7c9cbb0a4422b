package consumer;

import dev.xip.Xip;
import dev.xip.XipFile;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Adds up the bytes of a file in an image: from memory by {@link Xip}, and from what java.nio.file
 * maps, if the file is in place; else from a copy.
 */
public final class Sum {
  private Sum() {}

  /**
   * Prints the verdict and the sums.
   *
   * @param args the image and the path of the file in it
   * @throws IOException if the file cannot be read
   */
  public static void main(String[] args) throws IOException {
    Path image = Path.of(args[0]);
    try (Xip xip = Xip.open(image);
        FileSystem files = FileSystems.newFileSystem(image)) {
      XipFile file = xip.file(args[1]);
      Path path = files.getPath(args[1]);
      IO.println(file.verdict());
      if (file.verdict() == Verdict.IN_PLACE) {
        IO.println(sum(file.memory()));
        IO.println(sumOfMapped(path));
      } else {
        IO.println(sum(MemorySegment.ofArray(Files.readAllBytes(path))));
      }
    }
  }

  private static long sumOfMapped(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path);
        Arena arena = Arena.ofConfined()) {
      return sum(channel.map(MapMode.READ_ONLY, 0, channel.size(), arena));
    }
  }

  private static long sum(MemorySegment memory) {
    long sum = 0;
    for (long i = 0; i < memory.byteSize(); i++) {
      sum += memory.get(ValueLayout.JAVA_BYTE, i);
    }
    return sum;
  }
}
