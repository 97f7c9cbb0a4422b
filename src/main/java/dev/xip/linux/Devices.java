package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.FileException;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Special;
import dev.xip.vfs.Vfs;
import java.io.IOException;

/** What is behind the numbers of character devices. Linux counterpart: drivers/char/mem.c. */
final class Devices {
  private static final int MEMORY = 1;
  private static final int NULL = 3;

  private Devices() {}

  /** Makes the devices in /dev that the image lacks. */
  static void makeIn(Vfs files) throws IOException {
    FileName path = FileName.of("/dev/null");
    try {
      files.resolve(files.root(), path, true);
    } catch (FileException e) {
      files.create(
          files.root(), path, new NewNode(FileType.CHARACTER_DEVICE, 0666, MEMORY, NULL, null));
    }
  }

  /**
   * Opens a device.
   *
   * @throws FileException ENXIO if there is none of its number
   */
  static OpenFile open(Special device, int flags) throws FileException {
    if (device.type() == FileType.CHARACTER_DEVICE
        && device.major() == MEMORY
        && device.minor() == NULL) {
      return new NullDevice(flags);
    }
    throw new FileException(
        Errno.ENXIO, "%s %d:%d".formatted(device.type(), device.major(), device.minor()));
  }

  /** /dev/null. */
  private static final class NullDevice extends OpenFile {
    NullDevice(int flags) {
      super(flags);
    }

    @Override
    long read(Task task, long va, long length) {
      return 0;
    }

    @Override
    long write(Task task, long va, long length) {
      return length;
    }

    @Override
    long readAt(Task task, long va, long length, long position) {
      return 0;
    }

    @Override
    long writeAt(Task task, long va, long length, long position) {
      return length;
    }

    @Override
    long seek(long offset, int whence) {
      return 0;
    }
  }
}
