package dev.xip.vfs;

import dev.xip.base.FileName;
import dev.xip.image.FileType;

/**
 * What a node that is to be made is.
 *
 * @param type its type
 * @param permissions the low twelve bits of its mode
 * @param major the major number of a device, else 0
 * @param minor the minor number of a device, else 0
 * @param target what a symbolic link says, else null
 */
public record NewNode(FileType type, int permissions, int major, int minor, FileName target) {
  /**
   * {@return a regular file, directory, fifo or socket}
   *
   * @param type its type
   * @param permissions the low twelve bits of its mode
   */
  public static NewNode of(FileType type, int permissions) {
    return new NewNode(type, permissions, 0, 0, null);
  }

  /**
   * {@return a symbolic link}
   *
   * @param target what it says
   */
  public static NewNode link(FileName target) {
    return new NewNode(FileType.SYMLINK, 0777, 0, 0, target);
  }
}
