package dev.xip.base;

/**
 * Access rights, printed as {@code rwx} with a dash for each that is missing.
 *
 * @param read whether bytes may be read
 * @param write whether bytes may be written
 * @param execute whether bytes may be executed
 */
public record Access(boolean read, boolean write, boolean execute) {
  /** No right at all. */
  public static final Access NONE = new Access(false, false, false);

  /** Reading. */
  public static final Access READ = new Access(true, false, false);

  /** Reading and writing. */
  public static final Access READ_WRITE = new Access(true, true, false);

  /** Reading and executing. */
  public static final Access READ_EXECUTE = new Access(true, false, true);

  /** Writing: the right that a store needs. */
  public static final Access WRITE = new Access(false, true, false);

  /** Executing: the right that an instruction fetch needs. */
  public static final Access EXECUTE = new Access(false, false, true);

  @Override
  public String toString() {
    return (read ? "r" : "-") + (write ? "w" : "-") + (execute ? "x" : "-");
  }
}
