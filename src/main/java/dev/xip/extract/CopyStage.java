package dev.xip.extract;

import dev.xip.base.FileName;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.host.Leftovers;
import dev.xip.host.OpenFolder;
import dev.xip.host.PrivateFolder;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A private folder in which copies for one file system are made, and out of which they are moved
 * when they are complete. The copy of a file with several hard links keeps a name in this folder
 * until all its other names are made: each is linked to the copy itself, even if another user
 * replaces a name outside.
 */
final class CopyStage implements AutoCloseable {
  private static final FileName NEXT = FileName.of("next");

  private final FsImage image;
  private final ExtentTransfer transfer;
  private final CopiedAttributes attributes;

  /** Its own descriptor of the folder that the private one is in. */
  private final OpenFolder beside;

  private final PrivateFolder work;

  /**
   * The number of names still to be made, by inode number, of each copy that has a name in this
   * folder.
   */
  private final Map<Long, Long> namesLeft = new HashMap<>();

  private long folders;

  CopyStage(OpenImage mount, CopiedAttributes attributes, OpenFolder beside) throws IOException {
    this.image = mount.image();
    this.transfer = ExtentTransfer.from(mount);
    this.attributes = attributes;
    this.beside = OpenFolder.open(beside.descriptorPath());
    try {
      this.work = PrivateFolder.in(this.beside, PendingFile.START);
    } catch (IOException e) {
      this.beside.close();
      throw e;
    }
  }

  OpenFolder folder() {
    return work.folder();
  }

  /** Makes an empty folder and returns its name. */
  FileName makeFolder() throws IOException {
    FileName name = FileName.of("folder" + folders++);
    Leftovers.step(
        () -> {
          folder().make(name).close();
          return null;
        });
    return name;
  }

  /**
   * Makes a copy of a file that is no directory, or one more name of a copy.
   *
   * @param inode the file
   * @param place its future path, for messages
   * @return the name that it has in here, to be moved
   */
  FileName make(Inode inode, Supplier<String> place) throws IOException {
    if (inode.links() <= 1) {
      fill(inode, NEXT, place);
      return NEXT;
    }
    FileName kept = FileName.of("inode" + inode.number());
    Long left = namesLeft.remove(inode.number());
    if (left == null) {
      fill(inode, kept, place);
      left = inode.links();
    }
    if (left == 1) {
      return kept;
    }
    namesLeft.put(inode.number(), left - 1);
    Leftovers.step(
        () -> {
          folder().link(kept, folder(), NEXT);
          return null;
        });
    return NEXT;
  }

  /** Moves a finished copy to its own name. */
  void move(FileName made, OpenFolder to, FileName name) throws IOException {
    Leftovers.step(
        () -> {
          folder().rename(made, to, name);
          return null;
        });
  }

  private void fill(Inode inode, FileName name, Supplier<String> place) throws IOException {
    if (inode.type() == FileType.REGULAR) {
      try (HostFile file = Leftovers.step(() -> folder().create(name, 0600))) {
        transfer.fill(inode, file);
        attributes.give(inode, file, place);
      }
      return;
    }
    Leftovers.step(
        () -> {
          if (inode.type() == FileType.SYMLINK) {
            folder().symlink(name, target(inode));
          } else {
            long device = HostStat.device(inode.deviceMajor(), inode.deviceMinor());
            folder().node(name, inode.mode() & ~07777 | 0600, device);
          }
          return null;
        });
    attributes.give(inode, folder(), name, place);
  }

  @Override
  public void close() throws IOException {
    try {
      work.close();
    } finally {
      beside.close();
    }
  }

  private FileName target(Inode link) throws IOException {
    FileName target = image.readLink(link);
    for (int i = 0; i < target.length(); i++) {
      if (target.at(i) == 0) {
        throw new CorruptImageException(
            image.name(), link.offset(), "a link to a path", "NUL in the target, " + target);
      }
    }
    return target;
  }
}
