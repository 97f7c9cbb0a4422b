package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostPaths;
import dev.xip.host.HostStat;
import dev.xip.host.OpenFolder;
import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.pack.ext.NewFile;
import dev.xip.pack.ext.NewImageSize;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.UUID;

/**
 * A folder of the host at the time of {@link #look}, to become an image: every file with all its
 * attributes, names in the order of their bytes. Links are never followed. A file that was replaced
 * or changed before its bytes are copied is an error.
 */
final class SourceTree implements AutoCloseable {
  private static final int BLOCK = NewImageSize.BLOCK;
  private static final FileName LOST_AND_FOUND = FileName.of("lost+found");

  private final FileName directory;
  private final PackOptions options;
  private final PackOptions.Exclusion exclusion;
  private final FolderCursor cursor;
  private final MessageDigest digest;
  private final List<NewFile> files = new ArrayList<>();
  private final List<FileName> lostAndFound = new ArrayList<>();
  private final List<FileName> sockets = new ArrayList<>();
  private final List<FileName> excluded = new ArrayList<>();
  private final List<PackReport.Loss> losses = new ArrayList<>();

  /** Where the regular files are. */
  private final Map<NewFile, Origin> origins = new HashMap<>();

  /** The files that have more names than one. */
  private final Map<Key, NewFile> linked = new HashMap<>();

  /** The folders whose names have not all been seen, the deepest first. */
  private final Deque<Level> levels = new ArrayDeque<>();

  private long bytes;
  private int readableBy = 0444;
  private final Instant start = Instant.now();
  private Instant newest = Instant.EPOCH;
  private Instant latest = Instant.EPOCH;
  private Instant earliest = Instant.EPOCH;
  private FileName fileWithTail;

  private record Key(long dev, long ino) {}

  private record Origin(FolderCursor.Folder folder, FileName name, Key key) {}

  private record Level(FolderCursor.Folder folder, NewFile directory, Iterator<FileName> names) {}

