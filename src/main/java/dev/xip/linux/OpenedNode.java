package dev.xip.linux;

import dev.xip.image.FileType;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Special;
import dev.xip.vfs.Tree;

/** A pipe or stream that has no name but in /proc/PID/fd; opened, it is the same open file. */
final class OpenedNode extends Special {
  private final OpenFile file;

  OpenedNode(Tree tree, OpenFile file) {
    super(
        tree,
        file.number(),
        Attributes.of(file instanceof StreamSocket ? FileType.SOCKET : FileType.FIFO, 0600),
        0,
        0);
    this.file = file;
  }

  OpenFile file() {
    return file;
  }
}
