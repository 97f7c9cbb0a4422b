package dev.xip.vfs;

import dev.xip.base.FileName;
import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;

/** A file system: a root and what is below it. Linux counterpart: {@code struct super_block}. */
public interface Tree {
  /** {@return the root, the same at each call} */
  Directory root();

  /** {@return the number that stat(2) tells as the device; no two mounted trees have the same} */
  long device();

  /** {@return the name of its kind, as /proc/mounts tells it} */
  default String kind() {
    return "tmpfs";
  }

  /** {@return whether nothing in it can be changed} */
  default boolean isReadOnly() {
    return false;
  }

  /**
   * {@return what statfs(2) tells}
   *
   * @throws IOException if it cannot be found out
   */
  Usage usage() throws IOException;

  /**
   * {@return the extended attributes of a node as it was made, which belong to the caller}
   *
   * @param node a node of this tree
   * @throws IOException EIO if they cannot be read
   */
  default SortedMap<FileName, byte[]> extended(Node node) throws IOException {
    return new TreeMap<>();
  }

  /** Gives everything back. Precondition: no file of it is open or mapped. */
  default void close() {}

  /**
   * How full a tree is.
   *
   * @param magic the number of its kind (include/uapi/linux/magic.h)
   * @param blocks how many pages it can hold
   * @param free how many of them are free
   * @param files how many nodes it can hold
   * @param freeFiles how many of them are free
   */
  record Usage(long magic, long blocks, long free, long files, long freeFiles) {}
}
