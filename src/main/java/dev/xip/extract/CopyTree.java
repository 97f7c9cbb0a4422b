package dev.xip.extract;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import dev.xip.host.Leftovers;
import dev.xip.host.OpenFolder;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.mount.DirectoryListing;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Copies one tree, with no more than a few open folders, however deep it is. A folder that exists
 * is entered through its descriptor and left by {@code ..}, which must lead to the folder that it
 * was entered from. A new one is made in a {@link CopyStage}, filled there out of reach of other
 * users, and then moved to its name.
 */
final class CopyTree implements AutoCloseable {
  private static final int LONGEST_PLACE = 2048;

  private final OpenImage mount;
  private final FsImage image;
  private final CopyOut.Options options;
  private final ProgressListener progress;
  private final Destination target;
  private final CopiedAttributes attributes;

  /** Directories copied, by number: only a damaged image has one twice. */
  private final Set<Long> directories = new HashSet<>();

  /** New names in the destination folder, to be removed if the JVM is told to stop. */
  private final List<Made> created = new ArrayList<>();

  private final Leftovers.Leftover leftover = this::removeCreated;

  /** The folder that is being filled, and the open folder itself. */
  private Level level;

  private OpenFolder now;

  /** The deepest folder of the path that existed before, kept open while new ones are filled. */
  private OpenFolder old;

  private long copied;
  private long leftOut;
  private String firstLeftOut;

  /** A name in the destination folder that was not there before. */
  private record Made(FileName name, HostStat stat, CopyStage stage) {}

  /**
   * A folder on the way down.
   *
   * @param above the one that it is in, or null
   * @param name its name there
   * @param inode the directory whose attributes it gets; null for none
   * @param rest the entries still to be copied into it
   * @param existed whether it existed before
   * @param stage where new files for it are made, on the same file system
   * @param staged its name in the stage, or null if it was not made there
   * @param itself its attributes when it was opened
   */
  private record Level(
      Level above,
      FileName name,
      Inode inode,
      Iterator<DirectoryListing.Entry> rest,
      boolean existed,
      CopyStage stage,
      FileName staged,
      HostStat itself) {

    /** Whether the stage lies in this folder. */
    boolean hasStage() {
      return above == null || above.stage != stage;
    }
  }

  CopyTree(
      OpenImage mount,
      CopyOut.Options options,
      ProgressListener progress,
      Destination target,
      CopiedAttributes attributes) {
    this.mount = mount;
    this.image = mount.image();
    this.options = options;
    this.progress = progress;
    this.target = target;
    this.attributes = attributes;
  }

  /** Copies a tree, or a file that is not regular; the name is empty for the root. */
  void copy(Inode source, FileName name) throws IOException {
    now = target.folder();
    old = now;
    HostStat itself = now.stat();
    Inode inode = null;
    Iterator<DirectoryListing.Entry> rest;
    if (target.isFolder() && name.length() == 0) {
      directories.add(source.number());
      // A folder that is not empty keeps its attributes.
      inode = now.names().isEmpty() ? source : null;
      rest = entries(source);
    } else {
      FileName own = target.isFolder() ? name : target.name();
      rest = List.of(DirectoryListing.Entry.of(image, own, source)).iterator();
    }
    level = new Level(null, null, inode, rest, true, newStage(), null, itself);
    try {
      run();
    } catch (IOException | RuntimeException | Error e) {
      finishOpenLevels(e);
      throw e;
    }
  }

