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

/** A folder with a tree of many equal files and an image of it; deleted when closed. */
public final class WorkTree implements AutoCloseable {
  /** The files of each directory. */
  public static final int PER_FOLDER = 1_000;

  /** So many files have the content; more are empty. */
  public static final int MOST_FILLED = 100_000;

  private static final byte[] EMPTY = new byte[0];

  private final ScratchFolder scratch;
  private final int files;
  private final byte[] content;

  private WorkTree(ScratchFolder scratch, int files, byte[] content) {
    this.scratch = scratch;
    this.files = files;
    this.content = content;
  }

  /**
   * Makes the tree and packs it as ext2.
   *
   * @param parent the folder's parent
   * @param files the number of files, a multiple of {@link #PER_FOLDER}
   * @param content the content of the first {@link #MOST_FILLED}
   * @return the tree, to be closed
   * @throws IOException if there is no room for it or no mke2fs
   */
  public static WorkTree create(Path parent, int files, byte[] content) throws IOException {
    WorkTree work = unpacked(parent, files, content);
    try {
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

  /** Makes the tree, for other packers. */
  static WorkTree unpacked(Path parent, int files, byte[] content) throws IOException {
    WorkTree work = new WorkTree(ScratchFolder.in(parent, "xip-bench"), files, content);
    try {
      Files.createDirectory(work.tree());
      for (int i = 0; i < files; i++) {
        Path file = work.tree().resolve(path(i));
        if (i % PER_FOLDER == 0) {
          Files.createDirectory(file.getParent());
        }
        Files.write(file, work.content(i));
      }
      return work;
    } catch (IOException | RuntimeException e) {
      work.close();
      throw e;
    }
  }

  private byte[] content(int file) {
    return file < MOST_FILLED ? content : EMPTY;
  }

  /**
   * {@return the path of a file below the root, without a leading slash}
   *
   * @param file its number, from 0
   */
  public static String path(int file) {
    return "d" + file / PER_FOLDER + "/f" + file % PER_FOLDER;
  }

  /** {@return the folder that holds the tree and the image; more files may be put there} */
  public Path folder() {
    return scratch.path();
  }

  Path tree() {
    return folder().resolve("tree");
  }

  /** {@return the ext2 image of the tree} */
  public Path image() {
    return folder().resolve("image");
  }

  /**
   * Makes a zip of the tree in which files are stored, not compressed.
   *
   * @return the zip
   * @throws IOException if there is no room for it
   */
  public Path zip() throws IOException {
    Path zip = folder().resolve("zip");
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(out)) {
      for (int i = 0; i < files; i++) {
        byte[] stored = content(i);
        CRC32 crc = new CRC32();
        crc.update(stored);
        ZipEntry entry = new ZipEntry(path(i));
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(stored.length);
        entry.setCrc(crc.getValue());
        entries.putNextEntry(entry);
        entries.write(stored);
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
