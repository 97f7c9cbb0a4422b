package dev.xip.measure;

import dev.xip.machine.PackFormat;
import dev.xip.machine.Packer;
import dev.xip.machine.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A work folder with a tree of many files of a given size and an image of it; gone when closed. */
final class WorkTree implements AutoCloseable {
  /** So many files lie in a folder. */
  static final int PER_FOLDER = 1_000;

  private final Path folder;

  private WorkTree(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes the tree and packs it.
   *
   * @param parent where
   * @param files how many, a multiple of {@link #PER_FOLDER}
   * @param content what each of them holds
   */
  static WorkTree create(Path parent, int files, byte[] content) throws IOException {
    WorkTree work = new WorkTree(Files.createTempDirectory(parent, "xip-bench"));
    try {
      for (int i = 0; i < files; i++) {
        Path file = work.tree().resolve(path(i));
        if (i % PER_FOLDER == 0) {
          Files.createDirectories(file.getParent());
        }
        Files.write(file, content);
      }
      Packer.pack(work.tree(), work.image(), PackFormat.EXT2, ProgressListener.NONE);
      return work;
    } catch (IOException | RuntimeException e) {
      work.close();
      throw e;
    } catch (InterruptedException e) {
      work.close();
      throw new IOException("packing " + work.tree() + " was interrupted", e);
    }
  }

  /** Returns the path of a file below the root, without a slash in front. */
  static String path(int file) {
    return "d" + file / PER_FOLDER + "/f" + file % PER_FOLDER;
  }

  Path folder() {
    return folder;
  }

  Path tree() {
    return folder.resolve("tree");
  }

  Path image() {
    return folder.resolve("image");
  }

  @Override
  public void close() throws IOException {
    delete(folder);
  }

  /** Deletes a folder and all that is in it. */
  static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
