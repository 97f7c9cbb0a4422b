package dev.xip.image;

import dev.xip.base.FileName;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Walks a tree from a directory down, in image order, following no links. The type of a file is
 * that of its inode, not that of its entry. Terminates on every image: a directory met a second
 * time is damage, since only a damaged image has one under two names. The time grows with the
 * number of files, however deep they lie; a path is built only if a visitor asks for it.
 */
public final class TreeWalk {
  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  private final FsImage image;
  private final Set<Long> directories = new HashSet<>();

  /** Entries still to be visited, the next one first. */
  private final Deque<Step> steps = new ArrayDeque<>();

  /** Holds the current path in its first {@link #pathLength} bytes. */
  private byte[] path = new byte[256];

  private int pathLength;

  /**
   * An entry to be visited.
   *
   * @param folderLength how long the path of its folder is
   * @param name its name; empty for the start
   * @param inode the number of the inode that it names
   */
  private record Step(int folderLength, FileName name, long inode) {}

  private TreeWalk(FsImage image) {
    this.image = image;
  }

  /**
   * Walks.
   *
   * @param image the image
   * @param start where to begin; if it is not a directory, it is the only file visited
   * @param visitor receives the start and everything below it
   * @throws CorruptImageException if a directory has two names in the tree
   * @throws IOException if the image is damaged, or what the visitor threw
   */
  public static void walk(FsImage image, Inode start, TreeVisitor visitor) throws IOException {
    TreeWalk walk = new TreeWalk(image);
    walk.steps.push(new Step(0, FileName.of(""), start.number()));
    while (!walk.steps.isEmpty()) {
      walk.visit(walk.steps.pop(), visitor);
    }
  }

  /**
   * {@return the path of the current file from the start of the walk, without a leading slash;
   * empty for the start}
   */
  public FileName path() {
    return FileName.of(Arrays.copyOf(path, pathLength));
  }

  private void visit(Step step, TreeVisitor visitor) throws IOException {
    setPath(step);
    Inode inode = image.inode(step.inode);
    boolean directory = inode.type() == FileType.DIRECTORY;
    if (directory && !directories.add(inode.number())) {
      throw new CorruptImageException(
          image.name(),
          inode.offset(),
          "a directory with one name",
          "inode %d a second time, as %s".formatted(inode.number(), path()));
    }
    visitor.visit(this, inode);
    if (directory) {
      stepsInto(inode).reversed().forEach(steps::push);
    }
  }

  /** Sets the path to that of a step: the buffer still begins with the path of its folder. */
  private void setPath(Step step) {
    int start = step.folderLength == 0 ? 0 : step.folderLength + 1;
    pathLength = start + step.name.length();
    if (pathLength > path.length) {
      path = Arrays.copyOf(path, 2 * pathLength);
    }
    if (start > 0) {
      path[start - 1] = '/';
    }
    step.name.copyTo(path, start);
  }

  private List<Step> stepsInto(Inode directory) throws IOException {
    List<Step> steps = new ArrayList<>();
    try {
      image.list(
          directory,
          (name, number, type) -> {
            if (!name.equals(DOT) && !name.equals(DOT_DOT)) {
              steps.add(new Step(pathLength, name, number));
            }
            return true;
          });
    } catch (CorruptImageException damage) {
      throw pathLength == 0 ? damage : damage.in(path());
    }
    return steps;
  }
}
