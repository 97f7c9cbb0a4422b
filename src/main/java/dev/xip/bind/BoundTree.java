package dev.xip.bind;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.file.PageCache;
import dev.xip.host.HostException;
import dev.xip.host.OpenFolder;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Tree;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A directory of the host as a tree. Linux counterpart: a bind mount.
 *
 * <p>Names, attributes and bytes are the host's at the time of each call. What is mapped is a copy
 * in RAM of what the file held when it was mapped. Set-id bits are not passed on to the host, and
 * devices cannot be made.
 */
public final class BoundTree implements Tree {
  private static final long MAGIC = 0x0102_1997;

  private final OpenFolder folder;
  private final boolean readOnly;
  private final PageCache cache;
  private final String place;
  private final long device;
  private final BoundDirectory root;

  /**
   * Opens a directory.
   *
   * @param path the directory; links on the way to it are followed, as for any command
   * @param readOnly whether nothing may be changed
   * @param cache where files that are mapped are copied to
   * @param place where it will be mounted, for the names of mappings
   * @param device a number that no other tree of the name space has
   * @throws IOException if it cannot be opened
   */
  public BoundTree(Path path, boolean readOnly, PageCache cache, String place, long device)
      throws IOException {
    this.folder = OpenFolder.open(path);
    this.readOnly = readOnly;
    this.cache = cache;
    this.place = place;
    this.device = device;
    this.root = new BoundDirectory(this, folder.stat());
  }

  @Override
  public Directory root() {
    return root;
  }

  @Override
  public long device() {
    return device;
  }

  @Override
  public String kind() {
    return "bind";
  }

  @Override
  public Usage usage() {
    return new Usage(MAGIC, 0, 0, 0, 0);
  }

  @Override
  public void close() {
    folder.close();
  }

  PageCache cache() {
    return cache;
  }

  String place() {
    return place;
  }

  OpenFolder folder() {
    return folder;
  }

  /** Refuses a change of a tree that is read-only. */
  void requireWritable() throws FileException {
    if (readOnly) {
      throw new FileException(Errno.EROFS, place + ": bound read-only");
    }
  }

  /** A call of the host. */
  interface Call<T> {
    T run() throws IOException;
  }

  /** Makes a call whose refusal by the host is one of the tree. */
  static <T> T call(FileName name, Call<T> call) throws IOException {
    try {
      return call.run();
    } catch (HostException e) {
      throw new FileException(e.errno(), name + ": " + e.getMessage());
    }
  }
}
