package dev.xip.measure;

import dev.xip.base.ProgressListener;
import dev.xip.host.HostPaths;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The tools that make the images which are compared, and others that read them. */
enum ImageTool {
  /** By mke2fs and the writer of {@code xip pack}. */
  EXT4("ext4"),
  /** By mkfs.erofs, uncompressed and without inline data. */
  EROFS("erofs");

  /** Finds system tools where users have no path to them, and quotes nothing. */
  private static final List<String> SHELL =
      List.of("sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; \"$@\"", "sh");

  private final String driver;

  ImageTool(String driver) {
    this.driver = driver;
  }

  /** {@return the name of the format and of the kernel's driver} */
  String driver() {
    return driver;
  }

  /**
   * Makes an image.
   *
   * @param tree the tree to pack
   * @param image the image file to make
   */
  void pack(Path tree, Path image) throws IOException {
    String from = HostPaths.text(tree);
    String to = HostPaths.text(image);
    if (this == EROFS) {
      run("mkfs.erofs", "--quiet", "-Enoinline_data", to, from);
      return;
    }
    try {
      Packer.pack(tree, image, PackFormat.EXT4, ProgressListener.NONE);
    } catch (InterruptedException e) {
      throw new IOException("packing " + tree + " was interrupted", e);
    }
  }

  /** Tells whether the host has a program. */
  static boolean isHere(String program) throws IOException {
    return ProcessFigures.exit(words("command", "-v", program)) == 0;
  }

  /** Runs a program whose output is not needed. */
  static long run(String... words) throws IOException {
    return ProcessFigures.run(words(words));
  }

  private static List<String> words(String... words) {
    List<String> all = new ArrayList<>(SHELL);
    all.addAll(List.of(words));
    return all;
  }
}
