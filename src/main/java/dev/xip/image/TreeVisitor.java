package dev.xip.image;

import dev.xip.base.FileName;
import java.io.IOException;

/** Sees the files of a tree. */
@FunctionalInterface
public interface TreeVisitor {
  /**
   * Sees one file, before what is in it if it is a directory.
   *
   * @param path its path from where the walk began, without a leading slash; empty for the start
   * @param inode the file
   * @throws IOException passed on to the caller of {@link TreeWalk#walk}
   */
  void visit(FileName path, Inode inode) throws IOException;
}
