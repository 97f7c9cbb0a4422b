package dev.xip.linux;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Tree;
import dev.xip.vfs.Vfs;
import java.io.IOException;

/** /proc: what tasks and the machine are, as text. Linux counterpart: fs/proc. */
final class ProcTree implements Tree {
  private static final FileName PLACE = FileName.of("/proc");
  private static final long MAGIC = 0x9fa0;
  private static final long DEVICE = 0x17;
  private static final int READABLE = 0555;

  private final ProcFolder root;

  private ProcTree(Kernel kernel) {
    ProcMachine machine = new ProcMachine(kernel);
    ProcTasks tasks = new ProcTasks(kernel);
    this.root =
        new ProcFolder(
            this,
            1,
            entries -> {
              machine.fill(entries);
              tasks.fill(entries);
            });
  }

  /** Mounts it, after making its place if the image lacks that. */
  static void mountIn(Kernel kernel) throws IOException {
    Vfs files = kernel.files();
    Directory place;
    try {
      place = files.directory(files.root(), PLACE);
    } catch (FileException e) {
      files.create(files.root(), PLACE, NewNode.of(FileType.DIRECTORY, READABLE));
      place = files.directory(files.root(), PLACE);
    }
    files.mount(place, new ProcTree(kernel));
  }

  @Override
  public Directory root() {
    return root;
  }

  @Override
  public long device() {
    return DEVICE;
  }

  @Override
  public String kind() {
    return "proc";
  }

  @Override
  public Usage usage() {
    return new Usage(MAGIC, 0, 0, 0, 0);
  }
}
