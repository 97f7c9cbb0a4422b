package dev.xip.vfs;

import dev.xip.base.FileName;
import java.io.IOException;

/** A symbolic link. */
public abstract non-sealed class Link extends Node {
  /**
   * Makes a link.
   *
   * @param tree its tree
   * @param number its inode number
   * @param attributes its attributes
   */
  protected Link(Tree tree, long number, Attributes attributes) {
    super(tree, number, attributes, 1);
  }

  /**
   * {@return what it says, which need not exist}
   *
   * @throws IOException EIO if it cannot be read
   */
  public abstract FileName target() throws IOException;

  /**
   * {@return the node that it leads to whatever its target says, as those in /proc/self/fd; null
   * for an ordinary link}
   *
   * @throws IOException ENOENT if there is none any more
   */
  public Node jump() throws IOException {
    return null;
  }

  @Override
  public long size() {
    try {
      return target().length();
    } catch (IOException e) {
      return 0;
    }
  }
}
