package dev.xip.mount;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The contents of one directory with their inodes and link targets. */
public final class DirectoryListing {
  private DirectoryListing() {}

  /**
   * One name.
   *
   * @param name the name
   * @param inode what it names
   * @param target where it leads if it is a symbolic link, else null
   */
  public record Entry(FileName name, Inode inode, FileName target) {
    /**
     * Makes an entry.
     *
     * @param image the image
     * @param name the name
     * @param inode its inode
     * @return the entry, with the target of a symbolic link read
     * @throws IOException if the image is damaged
     */
    public static Entry of(FsImage image, FileName name, Inode inode) throws IOException {
      return new Entry(
          name, inode, inode.type() == FileType.SYMLINK ? image.readLink(inode) : null);
    }
  }

  /**
   * Lists a directory.
   *
   * @param image the image
   * @param directory the directory's inode
   * @return its entries sorted by bytes, without {@code .} and {@code ..}
   * @throws java.nio.file.NotDirectoryException if the inode is not a directory
   * @throws IOException if the image is damaged
   */
  public static List<Entry> of(FsImage image, Inode directory) throws IOException {
    List<Entry> entries = new ArrayList<>();
    image.list(
        directory,
        (name, number, type) -> {
          if (!name.equals(FileName.of(".")) && !name.equals(FileName.of(".."))) {
            entries.add(Entry.of(image, name, image.inode(number)));
          }
          return true;
        });
    entries.sort(Comparator.comparing(Entry::name));
    return entries;
  }
}
