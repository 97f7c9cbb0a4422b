package dev.xip.extract;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostNode;
import dev.xip.host.HostStat;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.mount.ImagePiece;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * Copies files and trees out of an image: their bytes with holes and hard links, links, device
 * nodes, pipes and sockets, modes, times, extended attributes, and owners if root copies. A new
 * file is made where other users can neither see nor replace it, and gets its name when it is
 * complete. Nothing is ever written outside the destination, whatever names and links the image or
 * the destination hold.
 */
public final class CopyOut {
  private static final Set<FileType> WRITABLE =
      Set.of(FileType.FIFO, FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE);

  private final OpenImage mount;
  private final Options options;
  private final ProgressListener progress;

  private CopyOut(OpenImage mount, Options options, ProgressListener progress) {
    this.mount = mount;
    this.options = options;
    this.progress = progress;
  }

  /**
   * The options of a copy.
   *
   * @param recursive whether directories are copied
   * @param extended whether extended attributes are copied, access control lists among them
   * @param setId whether set-id bits and capabilities are copied
   * @param devices whether device nodes are copied, if the system allows it
   */
  public record Options(boolean recursive, boolean extended, boolean setId, boolean devices) {}

  /**
   * The result of a copy.
   *
   * @param files how many files, directories, links and nodes were made
   * @param leftOut how many device nodes and files of unknown type were not made
   * @param firstLeftOut the first of those with its kind, or null
   * @param foreign how many files have another owner or group than in the image
   * @param privileged how many extended attributes were not kept because only root can
   * @param firstPrivileged the first of those with its file and the reason, or null
   * @param refused how many extended attributes the system refused for other reasons
   * @param firstRefused the first of those with its file and the reason, or null
   */
  public record Outcome(
      long files,
      long leftOut,
      String firstLeftOut,
      long foreign,
      long privileged,
      String firstPrivileged,
      long refused,
      String firstRefused) {}

  /**
   * Copies a file or a tree.
   *
   * <p>If the destination is a folder, the copy goes into it under its own name; of the root, which
   * has none, the contents go straight into it, and an empty folder gets the root's attributes. A
   * copy that replaces a regular file inherits its mode, owner and extended attributes. A pipe or
   * device is written into.
   *
   * @param mount the open image
   * @param source what to copy; a symbolic link is copied as a link
   * @param name the name that it has in the image, empty or a dot for the root
   * @param destination the new name, or a folder; a slash at its end asks for a folder
   * @param options what is copied
   * @param progress receives the number of files made, and of all inodes in use in the image
   * @return the result
   * @throws FileSystemException if the source is a directory and the copy is not recursive, a
   *     directory stands where a file is to go or the reverse, or the destination is the image
   * @throws IOException if the image is damaged or the host refuses; files made until then stay
   */
  public static Outcome copy(
      OpenImage mount,
      Inode source,
      FileName name,
      FileName destination,
      Options options,
      ProgressListener progress)
      throws IOException {
    if (source.type() == FileType.DIRECTORY && !options.recursive) {
      throw new FileSystemException(
          "%s:%s".formatted(mount.image().name(), name.length() == 0 ? "/" : name),
          null,
          "is a directory, and -r is not given");
    }
    boolean named = !name.equals(FileName.of(".")) && !name.equals(FileName.of(".."));
    FileName own = named ? name : FileName.of("");
    CopyOut copy = new CopyOut(mount, options, progress);
    if (source.type() == FileType.REGULAR) {
      return copy.file(source, own, destination);
    }
    try (Destination target = Destination.of(destination, source.type() == FileType.DIRECTORY)) {
      if (source.type() != FileType.DIRECTORY && !target.isFolder()) {
        target.demandName();
      }
      try (CopyTree tree = new CopyTree(mount, options, progress, target, copy.attributes())) {
        tree.copy(source, own);
        return tree.outcome();
      }
    }
  }

  private CopiedAttributes attributes() {
    return new CopiedAttributes(mount.image(), options.extended, options.setId);
  }

  private Outcome file(Inode source, FileName name, FileName destination) throws IOException {
    try (Destination target = Destination.of(destination, true)) {
      if (!target.isFolder()) {
        return file(source, target);
      }
      try (Destination inside = target.in(name)) {
        return file(source, inside);
      }
    }
  }

  private Outcome file(Inode source, Destination target) throws IOException {
    CopiedAttributes attributes = attributes();
    HostStat there = target.there();
    if (there != null && WRITABLE.contains(FileType.ofMode(there.mode()))) {
      send(source, target);
      return attributes.outcome(1, 0, null);
    }
    target.demandFile("a copy");
    if (there != null) {
      demandOther(target, there);
    }
    try (PendingFile pending = PendingFile.at(target)) {
      try (HostFile file = pending.open()) {
        ExtentTransfer.from(mount).fill(source, file);
        if (there == null) {
          attributes.give(source, file, target::toString);
        }
      } catch (IOException e) {
        throw named(e, target.toString());
      }
      pending.commitAsItIs();
    }
    return attributes.outcome(1, 0, null);
  }

  /** A copy that replaces the image would remove it. */
  private void demandOther(Destination target, HostStat there) throws IOException {
    for (ImagePiece each : mount.pieces()) {
      if (each.isIn(there)) {
        throw new FileSystemException(
            target.toString(), null, "is the same file as " + each.file());
      }
    }
  }

  /** Writes into a pipe or device. */
  private void send(Inode source, Destination target) throws IOException {
    try (HostNode node = target.folder().hold(target.name())) {
      if (!WRITABLE.contains(FileType.ofMode(node.stat().mode()))
          || target.folder().mayBeStrangers(node.stat())) {
        throw new FileSystemException(
            target.toString(), null, "may be put there by another user: it is not written into");
      }
      try (FileChannel channel =
          FileChannel.open(node.descriptorPath(), StandardOpenOption.WRITE)) {
        ExtentTransfer.toDevice(mount).stream(source, channel);
      }
    } catch (IOException e) {
      throw named(e, target.toString());
    }
  }

  /** Adds the name of the host's file to an exception, unless it has one. */
  static IOException named(IOException failure, String place) {
    return switch (failure) {
      case HostException e -> e.at(place);
      case FileSystemException e -> e;
      case ClosedByInterruptException e -> e;
      default -> {
        FileSystemException named = new FileSystemException(place, null, failure.getMessage());
        named.initCause(failure);
        yield named;
      }
    };
  }
}
