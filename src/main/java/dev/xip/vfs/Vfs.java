package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The files that programs see: a root tree, others mounted in it, and the calls that take paths.
 * All programs are root, so rights are not checked. Linux counterpart: fs/namei.c.
 *
 * <p>A path that does not begin with a slash starts from a directory. Errors are those of the
 * system call of the same name; they are thrown as exceptions with an {@link Errno}.
 */
public final class Vfs implements AutoCloseable {
  private final Tree root;

  /** What is mounted, by the directory that it covers; and that directory by the tree. */
  private final Map<Node, Tree> mounted = new ConcurrentHashMap<>();

  private final Map<Tree, Directory> covered = new ConcurrentHashMap<>();

  /** The files of other trees, by what they cover. */
  private final Map<Node, Other> replaced = new ConcurrentHashMap<>();

  /**
   * Makes a name space.
   *
   * @param root its root, which is closed with it
   */
  public Vfs(Tree root) {
    this.root = root;
  }

  /** {@return the root directory} */
  public Directory root() {
    return top(root.root());
  }

  /**
   * Mounts a tree.
   *
   * @param at the directory that it covers
   * @param tree the tree, mounted nowhere else; closed with this
   */
  public void mount(Directory at, Tree tree) {
    covered.put(tree, at);
    mounted.put(at, tree);
  }

  /**
   * Puts a file of another tree in the place of a file.
   *
   * @param at the file that it covers
   * @param directory where the other one is; its tree is mounted nowhere, and closed with this
   * @param name its name there
   */
  public void mount(Node at, Directory directory, FileName name) {
    replaced.put(at, new Other(directory, name));
  }

  private record Other(Directory directory, FileName name) {}

  /** {@return the trees, the root first, and the paths that they are mounted at} */
  public List<Mounted> mounts() {
    List<Mounted> all = new ArrayList<>(List.of(new Mounted(root, "/")));
    covered.keySet().forEach(tree -> all.add(new Mounted(tree, textOf(tree.root()))));
    return all;
  }

  private String textOf(Directory directory) {
    try {
      return path(directory).toString();
    } catch (FileException e) {
      return "/";
    }
  }

  /**
   * A tree and where it is mounted.
   *
   * @param tree the tree
   * @param path the path
   */
  public record Mounted(Tree tree, String path) {}

  private Directory top(Directory directory) {
    Directory at = directory;
    for (Tree tree = mounted.get(at); tree != null; tree = mounted.get(at)) {
      at = tree.root();
    }
    return at;
  }

  /** Finds an entry, or the root of what is mounted there. */
  Node find(Directory directory, FileName name) throws IOException {
    Node found = directory.find(name);
    if (found instanceof Directory inner) {
      return top(inner);
    }
    Other other = found == null ? null : replaced.get(found);
    return other == null ? found : other.directory.find(other.name);
  }

  /**
   * {@return what {@code ..} means in a directory}
   *
   * @param directory the directory
   */
  public Directory above(Directory directory) {
    Directory at = directory;
    while (at.parent() == null && covered.get(at.tree()) != null) {
      at = covered.get(at.tree());
    }
    return at.parent() == null ? directory : top(at.parent());
  }

  private Place walk(Directory from, FileName path, PathWalk.Last last) throws IOException {
    return new PathWalk(this, from, path).walk(last, false);
  }

  /**
   * Finds what a path names.
   *
   * @param from what it starts from
   * @param path the path
   * @param follow whether a link at the end is followed
   * @return the node
   * @throws IOException ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EIO
   */
  public Node resolve(Directory from, FileName path, boolean follow) throws IOException {
    Place place = walk(from, path, follow ? PathWalk.Last.FOLLOW : PathWalk.Last.STAY);
    if (place.node() == null) {
      throw new FileException(Errno.ENOENT, "" + path);
    }
    if (place.slash() && !(place.node() instanceof Directory)) {
      throw new FileException(Errno.ENOTDIR, "" + path);
    }
    return place.node();
  }

