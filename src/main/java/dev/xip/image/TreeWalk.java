package dev.xip.image;

import dev.xip.base.FileName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Walks a tree from a directory down, in the order in which the image holds the names, following no
 * links. Ends on every image: a directory that turns up a second time is damage, since only a
 * damaged image has one under two names.
 */
public final class TreeWalk {
  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  private final FsImage image;
  private final Set<Long> directories = new HashSet<>();

  /** What is still to be seen, next in front. */
  private final Deque<Step> steps = new ArrayDeque<>();

  /** One name on the way from the start, which has no parent. */
  private record Step(Step parent, FileName name, long inode) {
    FileName path() {
      Deque<FileName> names = new ArrayDeque<>();
      for (Step step = this; step.parent != null; step = step.parent) {
        names.push(step.name);
      }
      ByteArrayOutputStream path = new ByteArrayOutputStream();
      for (FileName name : names) {
        if (path.size() > 0) {
          path.write('/');
        }
        path.writeBytes(name.bytes());
      }
      return FileName.of(path.toByteArray());
    }
  }

  private TreeWalk(FsImage image) {
    this.image = image;
  }

  /**
   * Walks.
   *
   * @param image the image
   * @param start where to begin; a file that is not a directory is all there is to see
   * @param visitor sees the start and everything below it
   * @throws CorruptImageException if a directory has two names in the tree
   * @throws IOException if the image is damaged, or what the visitor threw
   */
  public static void walk(FsImage image, Inode start, TreeVisitor visitor) throws IOException {
    TreeWalk walk = new TreeWalk(image);
    walk.steps.push(new Step(null, DOT, start.number()));
    while (!walk.steps.isEmpty()) {
      walk.see(walk.steps.pop(), visitor);
    }
  }

  private void see(Step step, TreeVisitor visitor) throws IOException {
    Inode inode = image.inode(step.inode);
    FileName path = step.path();
    boolean directory = inode.type() == FileType.DIRECTORY;
    if (directory && !directories.add(inode.number())) {
      throw new CorruptImageException(
          image.name(),
          inode.offset(),
          "a directory with one name",
          "inode %d a second time, as %s".formatted(inode.number(), path));
    }
    visitor.visit(path, inode);
    if (directory) {
      List<Step> inside = new ArrayList<>();
      image.list(
          inode,
          (name, number, type) -> {
            if (!name.equals(DOT) && !name.equals(DOT_DOT)) {
              inside.add(new Step(step, name, number));
            }
            return true;
          });
      inside.reversed().forEach(steps::push);
    }
  }
}
