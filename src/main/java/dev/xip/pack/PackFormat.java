package dev.xip.pack;

import dev.xip.pack.ext.NewFormat;
import java.util.Locale;

/** The kinds of image that can be packed, each by its own tool. */
public enum PackFormat {
  /** Ext2 with 4 KiB blocks: every regular file in place, holes kept. */
  EXT2("mke2fs", "e2fsprogs", NewFormat.EXT2),
  /**
   * Ext4 with 4 KiB blocks, extents and neither a journal nor inline data: every regular file in
   * place, holes kept.
   */
  EXT4("mke2fs", "e2fsprogs", NewFormat.EXT4),
  /**
   * EROFS without compression and without inline data: every regular file in place, holes filled.
   */
  EROFS("mkfs.erofs", "erofs-utils", null);

  private final String tool;
  private final String toolPackage;

  /** The kind of image that the writer fills; null if the tool does all. */
  private final NewFormat filled;

  PackFormat(String tool, String toolPackage, NewFormat filled) {
    this.tool = tool;
    this.toolPackage = toolPackage;
    this.filled = filled;
  }

  /** {@return the name as users write it} */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the kind of image that the writer fills; null if the tool does all. */
  NewFormat filled() {
    return filled;
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
