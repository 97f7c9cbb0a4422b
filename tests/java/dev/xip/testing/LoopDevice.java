package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Path;

/** A loop device over a file, for tests that run as root. */
public final class LoopDevice implements AutoCloseable {
  private final String device;

  private LoopDevice(String device) {
    this.device = device;
  }

  /**
   * Attaches a file read-only, or skips the test where that is not possible.
   *
   * @param file the file
   * @return the device, to be closed
   * @throws IOException if losetup fails
   */
  public static LoopDevice of(Path file) throws IOException {
    Judge.root();
    Processes.Output attached =
        Processes.runAny("losetup", "--find", "--show", "--read-only", file.toString());
    Judge.needs(attached.exit() == 0, "root with loop devices: " + attached.err().strip());
    return new LoopDevice(attached.out().strip());
  }

  /** {@return the device node} */
  public Path path() {
    return Path.of(device);
  }

  /**
   * Makes the kernel take the size that the file has now.
   *
   * @throws IOException if losetup fails
   */
  public void resize() throws IOException {
    Processes.run("losetup", "--set-capacity", device);
  }

  @Override
  public void close() throws IOException {
    Processes.run("losetup", "--detach", device);
  }
}
