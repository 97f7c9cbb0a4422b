package dev.xip.image;

import java.io.IOException;

/** Sees the files of a tree. */
@FunctionalInterface
public interface TreeVisitor {
  /**
   * Sees one file, before what is in it if it is a directory.
   *
   * @param walk says what its path is, until this returns
   * @param inode the file
   * @throws IOException passed on to the caller of {@link TreeWalk#walk}
   */
  void visit(TreeWalk walk, Inode inode) throws IOException;
}
