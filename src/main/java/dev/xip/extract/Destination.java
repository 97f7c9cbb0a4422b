package dev.xip.extract;

import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.HostNode;
import dev.xip.host.HostStat;
import dev.xip.host.OpenFolder;
import dev.xip.image.FileType;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * The place for a new file: an open folder and a name in it, so that later changes of the path by
 * other users have no effect. Symbolic links in the path are followed, as cp does it, unless
 * another user could have made them.
 */
public final class Destination implements AutoCloseable {
  /** As many links as the kernel follows, path_resolution(7). */
  private static final int MOST_LINKS = 40;

  private final FileName path;
  private final OpenFolder folder;
  private final FileName name;
  private final HostStat there;

  private Destination(FileName path, OpenFolder folder, FileName name, HostStat there) {
    this.path = path;
    this.folder = folder;
    this.name = name;
    this.there = there;
  }

  /**
   * A path, split before its last name; the name is empty if the path can only be that of a folder.
   */
  private record Split(FileName above, FileName name, boolean slash) {
    static Split of(FileName path) {
      int end = path.length();
      while (end > 0 && path.at(end - 1) == '/') {
        end--;
      }
      int start = end;
      while (start > 0 && path.at(start - 1) != '/') {
        start--;
      }
      FileName name = path.part(start, end);
      boolean folder = end == 0 || name.toString().equals(".") || name.toString().equals("..");
      return folder
          ? new Split(path, FileName.of(""), true)
          : new Split(path.part(0, start), name, end < path.length());
    }
  }

  /**
   * Resolves a path.
   *
   * @param path as the user named it; a slash at its end asks for a folder
   * @param follow whether a link is followed that leads to something other than a folder
   * @return the folder that it leads to, without a {@link #name}; else the name, and the folder
   *     that it is in; to be closed
   * @throws NoSuchFileException if the folder of the name is missing, or a link leads nowhere
   * @throws NotDirectoryException if a slash follows the name of something other than a folder
   * @throws IOException if a link is not trusted, or the system refuses
   */
  public static Destination of(FileName path, boolean follow) throws IOException {
    FileName now = path;
    for (int links = 0; links <= MOST_LINKS; links++) {
      if (now.length() == 0) {
        throw new NoSuchFileException(path.exactText());
      }
      Split split = Split.of(now);
      OpenFolder folder = open(split.above);
      try {
        HostStat there = split.name.length() == 0 ? null : statOrNull(folder, split.name);
        FileType type = there == null ? null : FileType.ofMode(there.mode());
        if (type == FileType.SYMLINK && !follow) {
          Destination behind = folderBehind(path);
          if (behind != null) {
            folder.close();
            return behind;
          }
          return new Destination(path, folder, split.name, there);
        } else if (type == FileType.SYMLINK) {
          now = follow(path, folder, split);
          folder.close();
        } else if (split.name.length() == 0) {
          return new Destination(path, folder, null, null);
        } else if (type == FileType.DIRECTORY) {
          OpenFolder itself = folder.folder(split.name);
          folder.close();
          return new Destination(path, itself, null, null);
        } else if (there != null && split.slash) {
          throw new NotDirectoryException(path.exactText());
        } else if (there == null && links > 0) {
          throw new FileSystemException(
              path.exactText(),
              null,
              "is a link to %s, which does not exist".formatted(now.exactText()));
        } else {
          return new Destination(path, folder, split.name, there);
        }
      } catch (HostException e) {
        folder.close();
        throw e.at(path.exactText());
      } catch (IOException | RuntimeException e) {
        folder.close();
        throw e;
      }
    }
    throw new FileSystemLoopException(path.exactText());
  }

  /** Resolves a link to a folder; null if it leads to none. */
  private static Destination folderBehind(FileName link) {
    try {
      Destination behind = of(link, true);
      if (behind.isFolder()) {
        return behind;
      }
      behind.close();
    } catch (IOException e) {
      // It leads nowhere, or where it must not be followed.
      return null;
    }
    return null;
  }

  private static OpenFolder open(FileName above) throws IOException {
    FileName folder = above.length() == 0 ? FileName.of(".") : above;
    boolean slash = folder.length() > 1 && folder.at(folder.length() - 1) == '/';
    String shown = (slash ? folder.part(0, folder.length() - 1) : folder).exactText();
    try (Way way = new Way(folder, shown)) {
      return way.end();
    } catch (HostException e) {
      throw e.at(shown);
    }
  }

  /** Resolves the path of a folder name by name, so that each link on the way is looked at. */
  private static final class Way implements AutoCloseable {
    private static final FileName PARENT = FileName.of("..");

    private final Deque<FileName> names = new ArrayDeque<>();
    private final String shown;
    private OpenFolder at;
    private int links;

