package dev.xip.extract;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.host.Leftovers;
import dev.xip.host.OpenFolder;
import dev.xip.host.PrivateFolder;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Map;

/**
 * A file that is made in a private folder next to its final name, out of reach of other users, and
 * gets the name only when it is complete. Until {@link #commit} a file that has the name is
 * untouched; without it nothing is left over, even if the JVM is told to stop.
 *
 * <p>The new file inherits mode, owner and extended attributes of a file that it replaces, as if
 * that were written into; other names of that file keep the old bytes.
 */
public final class PendingFile implements AutoCloseable {
  /** The prefix of the names of private folders. */
  static final String START = ".xip-";

  private static final FileName FILE = FileName.of("file");
  private static final int PRIVATE = 0600;
  private static final int ANYONE = 0666;

  private final Destination target;
  private final PrivateFolder work;

  /** The mode that this process gives a new file under its umask. */
  private final int freshMode;

  private PendingFile(Destination target, PrivateFolder work) throws IOException {
    this.target = target;
    this.work = work;
    try (HostFile file = work.folder().create(FILE, ANYONE)) {
      freshMode = file.stat().mode() & 07777;
      file.setMode(PRIVATE);
    }
  }

  /**
   * Makes the file, empty, in its private folder.
   *
   * @param target the final place, which must stay open until this is closed
   * @return the pending file
   * @throws IOException if the folder of the target may not be written
   */
  public static PendingFile at(Destination target) throws IOException {
    try {
      PrivateFolder work = PrivateFolder.in(target.folder(), START);
      try {
        return new PendingFile(target, work);
      } catch (IOException e) {
        work.close();
        throw e;
      }
    } catch (HostException e) {
      throw e.at(target.toString());
    }
  }

  /**
   * Returns the path to write to, for this process and for programs that it starts. They may also
   * remove the file and make it anew.
   *
   * @return a path through an open descriptor, valid until this is closed
   */
  public Path path() {
    return work.path(FILE);
  }

  /**
   * Opens the file.
   *
   * @return the file, to be closed
   * @throws IOException if it is gone
   */
  public HostFile open() throws IOException {
    return work.folder().openReadWrite(FILE);
  }

  /**
   * Forces the bytes to the disk.
   *
   * @throws IOException if not all could be written
   */
  public void sync() throws IOException {
    try (HostFile file = open()) {
      file.force();
    } catch (HostException e) {
      throw e.at(target.toString());
    }
  }

  /**
   * Gives the file the mode of a new file, or the attributes of the file that it replaces; then its
   * name.
   *
   * @param most the permission bits that a new file may have at most
   * @throws IOException if the system refuses; a file that has the name is then unchanged
   */
  public void commit(int most) throws IOException {
    try (HostFile file = open()) {
      if (target.there() == null) {
        file.setMode(freshMode & most);
      }
    } catch (HostException e) {
      throw e.at(target.toString());
    }
    commitAsItIs();
  }

  /** Gives the file the attributes of the file that it replaces, then its name in one step. */
  void commitAsItIs() throws IOException {
    OpenFolder folder = target.folder();
    try {
      if (target.there() != null) {
        inherit(target.there());
      }
      Leftovers.step(
          () -> {
            work.folder().rename(FILE, folder, target.name());
            return null;
          });
    } catch (HostException e) {
      throw e.at(target.toString());
    }
  }

  private void inherit(HostStat old) throws IOException {
    try (HostFile file = open()) {
      HostStat now = file.stat();
      if (now.uid() != old.uid() || now.gid() != old.gid()) {
        giveTo(old, file);
      }
      for (Map.Entry<FileName, byte[]> each : attributesOf(old).entrySet()) {
        CopiedAttributes.keep(each.getKey(), each.getValue(), file);
      }
      // Set-id bits end when the bytes change, as with write(2).
      file.setMode(old.mode() & ~CopiedAttributes.SET_ID_BITS & 07777);
    }
  }

  private void giveTo(HostStat old, HostFile file) throws IOException {
    try {
      file.setOwner(old.uid(), old.gid());
    } catch (HostException e) {
      throw new FileSystemException(
          target.toString(),
          null,
          "belongs to uid %d, gid %d, and only root can keep that when its bytes are replaced"
              .formatted(old.uid(), old.gid()));
    }
  }

  private Map<FileName, byte[]> attributesOf(HostStat old) throws IOException {
    try (HostFile file = target.folder().openReadOnly(target.name())) {
      HostStat now = file.stat();
      if (now.dev() != old.dev() || now.ino() != old.ino()) {
        throw new FileSystemException(target.toString(), null, "was replaced meanwhile");
      }
      return file.extendedAttributes();
    } catch (HostException e) {
      if (e.errno() == Errno.EACCES) {
        return Map.of();
      }
      throw e;
    }
  }

  /**
   * Makes the new name survive a power cut.
   *
   * @throws IOException if not all could be written
   */
  public void syncFolder() throws IOException {
    try {
      target.folder().force();
    } catch (HostException e) {
      throw e.at(target.toString());
    }
  }

  /** Removes the file if it was never committed. */
  @Override
  public void close() throws IOException {
    work.close();
  }
}