  private SourceTree(FileName directory, PackOptions options, FolderCursor cursor) {
    this.directory = directory;
    this.options = options;
    this.exclusion = options.exclusion();
    this.cursor = cursor;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Reads a folder and all that is in it, but not the contents of files.
   *
   * @param directory the folder
   * @param options what to leave out, and whose the files are to be
   * @return the tree, to be closed
   * @throws FileSystemException if a part of it cannot be read or cannot be in an image, with its
   *     name
   */
  static SourceTree look(Path directory, PackOptions options) throws IOException {
    FileName name = HostPaths.nameOf(directory);
    FolderCursor cursor;
    try {
      cursor = FolderCursor.open(directory);
    } catch (HostException e) {
      throw e.at(name.toString());
    }
    SourceTree tree = new SourceTree(name, options, cursor);
    try {
      tree.walk();
      return tree;
    } catch (IOException | RuntimeException | Error e) {
      tree.close();
      throw e;
    }
  }

  private void walk() throws IOException {
    FolderCursor.Folder root = cursor.root();
    at(
        root,
        FileName.of(""),
        () -> {
          OpenFolder open = cursor.goTo(root);
          HostStat stat = open.stat();
          count(root, FileName.of(""), stat);
          NewFile file = NewFile.of(inode(stat), open.extendedAttributes());
          files.add(file);
          addLosses(root, FileName.of(""), file);
          levels.push(new Level(root, file, names(open)));
        });
    while (!levels.isEmpty()) {
      Level level = levels.peek();
      if (level.names.hasNext()) {
        FileName name = level.names.next();
        at(level.folder, name, () -> name(level, name, cursor.goTo(level.folder)));
      } else {
        levels.pop();
      }
    }
  }

  private static Iterator<FileName> names(OpenFolder folder) throws HostException {
    List<FileName> names = folder.names();
    names.sort(null);
    return names.iterator();
  }

  private void name(Level level, FileName name, OpenFolder open) throws IOException {
    if (exclusion.covers(level.folder.path(name))) {
      excluded.add(level.folder.path(name));
      return;
    }
    HostStat stat = open.stat(name);
    FileType type = FileType.ofMode(stat.mode());
    if (type == FileType.SOCKET) {
      sockets.add(shown(level.folder, name));
      return;
    }
    count(level.folder, name, stat);
    int start = LOST_AND_FOUND.length();
    if (name.length() >= start && name.part(0, start).equals(LOST_AND_FOUND)) {
      lostAndFound.add(shown(level.folder, name));
    }
    Key key = new Key(stat.dev(), stat.ino());
    boolean many = stat.nlink() > 1 && type != FileType.DIRECTORY;
    NewFile known = many ? linked.get(key) : null;
    if (known != null) {
      level.directory.add(name, known);
      if (known.names() > NewFile.MOST_LINKS) {
        throw new RefusedException(
            "an image keeps no more than %,d names of a file".formatted(NewFile.MOST_LINKS));
      }
      return;
    }
    NewFile file = file(level.folder, name, open, stat);
    if (many) {
      linked.put(key, file);
    }
    files.add(file);
    level.directory.add(name, file);
    addLosses(level.folder, name, file);
  }

  private NewFile file(FolderCursor.Folder folder, FileName name, OpenFolder open, HostStat stat)
      throws IOException {
    SortedMap<FileName, byte[]> attributes = open.extendedAttributes(name);
    Inode inode = inode(stat);
    if (inode.type() == FileType.SYMLINK) {
      return NewFile.link(inode, attributes, open.readLink(name));
    }
    NewFile file = NewFile.of(inode, attributes);
    if (inode.type() == FileType.REGULAR) {
      bytes += stat.size();
      origins.put(file, new Origin(folder, name, new Key(stat.dev(), stat.ino())));
      findHoles(file, open, name, stat);
      if (fileWithTail == null && stat.size() % BLOCK != 0) {
        fileWithTail = folder.path(name);
      }
    } else if (inode.type() == FileType.DIRECTORY) {
      FolderCursor.Folder child = folder.child(name, stat);
      levels.push(new Level(child, file, names(cursor.goTo(child))));
    }
    return file;
  }

  private static void findHoles(NewFile file, OpenFolder open, FileName name, HostStat stat)
      throws IOException {
    if (stat.size() > NewFile.MOST_BYTES) {
      throw new RefusedException(
          "larger than a file of an image can be (%,d bytes)".formatted(NewFile.MOST_BYTES));
    }
    try (HostFile content = open.openReadOnly(name)) {
      long allocated = 0;
      long end;
      for (long at = 0; at < stat.size() && (at = content.nextData(at)) >= 0; at = end) {
        end = Math.min(content.nextHole(at), stat.size());
        if (at < end) {
          file.addData(at, end - at);
          allocated += end - at;
        } else {
          break;
        }
      }
      if (allocated > NewFile.MOST_ALLOCATED) {
        throw new RefusedException(
            "more bytes than an image can count in the 512-byte sectors of one file");
      }
    }
  }

  private Inode inode(HostStat stat) {
    Instant changed = Instant.ofEpochSecond(stat.ctimeSeconds(), stat.ctimeNanos());
    return new Inode(
        0,
        0,
        stat.mode(),
        options.uid() == PackOptions.KEPT ? Integer.toUnsignedLong(stat.uid()) : options.uid(),
        options.gid() == PackOptions.KEPT ? Integer.toUnsignedLong(stat.gid()) : options.gid(),
        0,
        stat.size(),
        0,
        Instant.ofEpochSecond(stat.atimeSeconds(), stat.atimeNanos()),
        Instant.ofEpochSecond(stat.mtimeSeconds(), stat.mtimeNanos()),
        changed,
        changed,
        (int) (stat.rdev() >>> 8 & 0xfff | stat.rdev() >>> 32 & 0xfffff000L),
        (int) (stat.rdev() & 0xff | stat.rdev() >>> 12 & 0xffffff00L),
        0);
  }

  /** Adds one name to the totals of the tree. */
  private void count(FolderCursor.Folder folder, FileName name, HostStat stat) {
    Instant modified = Instant.ofEpochSecond(stat.mtimeSeconds(), stat.mtimeNanos());
    latest = modified.isAfter(latest) ? modified : latest;
    earliest = modified.isBefore(earliest) ? modified : earliest;
    newest = modified.isAfter(newest) && !modified.isAfter(start) ? modified : newest;
    long size = stat.isDirectory() ? 0 : stat.size();
    digest.update(name.bytes());
    digest.update(
        "\0%d\0%d\0%s\n"
            .formatted(folder.depth(), size, modified)
            .getBytes(StandardCharsets.UTF_8));
    if (stat.isRegularFile()) {
      readableBy &= stat.mode();
    } else if (stat.isDirectory()) {
      // To read what is in a folder takes the rights r and x.
      readableBy &= stat.mode() & stat.mode() << 2;
    }
  }

  private void addLosses(FolderCursor.Folder folder, FileName name, NewFile file) {
    for (FileName each : file.attributesLeftOut()) {
      losses.add(
          new PackReport.Loss(
              shown(folder, name), "the image has no place for its attribute %s".formatted(each)));
    }
    if (!file.keepsTimes()) {
      losses.add(new PackReport.Loss(shown(folder, name), "a time before 1901 or after 2446"));
    }
  }

  /**
   * Copies the bytes of a file into an image.
   *
   * @param file a regular file of this tree
   * @param places where they go
   * @param image the image
   * @throws FileSystemException if the file cannot be read, or is not as it was
   */
  void copy(NewFile file, BlockMap places, FileChannel image) throws IOException {
    Origin origin = origins.get(file);
    at(
        origin.folder,
        origin.name,
        () -> {
          try (HostFile from = cursor.goTo(origin.folder).openReadOnly(origin.name);
              FileChannel channel = FileChannel.open(from.descriptorPath())) {
            demandUnchanged(file, origin, from);
            for (int i = 0; i < places.extentCount(); i++) {
              copy(channel, places.extent(i), file.inode().size(), image);
            }
            demandUnchanged(file, origin, from);
          }
        });
  }

  private static void copy(FileChannel from, Extent extent, long size, FileChannel image)
      throws IOException {
    long end = Math.min(extent.fileEnd(), size);
    image.position(extent.imageOffset());
    for (long at = extent.fileOffset(); at < end; ) {
      long done;
      try {
        done = from.transferTo(at, end - at, image);
      } catch (IOException e) {
        demandReadable(from, at);
        throw e;
      }
      if (done <= 0) {
        throw new FolderCursor.MovedException();
      }
      at += done;
    }
  }

  /** Distinguishes a file that cannot be read from an image that cannot be written. */
  private static void demandReadable(FileChannel from, long at) throws IOException {
    try {
      from.read(ByteBuffer.allocate(BLOCK), at);
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      throw new RefusedException(e.getMessage());
    }
  }

  private void demandUnchanged(NewFile file, Origin origin, HostFile now) throws IOException {
    HostStat stat = now.stat();
    Inode found = inode(stat);
    if (!new Key(stat.dev(), stat.ino()).equals(origin.key)
        || found.size() != file.inode().size()
        || !found.modified().equals(file.inode().modified())
        || !found.changed().equals(file.inode().changed())) {
      throw new FolderCursor.MovedException();
    }
  }

  /** An operation on one name. */
  private interface Action {
    void run() throws IOException;
  }

  /**
   * Runs an operation on a name, whose path it adds to exceptions about it. Others are about the
   * image.
   */
  private void at(FolderCursor.Folder folder, FileName name, Action action) throws IOException {
    try {
      action.run();
    } catch (HostException e) {
      throw e.at(shown(folder, name).toString());
    } catch (FolderCursor.MovedException e) {
      throw named(shown(folder, name), "changed while it was packed", e);
    } catch (RefusedException e) {
      throw named(shown(folder, name), e.getMessage(), e);
    }
  }

  /** A file cannot be read, or an image cannot hold it. */
  private static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(String reason) {
      super(reason);
    }
  }