    Way(FileName path, String shown) throws HostException {
      this.shown = shown;
      at = OpenFolder.passed(Path.of(path.at(0) == '/' ? "/" : "."));
      prepend(path);
    }

    /** Pushes the names of a path before those that are left. */
    private void prepend(FileName path) {
      for (int end = path.length(), start; end > 0; end = start - 1) {
        start = end;
        while (start > 0 && path.at(start - 1) != '/') {
          start--;
        }
        FileName name = path.part(start, end);
        if (name.length() > 0 && !name.equals(FileName.of("."))) {
          names.push(name);
        }
      }
    }

    /** Opens the folder at the end of the way. */
    OpenFolder end() throws IOException {
      while (!names.isEmpty()) {
        FileName name = names.pop();
        FileName target = name.equals(PARENT) ? null : targetOf(name);
        if (target == null) {
          move(at.passed(name));
          continue;
        }
        if (++links > MOST_LINKS) {
          throw new FileSystemLoopException(shown);
        }
        if (target.at(0) == '/') {
          move(OpenFolder.passed(Path.of("/")));
        }
        prepend(target);
      }
      return at.reopened();
    }

    /** Returns where a link leads, never nowhere; null if the name is not a link's. */
    private FileName targetOf(FileName name) throws IOException {
      try (HostNode node = at.hold(name)) {
        if (FileType.ofMode(node.stat().mode()) != FileType.SYMLINK) {
          return null;
        }
        return trustedTarget(at, node, shown, node.name() + " is");
      }
    }

    private void move(OpenFolder next) {
      at.close();
      at = next;
    }

    @Override
    public void close() {
      at.close();
    }
  }

  private static HostStat statOrNull(OpenFolder folder, FileName name) throws HostException {
    return folder.exists(name) ? folder.stat(name) : null;
  }

  /** Returns where a link leads, if it can be trusted. */
  private static FileName follow(FileName path, OpenFolder folder, Split split) throws IOException {
    try (HostNode link = folder.hold(split.name)) {
      FileName target = trustedTarget(folder, link, path.exactText(), "is");
      FileName whole =
          target.length() > 0 && target.at(0) != '/' ? join(split.above, target) : target;
      return split.slash ? join(whole, FileName.of("/")) : whole;
    }
  }

  /** Returns the target of a link, unless another user could have made it. */
  private static FileName trustedTarget(
      OpenFolder folder, HostNode link, String shown, String subject) throws IOException {
    if (folder.mayBeStrangers(link.stat())) {
      throw new FileSystemException(
          shown,
          null,
          subject + " a link that another user may have put there: it is not followed");
    }
    return link.target();
  }

  private static FileName join(FileName first, FileName second) {
    byte[] joined = Arrays.copyOf(first.bytes(), first.length() + second.length());
    System.arraycopy(second.bytes(), 0, joined, first.length(), second.length());
    return FileName.of(joined);
  }

  /**
   * Resolves a name in this folder.
   *
   * @param child the name
   * @return the destination, to be closed
   */
  Destination in(FileName child) throws IOException {
    FileName slash = FileName.of("/");
    return of(join(path.at(path.length() - 1) == '/' ? path : join(path, slash), child), true);
  }

  /** Tells whether the path leads to a folder that exists. */
  boolean isFolder() {
    return name == null;
  }

  /** The folder that the path leads to, or the one that the name is in. */
  OpenFolder folder() {
    return folder;
  }

  /** The name in the folder, or null if the path leads to a folder. */
  FileName name() {
    return name;
  }

  /** The attributes of the file that has the name, or null if there is none. */
  HostStat there() {
    return there;
  }

  /**
   * Demands that a regular file can get the name: it is free, or that of a regular file.
   *
   * @param what what the file would be, such as {@code an image}
   * @throws FileSystemException if it is that of a folder, device, pipe or socket, or the path ends
   *     with a slash
   */
  public void demandFile(String what) throws FileSystemException {
    if (isFolder()) {
      throw new FileSystemException(path.exactText(), null, "Is a directory");
    }
    demandName();
    FileType type = there == null ? FileType.REGULAR : FileType.ofMode(there.mode());
    if (type != FileType.REGULAR) {
      throw new FileSystemException(
          path.exactText(),
          null,
          "is a %s, which %s cannot replace".formatted(CopyTree.kind(type), what));
    }
  }

  /**
   * Demands that the path does not end with a slash, which stands for a folder.
   *
   * @throws NotDirectoryException if it does
   */
  void demandName() throws NotDirectoryException {
    if (path.at(path.length() - 1) == '/') {
      throw new NotDirectoryException(path.exactText());
    }
  }

  @Override
  public void close() {
    folder.close();
  }

  /** Returns the path as the user named it. */
  @Override
  public String toString() {
    return path.exactText();
  }
}
