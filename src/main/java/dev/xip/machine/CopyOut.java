package dev.xip.machine;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Copies files and trees out of an image: regular files with their holes and hard links,
 * directories, symbolic links; modes and times of change are kept, owners if root copies. A file
 * has its name only when it is whole. Nothing is ever written outside the destination, whatever
 * names and links the image holds.
 */
public final class CopyOut {
  private static final int SET_ID_BITS = 06000;

  private final FsImage image;
  private final ExtentTransfer transfer;
  private final ProgressListener progress;

  /** Copies of inodes that have more than one name, by number. */
  private final Map<Long, Path> linked = new HashMap<>();

  /** Directories copied, by number: only a damaged image has one twice. */
  private final Set<Long> directories = new HashSet<>();

  private long copied;
  private long leftOut;
  private String firstLeftOut;

  private CopyOut(ImageMount mount, ProgressListener progress) {
    this.image = mount.image();
    this.transfer = ExtentTransfer.from(mount);
    this.progress = progress;
  }

  /**
   * What became of a copy.
   *
   * @param files how many files, directories and links were made
   * @param leftOut how many device nodes, pipes and sockets were not
   * @param firstLeftOut the first of those with its kind, or null
   */
  public record Outcome(long files, long leftOut, String firstLeftOut) {}

  /**
   * Copies a file or a tree.
   *
   * @param mount the open image
   * @param source what to copy; a symbolic link is copied as a link
   * @param name the name that it has in the image
   * @param destination the new name; if it is a folder, the copy goes into it under its own name
   * @param recursive whether directories are copied
   * @param progress is told the files made, of all in use in the image
   * @return what became of it
   * @throws FileSystemException if the source is a directory and the copy is not recursive, or a
   *     directory stands where a file is to go or the reverse
   * @throws IOException if the image is damaged or the host refuses; files made until then stay
   */
  public static Outcome copy(
      ImageMount mount,
      Inode source,
      FileName name,
      Path destination,
      boolean recursive,
      ProgressListener progress)
      throws IOException {
    if (source.type() == FileType.DIRECTORY && !recursive) {
      throw new FileSystemException(
          mount.image().name() + ":" + name, null, "is a directory, and -r is not given");
    }
    Path target = destination;
    if (Files.isDirectory(destination)) {
      // The root has no name, so its contents go straight into the folder.
      boolean named = name.length() > 0 && !name.equals(FileName.of("."));
      target = named ? child(destination, name) : destination;
    }
    Path folder = target.toAbsolutePath().getParent();
    if (folder != null && !Files.exists(folder)) {
      throw new NoSuchFileException(folder.toString());
    }
    CopyOut copy = new CopyOut(mount, progress);
    copy.any(source, target, target.equals(destination));
    return new Outcome(copy.copied, copy.leftOut, copy.firstLeftOut);
  }

  private void any(Inode inode, Path target, boolean followFolder) throws IOException {
    switch (inode.type()) {
      case REGULAR -> regular(inode, target);
      case DIRECTORY -> directory(inode, target, followFolder);
      case SYMLINK -> symlink(inode, target);
      case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET, UNKNOWN -> {
        leftOut++;
        if (firstLeftOut == null) {
          firstLeftOut = "%s (%s)".formatted(target, describe(inode));
        }
        return;
      }
    }
    copied++;
    progress.at(copied, image.info().inodes() - image.info().freeInodes());
  }

  private static String describe(Inode inode) {
    String kind = inode.type().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    return switch (inode.type()) {
      case CHARACTER_DEVICE, BLOCK_DEVICE ->
          "%s %d,%d".formatted(kind, inode.deviceMajor(), inode.deviceMinor());
      default -> kind;
    };
  }

  private void regular(Inode inode, Path target) throws IOException {
    Path first = linked.get(inode.number());
    demandNoFolder(target);
    try (PendingFile pending = PendingFile.beside(target)) {
      if (first != null) {
        Files.createLink(pending.path(), first);
      } else {
        try (RandomAccessFile out = new RandomAccessFile(pending.path().toFile(), "rw")) {
          out.setLength(inode.size());
          transfer.copySparse(inode, out.getChannel());
        }
        setAttributes(inode, pending.path());
      }
      pending.commit();
    }
    if (inode.links() > 1) {
      linked.putIfAbsent(inode.number(), target);
    }
  }

  private void symlink(Inode inode, Path target) throws IOException {
    demandNoFolder(target);
    try (PendingFile pending = PendingFile.beside(target)) {
      Files.createSymbolicLink(pending.path(), HostPaths.of(image.readLink(inode)));
      setOwner(inode, pending.path());
      setModified(inode, pending.path());
      pending.commit();
    }
  }

  private void directory(Inode inode, Path target, boolean followFolder) throws IOException {
    if (!directories.add(inode.number())) {
      throw new FileSystemException(
          target.toString(),
          null,
          "directory inode %d is its own parent".formatted(inode.number()));
    }
    boolean there =
        followFolder
            ? Files.isDirectory(target)
            : Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS);
    if (!there) {
      Files.createDirectory(target);
    }
    for (DirectoryListing.Entry entry : DirectoryListing.of(image, inode)) {
      any(entry.inode(), child(target, entry.name()), false);
    }
    // Last, because a folder may forbid writing and each name made in it changes its time.
    if (!there || !followFolder) {
      setAttributes(inode, target);
    }
  }

  private static Path child(Path folder, FileName name) throws IOException {
    String text = name.toString();
    if (text.isEmpty() || text.equals(".") || text.equals("..") || text.indexOf('/') >= 0) {
      throw new FileSystemException(folder.toString(), text, "no file can have this name: " + text);
    }
    return folder.resolve(HostPaths.of(name));
  }

  private static void demandNoFolder(Path target) throws IOException {
    if (Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileSystemException(target.toString(), null, "Is a directory");
    }
  }

  private static void setAttributes(Inode inode, Path path) throws IOException {
    boolean sameOwner = setOwner(inode, path);
    // A program that runs as its owner must not come to run as another one.
    int mode = sameOwner ? inode.permissions() : inode.permissions() & ~SET_ID_BITS;
    Files.setAttribute(path, "unix:mode", mode, LinkOption.NOFOLLOW_LINKS);
    setModified(inode, path);
  }

  /** Gives the file its owner if root does it; says whether it has the right one. */
  private static boolean setOwner(Inode inode, Path path) throws IOException {
    Map<String, Object> now = Files.readAttributes(path, "unix:uid,gid", LinkOption.NOFOLLOW_LINKS);
    if (now.get("uid").equals(0)) {
      Files.setAttribute(path, "unix:uid", (int) inode.uid(), LinkOption.NOFOLLOW_LINKS);
      Files.setAttribute(path, "unix:gid", (int) inode.gid(), LinkOption.NOFOLLOW_LINKS);
      return true;
    }
    return now.get("uid").equals((int) inode.uid()) && now.get("gid").equals((int) inode.gid());
  }

  private static void setModified(Inode inode, Path path) throws IOException {
    Files.getFileAttributeView(path, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .setTimes(FileTime.from(inode.modified()), null, null);
  }
}