  /**
   * Finds a directory.
   *
   * @param from what the path starts from
   * @param path the path
   * @return the directory
   * @throws IOException as {@link #resolve} does, ENOTDIR if it is none
   */
  public Directory directory(Directory from, FileName path) throws IOException {
    if (resolve(from, path, true) instanceof Directory directory) {
      return directory;
    }
    throw new FileException(Errno.ENOTDIR, "" + path);
  }

  /**
   * {@return the path of a directory from the root}
   *
   * @param directory a directory
   * @throws FileException ENOENT if it was removed
   */
  public FileName path(Directory directory) throws FileException {
    Deque<FileName> names = new ArrayDeque<>();
    for (Directory at = directory; at != root(); ) {
      while (at.parent() == null && covered.containsKey(at.tree())) {
        at = covered.get(at.tree());
      }
      if (at.isRemoved() || at.parent() == null) {
        throw new FileException(Errno.ENOENT, at.name() + " was removed");
      }
      names.push(at.name());
      at = top(at.parent());
    }
    ByteArrayOutputStream path = new ByteArrayOutputStream();
    for (FileName each : names) {
      path.write('/');
      path.writeBytes(each.bytes());
    }
    return FileName.of(names.isEmpty() ? new byte[] {'/'} : path.toByteArray());
  }

