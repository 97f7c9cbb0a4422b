package dev.xip.pack;

/** The kinds of image that can be packed, each by its own tool. */
public enum PackFormat {
  /** Ext2 with 4 KiB blocks: every regular file in place, holes kept. */
  EXT2("mke2fs", "e2fsprogs"),
  /**
   * EROFS without compression and without inline data: every regular file in place, holes filled.
   */
  EROFS("mkfs.erofs", "erofs-utils");

  private final String tool;
  private final String toolPackage;

  PackFormat(String tool, String toolPackage) {
    this.tool = tool;
    this.toolPackage = toolPackage;
  }

  /**
   * Returns the program that makes such images.
   *
   * @return its name
   */
  public String tool() {
    return tool;
  }

  /**
   * Returns where the program comes from.
   *
   * @return the name of the package in Debian and most other distributions
   */
  public String toolPackage() {
    return toolPackage;
  }
}
