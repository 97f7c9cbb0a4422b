package dev.xip.cli;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bind.BoundTree;
import dev.xip.file.PageCache;
import dev.xip.host.HostPaths;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Node;
import dev.xip.vfs.RegularFile;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Mounts what {@code --bind} names. */
final class BindMounts {
  private static final String READ_ONLY = ":ro";

  /** Devices of trees count from here. */
  private static final long FIRST_DEVICE = 0x100;

  private final Vfs files;
  private final PageCache cache;
  private long device = FIRST_DEVICE;

  BindMounts(Vfs files, PageCache cache) {
    this.files = files;
    this.cache = cache;
  }

  /** Whether it has the form HOST:GUEST[:ro]. */
  static boolean isOne(String text) {
    String pair = withoutMode(text);
    int colon = pair.lastIndexOf(':');
    return colon > 0 && pair.startsWith("/", colon + 1) && pair.length() > colon + 2;
  }

  private static String withoutMode(String text) {
    return text.endsWith(READ_ONLY) ? text.substring(0, text.length() - READ_ONLY.length()) : text;
  }

  /** Mounts one; its place is made in RAM if it is missing. */
  void mount(String text) throws IOException {
    String pair = withoutMode(text);
    int colon = pair.lastIndexOf(':');
    Path host = HostPlace.of(pair.substring(0, colon)).toAbsolutePath();
    String guest = pair.substring(colon + 1);
    boolean readOnly = text.endsWith(READ_ONLY);
    if (Files.isDirectory(host)) {
      Directory at = (Directory) place(guest, FileType.DIRECTORY);
      files.mount(at, new BoundTree(host, readOnly, cache, guest, device++));
      return;
    }
    Path real = host.toRealPath();
    Node at = place(guest, FileType.REGULAR);
    BoundTree tree =
        new BoundTree(
            real.getParent(),
            readOnly,
            cache,
            guest.substring(0, guest.lastIndexOf('/')),
            device++);
    boolean mounted = false;
    try {
      FileName name = HostPaths.nameOf(real.getFileName());
      if (!(tree.root().find(name) instanceof RegularFile)) {
        throw new FileException(Errno.EINVAL, host + ": expected a directory or regular file");
      }
      files.mount(at, tree.root(), name);
      mounted = true;
    } finally {
      if (!mounted) {
        tree.close();
      }
    }
  }

  private Node place(String guest, FileType type) throws IOException {
    for (int end = guest.indexOf('/', 1); end > 0; end = guest.indexOf('/', end + 1)) {
      make(guest.substring(0, end), FileType.DIRECTORY);
    }
    make(guest, type);
    Node node = files.resolve(files.root(), FileName.of(guest), true);
    String path = files.path(files.root(), FileName.of(guest)) + "/";
    if (path.startsWith("/proc/")) {
      throw new FileException(Errno.EINVAL, guest + ": expected a place outside /proc");
    }
    if (node.type() != type) {
      throw new FileException(
          Errno.ENOTDIR, "%s: expected %s, found %s".formatted(guest, type, node.type()));
    }
    return node;
  }

  private void make(String path, FileType type) throws IOException {
    FileName name = FileName.of(path);
    try {
      files.resolve(files.root(), name, true);
    } catch (FileException e) {
      files.create(files.root(), name, NewNode.of(type, type == FileType.DIRECTORY ? 0755 : 0644));
    }
  }
}
