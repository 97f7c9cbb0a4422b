package dev.xip.image;

import dev.xip.base.FileName;
import java.io.IOException;

/** Sees the entries of one directory in the order in which the image holds them. */
@FunctionalInterface
public interface DirEntryVisitor {
  /**
   * Sees one entry. The names {@code .} and {@code ..} are shown like any other.
   *
   * @param name its name
   * @param inode the number of the inode that it names
   * @param type the type that the entry claims, {@link FileType#UNKNOWN} where it does not say
   * @return true to go on, false to stop
   * @throws IOException passed on to the caller of {@link FsImage#list}
   */
  boolean entry(FileName name, long inode, FileType type) throws IOException;
}
