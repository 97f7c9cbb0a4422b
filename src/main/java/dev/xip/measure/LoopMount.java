package dev.xip.measure;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The kernel's own mount of an image, the peer of reading it in place. Only root has it. */
public final class LoopMount implements AutoCloseable {
  private final Path root;

  private LoopMount(Path root) {
    this.root = root;
  }

  /**
   * Mounts an image read-only.
   *
   * @param image an ext2 image
   * @param folder where the folder to mount on is made
   * @return the mount; nothing if this user may not mount or the host has no loop device
   * @throws IOException if the folder cannot be made
   */
  public static Optional<LoopMount> of(Path image, Path folder) throws IOException {
    Path root = Files.createTempDirectory(folder, "xip-mount");
    if (run(List.of("mount", "-t", "ext4", "-o", "loop,ro", image.toString(), root.toString()))) {
      return Optional.of(new LoopMount(root));
    }
    Files.delete(root);
    return Optional.empty();
  }

  /**
   * Returns where it is mounted.
   *
   * @return the mounted root
   */
  public Path root() {
    return root;
  }

  /**
   * Unmounts.
   *
   * @throws IOException if it is still in use
   */
  @Override
  public void close() throws IOException {
    if (!run(List.of("umount", root.toString()))) {
      throw new IOException("umount " + root + " failed: it is still mounted");
    }
    Files.delete(root);
  }

  private static boolean run(List<String> command) throws IOException {
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(new File("/dev/null"))
              .start();
    } catch (IOException e) {
      return false; // the host has no such program
    }
    try {
      process.getInputStream().readAllBytes();
      return process.waitFor() == 0;
    } catch (InterruptedException e) {
      throw new IOException(command.getFirst() + " was interrupted", e);
    }
  }
}
