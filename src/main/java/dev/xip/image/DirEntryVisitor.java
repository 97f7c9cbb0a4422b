package dev.xip.image;

import dev.xip.base.FileName;
import java.io.IOException;

/** Receives the entries of one directory in image order. */
@FunctionalInterface
public interface DirEntryVisitor {
  /**
   * Receives one entry, {@code .} and {@code ..} included.
   *
   * @param name its name
   * @param inode the number of the inode that it names
   * @param type the type that the entry holds, {@link FileType#UNKNOWN} if it holds none
   * @return true to go on, false to stop
   * @throws IOException passed on to the caller of {@link FsImage#list}
   */
  boolean entry(FileName name, long inode, FileType type) throws IOException;
}
