package dev.xip.image.erofs;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.Path;

/** Looks for a name in each directory of a list, in a JVM of its own with a heap of 64 MiB. */
final class DecodedDirectories {
  private DecodedDirectories() {}

  /**
   * Prints how many of the directories are damaged.
   *
   * @param args the image and the numbers of the directories
   * @throws IOException if the image cannot be read
   */
  public static void main(String[] args) throws IOException {
    int damaged = 0;
    try (OpenImage open = OpenImage.open(Path.of(args[0]))) {
      FsImage image = open.image();
      for (int i = 1; i < args.length; i++) {
        try {
          image.find(image.inode(Long.parseLong(args[i])), FileName.of("name"));
        } catch (CorruptImageException e) {
          damaged++;
        }
      }
    }
    System.out.println("damaged: " + damaged);
  }
}