  /**
   * {@return the path from the root of what a path names, without links}
   *
   * @param from what the path starts from
   * @param path the path of something that exists
   * @throws IOException as {@link #resolve} does
   */
  public FileName path(Directory from, FileName path) throws IOException {
    Place place = walk(from, path, PathWalk.Last.FOLLOW);
    if (place.node() instanceof Directory directory) {
      return path(directory);
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    if (place.parent() != root()) {
      whole.writeBytes(path(place.parent()).bytes());
    }
    whole.write('/');
    whole.writeBytes(place.last().bytes());
    return FileName.of(whole.toByteArray());
  }

  /**
   * {@return a name as messages show it, with its place in its tree} Takes no lock.
   *
   * @param directory the directory that it is in
   * @param name the name
   */
  public static String text(Directory directory, FileName name) {
    StringBuilder text = new StringBuilder(name.toString());
    for (Directory at = directory; at != null && at.name() != null; at = at.parent()) {
      text.insert(0, at.name() + "/");
    }
    return text.insert(0, '/').toString();
  }

  /**
   * Opens a file: makes, truncates and copies it up as the flags say. What is open is held.
   *
   * @param from what the path starts from
   * @param path the path
   * @param flags O_* of open(2)
   * @param permissions those of a file that is made
   * @return the node, for which the caller calls {@link Node#drop} at the end
   * @throws IOException as open(2)
   */
  public Node open(Directory from, FileName path, int flags, int permissions) throws IOException {
    return new OpenCall(this, from, path, flags, permissions).open();
  }

  /**
   * Makes a node: mkdir(2), mknod(2), symlink(2).
   *
   * @param from what the path starts from
   * @param path the path
   * @param wanted what is made
   * @return the node
   * @throws IOException as the calls
   */
  public Node create(Directory from, FileName path, NewNode wanted) throws IOException {
    Place place = newEntry(from, path, wanted.type() == FileType.DIRECTORY);
    return place.parent().create(place.last(), wanted);
  }

  private Place newEntry(Directory from, FileName path, boolean directory) throws IOException {
    Place place = walk(from, path, PathWalk.Last.SKIP);
    boolean exists = !place.isEntry() || place.find() != null;
    if (exists || place.slash() && !directory) {
      throw new FileException(exists ? Errno.EEXIST : Errno.ENOENT, "" + path);
    }
    return place;
  }

  /**
   * Gives a file another name, link(2).
   *
   * @param node the file
   * @param from what the path starts from
   * @param path the new name
   * @throws IOException as the call
   */
  public void link(Node node, Directory from, FileName path) throws IOException {
    Place place = newEntry(from, path, false);
    if (node.tree() != place.parent().tree()) {
      throw new FileException(Errno.EXDEV, "" + path);
    }
    place.parent().link(place.last(), node);
  }

  /**
   * Removes a name that is no directory, unlink(2).
   *
   * @param from what the path starts from
   * @param path the path
   * @throws IOException as the call
   */
  public void unlink(Directory from, FileName path) throws IOException {
    Place place = walk(from, path, PathWalk.Last.SKIP);
    if (!place.isEntry()) {
      throw new FileException(Errno.EISDIR, "" + path);
    }
    Node node = place.find();
    if (place.slash()) {
      throw new FileException(
          node == null ? Errno.ENOENT : node instanceof Directory ? Errno.EISDIR : Errno.ENOTDIR,
          "" + path);
    }
    requireUncovered(node, path);
    place.parent().remove(place.last(), false);
  }

  /**
   * Removes an empty directory, rmdir(2).
   *
   * @param from what the path starts from
   * @param path the path
   * @throws IOException as the call
   */
  public void removeDirectory(Directory from, FileName path) throws IOException {
    Place place = walk(from, path, PathWalk.Last.SKIP);
    if (!place.isEntry()) {
      throw new FileException(
          place.last().equals(PathWalk.DOT)
              ? Errno.EINVAL
              : place.last().equals(PathWalk.DOT_DOT) ? Errno.ENOTEMPTY : Errno.EBUSY,
          "" + path);
    }
    requireUncovered(place.find(), path);
    place.parent().remove(place.last(), true);
  }

  private void requireUncovered(Node node, FileName path) throws FileException {
    if (node != null && (mounted.containsKey(node) || replaced.containsKey(node))) {
      throw new FileException(Errno.EBUSY, path + ": something is mounted there");
    }
  }

  /**
   * Renames, renameat2(2).
   *
   * @param from what the old path starts from
   * @param path the old path
   * @param newFrom what the new path starts from
   * @param newPath the new path
   * @param how what becomes of an entry of the new name
   * @throws IOException as the call
   */
  public void rename(
      Directory from, FileName path, Directory newFrom, FileName newPath, Directory.Renaming how)
      throws IOException {
    Place place = walk(from, path, PathWalk.Last.SKIP);
    Place to = walk(newFrom, newPath, PathWalk.Last.SKIP);
    if (place.parent().tree() != to.parent().tree()) {
      throw new FileException(Errno.EXDEV, "" + newPath);
    }
    if (!place.isEntry() || !to.isEntry()) {
      boolean exists = place.isEntry() && how == Directory.Renaming.KEEP;
      throw new FileException(exists ? Errno.EEXIST : Errno.EBUSY, "" + newPath);
    }
    Node node = place.find();
    if (node == null) {
      throw new FileException(Errno.ENOENT, "" + path);
    }
    Node other = to.find();
    if (other == null && how == Directory.Renaming.EXCHANGE) {
      throw new FileException(Errno.ENOENT, "" + newPath);
    }
    if (other != null && how == Directory.Renaming.KEEP) {
      throw new FileException(Errno.EEXIST, "" + newPath);
    }
    boolean exchange = how == Directory.Renaming.EXCHANGE;
    if (exchange && to.slash() && !(other instanceof Directory)
        || !(node instanceof Directory) && (place.slash() || !exchange && to.slash())) {
      throw new FileException(Errno.ENOTDIR, "" + newPath);
    }
    requireUncovered(node, path);
    requireUncovered(other, newPath);
    place.parent().rename(place.last(), to.parent(), to.last(), how);
  }

  /** Closes all trees. Precondition: no file is open or mapped. */
  @Override
  public void close() {
    replaced.values().forEach(other -> other.directory.tree().close());
    covered.keySet().forEach(Tree::close);
    root.close();
  }
}
