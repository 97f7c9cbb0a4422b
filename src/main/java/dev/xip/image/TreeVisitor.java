package dev.xip.image;

import java.io.IOException;

/** Receives the files of a tree. */
@FunctionalInterface
public interface TreeVisitor {
  /**
   * Receives one file; a directory comes before what is in it.
   *
   * @param walk gives its path, until this returns
   * @param inode the file
   * @throws IOException passed on to the caller of {@link TreeWalk#walk}
   */
  void visit(TreeWalk walk, Inode inode) throws IOException;
}
