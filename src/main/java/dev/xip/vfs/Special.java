package dev.xip.vfs;

/**
 * A device, named by its number, a fifo or a socket. What opening it means is not the tree's
 * affair.
 */
public non-sealed class Special extends Node {
  private final int major;
  private final int minor;

  /** What is behind a fifo while it is open. Guarded by the monitor of the opener. */
  private Object state;

  /**
   * Makes a device, a fifo or a socket.
   *
   * @param tree its tree
   * @param number its inode number
   * @param attributes its attributes, with the type
   * @param major the major number of a device, else 0
   * @param minor the minor number of a device, else 0
   */
  public Special(Tree tree, long number, Attributes attributes, int major, int minor) {
    super(tree, number, attributes, 1);
    this.major = major;
    this.minor = minor;
  }

  /** {@return the major number of a device, else 0} */
  public int major() {
    return major;
  }

  /** {@return the minor number of a device, else 0} */
  public int minor() {
    return minor;
  }

  /** {@return what {@link #setState} has set last, null at first} */
  public Object state() {
    return state;
  }

  /**
   * Keeps what the opener needs, such as the pipe behind a fifo.
   *
   * @param state anything
   */
  public void setState(Object state) {
    this.state = state;
  }

  @Override
  public long size() {
    return 0;
  }
}
