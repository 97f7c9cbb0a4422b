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

  /** {@return the program that makes such images} */
  public String tool() {
    return tool;
  }

  /** {@return the package of the program in Debian and most other distributions} */
  public String toolPackage() {
    return toolPackage;
  }
}
