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
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * A folder of the host at the time of {@link #look}, to become an image: every file with all its
 * attributes, names in the order of their bytes. Links are never followed. A file that was replaced
 * or changed before its bytes are copied is an error.
 */
final class SourceTree extends PackTree {
  private static final int BLOCK = NewImageSize.BLOCK;

  private final FileName directory;
  private final PackOptions options;
  private final PackOptions.Exclusion exclusion;
  private final FolderCursor cursor;

  /** Where the regular files are. */
  private final Map<NewFile, Origin> origins = new HashMap<>();

  /** The files that have more names than one. */
  private final Map<Key, NewFile> linked = new HashMap<>();

  /** The folders whose names have not all been seen, the deepest first. */
  private final Deque<Level> levels = new ArrayDeque<>();

  private record Key(long dev, long ino) {}

  private record Origin(FolderCursor.Folder folder, FileName name, Key key) {}

  private record Level(FolderCursor.Folder folder, NewFile directory, Iterator<FileName> names) {}

  private SourceTree(FileName directory, PackOptions options, FolderCursor cursor) {
    this.directory = directory;
    this.options = options;
    this.exclusion = options.exclusion();
    this.cursor = cursor;
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
          Inode inode = inode(stat);
          count(0, FileName.of(""), inode);
          NewFile file = NewFile.of(inode, open.extendedAttributes());
          add(file, () -> directory);
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
    if (!options.excluded().isEmpty() && exclusion.covers(level.folder.path(name))) {
      addExcluded(level.folder.path(name));
      return;
    }
    HostStat stat = open.stat(name);
    FileType type = FileType.ofMode(stat.mode());
    if (type == FileType.SOCKET) {
      addSocket(shown(level.folder, name));
      return;
    }
    count(level.folder.depth(), name, inode(stat));
    if (isDoubtful(name)) {
      addDoubtful(level.folder.path(name), shown(level.folder, name));
    }
    Key key = new Key(stat.dev(), stat.ino());
    boolean many = stat.nlink() > 1 && type != FileType.DIRECTORY;
    NewFile known = many ? linked.get(key) : null;
    if (known != null) {
      level.directory.add(name, known);
      demandFewNames(known);
      return;
    }
    NewFile file = file(level.folder, name, open, stat);
    if (many) {
      linked.put(key, file);
    }
    level.directory.add(name, file);
    add(file, () -> shown(level.folder, name));
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
      origins.put(file, new Origin(folder, name, new Key(stat.dev(), stat.ino())));
      findHoles(file, open, name, stat);
    } else if (inode.type() == FileType.DIRECTORY) {
      FolderCursor.Folder child = folder.child(name, stat);
      levels.push(new Level(child, file, names(cursor.goTo(child))));
    }
    return file;
  }

  private static void findHoles(NewFile file, OpenFolder open, FileName name, HostStat stat)
      throws IOException {
    demandPossible(stat.size(), 0);
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
      demandPossible(stat.size(), allocated);
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

  @Override
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

  @Override
  public void close() {
    cursor.close();
  }
}
