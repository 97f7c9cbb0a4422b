package dev.xip.measure;

import dev.xip.host.HostPaths;
import dev.xip.host.HostProcess;
import dev.xip.host.Leftovers;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The kernel's own mount of an image, the peer of reads in place. Needs root. */
public final class LoopMount implements AutoCloseable {
  /** The name of the peer in figures if {@link #of} returns none. */
  static final String MISSING = "the loop mount, which needs root";

  private final Path root;
  private final Leftovers.Leftover leftover = this::remove;

  private LoopMount(Path root) {
    this.root = root;
  }

  /**
   * Mounts an image of ext2, ext3 or ext4 read-only.
   *
   * @param image the image
   * @param folder the parent of the mount point
   * @return the mount; empty if this user may not mount or the host has no loop device
   * @throws IOException if the mount point cannot be made
   */
  public static Optional<LoopMount> of(Path image, Path folder) throws IOException {
    return of(image, folder, "ext4");
  }

  /** The same by another driver of the kernel. */
  static Optional<LoopMount> of(Path image, Path folder, String driver) throws IOException {
    return Leftovers.step(
        () -> {
          Path root = Files.createTempDirectory(folder, "xip-mount");
          String from = HostPaths.text(image);
          String to = HostPaths.text(root);
          if (!run(List.of("mount", "-t", driver, "-o", "loop,ro", from, to))) {
            Files.delete(root);
            return Optional.empty();
          }
          LoopMount mount = new LoopMount(root);
          Leftovers.add(mount.leftover);
          return Optional.of(mount);
        });
  }

  /** {@return the mounted root} */
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
    Leftovers.step(
        () -> {
          unmount();
          Leftovers.forget(leftover);
          Files.delete(root);
          return null;
        });
  }

  /** Unmounts lazily: files of it may still be open. */
  private void remove() throws IOException {
    unmount("-l");
  }

  private void unmount(String... options) throws IOException {
    List<String> words = new ArrayList<>(List.of("umount"));
    words.addAll(List.of(options));
    words.add(HostPaths.text(root));
    if (!run(words)) {
      throw new IOException("umount " + root + " failed: the image is still mounted");
    }
  }

  private static boolean run(List<String> words) throws IOException {
    Process process;
    try {
      process =
          new ProcessBuilder(HostProcess.words(words))
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
      throw new IOException(words.getFirst() + " was interrupted", e);
    }
  }
}