  /**
   * After a failure: gives the folders that are open their names and attributes, with the entries
   * copied so far.
   */
  private void finishOpenLevels(Throwable failure) {
    for (Level each = level; each != null; each = each.above) {
      each.rest.forEachRemaining(entry -> {});
    }
    try {
      run();
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private void run() throws IOException {
    while (level != null) {
      Level at = level;
      DirectoryListing.Entry entry = at.rest.hasNext() ? at.rest.next() : null;
      try {
        if (entry == null) {
          leave();
        } else if (entry.inode().type() == FileType.DIRECTORY) {
          enter(entry.inode(), checked(entry.name()));
        } else {
          put(entry.inode(), checked(entry.name()));
        }
      } catch (IOException e) {
        throw CopyOut.named(e, entry == null ? place(at.above, at.name) : place(at, entry.name()));
      }
    }
  }

  private Iterator<DirectoryListing.Entry> entries(Inode directory) throws IOException {
    List<DirectoryListing.Entry> all = DirectoryListing.of(image, directory);
    for (int i = 1; i < all.size(); i++) {
      if (all.get(i).name().equals(all.get(i - 1).name())) {
        throw new CorruptImageException(
            image.name(),
            directory.offset(),
            "a directory with one entry of each name",
            "two of %s in inode %d".formatted(all.get(i).name(), directory.number()));
      }
    }
    return all.iterator();
  }

  private FileName checked(FileName name) throws IOException {
    String text = name.exactText();
    if (text.isEmpty() || text.equals(".") || text.equals("..") || text.matches("(?s).*[/\0].*")) {
      throw new FileSystemException(
          place(level, null), text, "no file can have this name: " + text);
    }
    return name;
  }

  private void put(Inode inode, FileName name) throws IOException {
    boolean device =
        inode.type() == FileType.CHARACTER_DEVICE || inode.type() == FileType.BLOCK_DEVICE;
    if (device && !options.devices()) {
      return;
    }
    if (inode.type() == FileType.UNKNOWN) {
      leaveOut(inode, name);
      return;
    }
    HostStat there = level.existed && now.exists(name) ? now.stat(name) : null;
    if (there != null) {
      demandReplaceable(FileType.ofMode(there.mode()), inode, name);
    }
    Level at = level;
    try {
      FileName made = at.stage.make(inode, () -> place(at, name));
      move(at.stage, made, now, name, there == null);
    } catch (HostException e) {
      if (!device || e.errno() != Errno.EPERM) {
        throw e;
      }
      leaveOut(inode, name);
      return;
    }
    count();
  }

  /** A folder is not replaced by a file, and a special file only by one of its type. */
  private void demandReplaceable(FileType there, Inode inode, FileName name)
      throws FileSystemException {
    if (there == FileType.DIRECTORY) {
      throw new FileSystemException(place(level, name), null, "Is a directory");
    }
    if (there != FileType.REGULAR && there != FileType.SYMLINK && there != inode.type()) {
      throw new FileSystemException(
          place(level, name),
          null,
          "is a %s, which a %s cannot replace".formatted(kind(there), kind(inode.type())));
    }
  }

  static String kind(FileType type) {
    return switch (type) {
      case REGULAR -> "regular file";
      case SYMLINK -> "symbolic link";
      case FIFO -> "pipe";
      default -> type.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    };
  }

  private void leaveOut(Inode inode, FileName name) {
    leftOut++;
    if (firstLeftOut == null) {
      String numbers =
          inode.type() == FileType.UNKNOWN
              ? ""
              : " %d,%d".formatted(inode.deviceMajor(), inode.deviceMinor());
      firstLeftOut = "%s (%s%s)".formatted(place(level, name), kind(inode.type()), numbers);
    }
  }

  private void count() {
    copied++;
    progress.at(copied, image.info().inodes() - image.info().freeInodes());
  }

  private void enter(Inode inode, FileName name) throws IOException {
    if (!directories.add(inode.number())) {
      throw new CorruptImageException(
          image.name(),
          inode.offset(),
          "a directory with one name",
          "inode %d a second time, as %s".formatted(inode.number(), place(level, name)));
    }
    Iterator<DirectoryListing.Entry> inside = entries(inode);
    HostStat there = level.existed && now.exists(name) ? now.stat(name) : null;
    if (there != null && !there.isDirectory()) {
      throw new FileSystemException(
          place(level, name),
          null,
          "is a %s, which a directory cannot replace"
              .formatted(kind(FileType.ofMode(there.mode()))));
    }
    FileName staged = null;
    OpenFolder below;
    if (there != null) {
      below = now.folder(name);
    } else if (level.existed) {
      staged = level.stage.makeFolder();
      below = level.stage.folder().folder(staged);
    } else {
      OpenFolder folder = now;
      below = Leftovers.step(() -> folder.make(name));
    }
    if (now != old || there != null) {
      closeNow();
    }
    now = below;
    old = there != null ? now : old;
    HostStat itself = now.stat();
    CopyStage stage = itself.dev() == level.itself.dev() ? level.stage : newStage();
    level = new Level(level, name, inode, inside, there != null, stage, staged, itself);
    count();
  }

  private void closeNow() {
    if (now != target.folder()) {
      now.close();
    }
  }

  /** Gives the folder its attributes, last, because each name made in it changes its time. */
  private void leave() throws IOException {
    Level full = level;
    OpenFolder up = full.above == null ? null : above(full);
    try {
      if (full.staged != null) {
        move(full.stage, full.staged, up, full.name, true);
      }
      if (full.hasStage()) {
        full.stage.close();
      }
      if (full.inode != null) {
        attributes.giveFolder(full.inode, now, full.existed, () -> place(full.above, full.name));
      }
    } finally {
      if (full.above != null) {
        closeNow();
        now = up;
        old = full.existed ? now : old;
      }
      level = full.above;
    }
  }

  private OpenFolder above(Level below) throws IOException {
    if (below.staged != null) {
      return old;
    }
    if (below.above.above == null) {
      return target.folder();
    }
    OpenFolder up = now.parent();
    HostStat found = up.stat();
    HostStat expected = below.above.itself;
    if (found.dev() != expected.dev() || found.ino() != expected.ino()) {
      up.close();
      throw new FileSystemException(
          place(below.above, below.name), null, "was moved to another folder meanwhile");
    }
    return up;
  }

  private void move(CopyStage stage, FileName made, OpenFolder to, FileName name, boolean isNew)
      throws IOException {
    if (to != target.folder() || !isNew) {
      stage.move(made, to, name);
      return;
    }
    Leftovers.step(
        () -> {
          HostStat stat = stage.folder().stat(made);
          stage.move(made, to, name);
          if (created.isEmpty()) {
            Leftovers.add(leftover);
          }
          created.add(new Made(name, stat, stage));
          return null;
        });
  }

  /** Moves the new names of the destination folder back to the stage, which is then removed. */
  private void removeCreated() throws IOException {
    OpenFolder folder = target.folder();
    for (Made each : created) {
      HostStat found = folder.exists(each.name) ? folder.stat(each.name) : null;
      if (found != null && found.dev() == each.stat.dev() && found.ino() == each.stat.ino()) {
        if (found.isDirectory()) {
          folder.setMode(each.name, 0700);
        }
        folder.rename(each.name, each.stage.folder(), OpenFolder.randomName("gone"));
      }
    }
  }

  private CopyStage newStage() throws IOException {
    return new CopyStage(mount, attributes, old);
  }

  /** Returns a path for messages; very long ones lose their middle. */
  private String place(Level folder, FileName name) {
    List<FileName> names = new ArrayList<>();
    if (name != null) {
      names.add(name);
    }
    for (Level each = folder; each != null && each.above != null; each = each.above) {
      names.add(each.name);
    }
    if (!target.isFolder() && !names.isEmpty()) {
      names.removeLast();
    }
    StringBuilder text = new StringBuilder(target.toString());
    for (FileName each : names.reversed()) {
      text.append(text.charAt(text.length() - 1) == '/' ? "" : "/").append(each.exactText());
    }
    if (text.length() > LONGEST_PLACE) {
      text.replace(LONGEST_PLACE / 2, text.length() - LONGEST_PLACE / 2, "...");
    }
    return text.toString();
  }

  /** Returns the result so far. */
  CopyOut.Outcome outcome() {
    return attributes.outcome(copied, leftOut, firstLeftOut);
  }

  @Override
  public void close() throws IOException {
    Leftovers.forget(leftover);
    if (now != null) {
      closeNow();
    }
    if (old != null && old != now && old != target.folder()) {
      old.close();
    }
    for (Level each = level; each != null; each = each.above) {
      if (each.hasStage()) {
        each.stage.close();
      }
    }
  }
}
