package dev.xip.measure;

import dev.xip.base.ProgressListener;
import dev.xip.host.ScratchFolder;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** A work folder with a tree of many files of a given size and an image of it; gone when closed. */
public final class WorkTree implements AutoCloseable {
  /** So many files lie in a folder. */
  public static final int PER_FOLDER = 1_000;

  private final ScratchFolder scratch;
  private final int files;
  private final byte[] content;

  private WorkTree(ScratchFolder scratch, int files, byte[] content) {
    this.scratch = scratch;
    this.files = files;
    this.content = content;
  }

  /**
   * Makes the tree and packs it.
   *
   * @param parent where
   * @param files how many, a multiple of {@link #PER_FOLDER}
   * @param content what each of them holds
   * @return the work folder, to be closed
   * @throws IOException if there is no room for it or no mke2fs
   */
  public static WorkTree create(Path parent, int files, byte[] content) throws IOException {
    WorkTree work = new WorkTree(ScratchFolder.in(parent, "xip-bench"), files, content);
    try {
      Files.createDirectory(work.tree());
      for (int i = 0; i < files; i++) {
        Path file = work.tree().resolve(path(i));
        if (i % PER_FOLDER == 0) {
          Files.createDirectory(file.getParent());
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

  /**
   * Names a file.
   *
   * @param file its number, from 0
   * @return its path below the root, without a slash in front
   */
  public static String path(int file) {
    return "d" + file / PER_FOLDER + "/f" + file % PER_FOLDER;
  }

  /**
   * Returns the work folder.
   *
   * @return where the tree and the image are, with room for more
   */
  public Path folder() {
    return scratch.path();
  }

  Path tree() {
    return folder().resolve("tree");
  }

  /**
   * Returns the image of the tree.
   *
   * @return an ext2 image
   */
  public Path image() {
    return folder().resolve("image");
  }

  /**
   * Makes a zip of the tree that holds the files as they are.
   *
   * @return the zip
   * @throws IOException if there is no room for it
   */
  public Path zip() throws IOException {
    Path zip = folder().resolve("zip");
    CRC32 crc = new CRC32();
    crc.update(content);
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(out)) {
      for (int i = 0; i < files; i++) {
        ZipEntry entry = new ZipEntry(path(i));
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        entries.putNextEntry(entry);
        entries.write(content);
      }
    }
    return zip;
  }

  /** Deletes everything. */
  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
