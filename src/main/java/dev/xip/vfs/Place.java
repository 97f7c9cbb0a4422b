package dev.xip.vfs;

import dev.xip.base.FileName;
import java.io.IOException;

/**
 * Where a path ends.
 *
 * @param parent the directory that holds the last entry
 * @param last the name of the last entry; {@code .}, {@code ..} or empty if the path ends with no
 *     other
 * @param node what the path names, null if there is none or it was not looked up
 * @param slash whether the path ends with a slash behind a name, which demands a directory
 */
record Place(Directory parent, FileName last, Node node, boolean slash) {
  /** Whether the last entry is one that can be made or removed. */
  boolean isEntry() {
    return last.length() > 0 && !last.equals(PathWalk.DOT) && !last.equals(PathWalk.DOT_DOT);
  }

  /** Looks the last entry up; null if there is none. */
  Node find() throws IOException {
    PathWalk.requireLength(last);
    return parent.find(last);
  }
}