  private static FileSystemException named(FileName path, String reason, IOException cause) {
    FileSystemException named = new FileSystemException(path.toString(), null, reason);
    named.initCause(cause);
    return named;
  }

  /** The path of a file as the caller would write it. */
  private FileName shown(FolderCursor.Folder folder, FileName name) {
    byte[] inside = folder.path(name).bytes();
    if (inside.length == 0) {
      return directory;
    }
    byte[] path = Arrays.copyOf(directory.bytes(), directory.length() + 1 + inside.length);
    path[directory.length()] = '/';
    System.arraycopy(inside, 0, path, directory.length() + 1, inside.length);
    return FileName.of(path);
  }

  /** Returns all files, each once, the root first and each folder before what is in it. */
  List<NewFile> files() {
    return files;
  }

  /** Returns how many regular files there are, hard links counted once. */
  long regularFiles() {
    return origins.size();
  }

  /** Returns the sum of their sizes in bytes. */
  long bytes() {
    return bytes;
  }

  /** Returns the sockets, which mean nothing in an image and are not among the files. */
  List<FileName> sockets() {
    return sockets;
  }

  /** Returns the paths in the tree that are left out, without what is below them. */
  List<FileName> excluded() {
    return excluded;
  }

  /** Returns what an image cannot keep of the files. */
  List<PackReport.Loss> losses() {
    return losses;
  }

  /**
   * Returns the permission bits that an image may grant: to group and others none, unless they may
   * read every file and folder of the tree.
   */
  int grants() {
    int group = (readableBy & 040) == 0 ? 0 : 060;
    int others = (readableBy & 04) == 0 ? 0 : 06;
    return 0600 | group | others;
  }

  /**
   * Returns the latest modification time in the tree that is not in the future, in seconds since
   * 1970.
   */
  long newestSeconds() {
    return newest.getEpochSecond();
  }

  /** Returns the second after the latest modification time in the tree, since 1970. */
  long latestSeconds() {
    return latest.getEpochSecond() + 1;
  }

  /** Tells whether a modification time in the tree is before 1970. */
  boolean hasTimesBefore1970() {
    return earliest.isBefore(Instant.EPOCH);
  }

  /** Returns the paths whose last name is or begins with lost+found. */
  List<FileName> lostAndFound() {
    return lostAndFound;
  }

  /** Returns the path in the tree of some file whose size is no multiple of a block, or null. */
  FileName fileWithTail() {
    return fileWithTail;
  }

  /** Returns a UUID that is the same for the same names, sizes and times. */
  UUID identity() {
    return UUID.nameUUIDFromBytes(digest.digest());
  }

  @Override
  public void close() {
    cursor.close();
  }
}
