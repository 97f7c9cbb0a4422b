package dev.xip.mount;

import dev.xip.host.Libxip;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.PathResolver;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;

/**
 * An open image, which is truncated and read when this is called. Made by several class loaders,
 * each of which has its own copy of xip's classes.
 */
public final class CutInOneLoader implements Callable<String> {
  private static final long PAGE = 4096;

  private final Path image;
  private final OpenImage mount;
  private final FileContent content;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment room = arena.allocate(PAGE, 8);

  /**
   * Opens the image and reads the file in it that has two pages.
   *
   * @param image the image
   * @throws IOException if that fails
   */
  public CutInOneLoader(Path image) throws IOException {
    this.image = image;
    mount = OpenImage.open(image);
    content = FileContent.of(mount.image(), PathResolver.resolve(mount.image(), "/file", true));
    content.read(0, room);
    content.read(PAGE, room);
  }

  @Override
  public String call() throws IOException {
    room.set(ValueLayout.JAVA_LONG, 0, 42);
    long sum = Libxip.get().sumOfLongs(room.asSlice(0, 8));
    try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
      channel.truncate(PAGE);
    }
    try {
      content.read(PAGE, room);
      return "nothing was told";
    } catch (CorruptImageException told) {
      return told.getFile() + " " + told.offset() + " " + sum;
    } finally {
      mount.close();
      arena.close();
    }
  }
}
