package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Inode;

/**
 * How a directory shows the names of its entries, and by what it tells them apart. Linux
 * counterpart: fs/ext4/namei.c:ext4_match.
 */
interface NameForm {
  /** Names are shown as they stand in the image, and differ if their bytes do. */
  NameForm PLAIN =
      new NameForm() {
        @Override
        public FileName shown(ByteView view, long at) throws MalformedDataException {
          return stored(view, at);
        }

        @Override
        public FileName key(FileName name) {
          return name;
        }
      };

  /**
   * Chooses by the flags of a directory.
   *
   * @param view the image
   * @param superblock its superblock
   * @param directory the directory's inode
   * @param parts where its entries lie
   * @return the form of its names
   * @throws MalformedDataException if the image names an encoding that is not known
   */
  static NameForm of(ByteView view, Superblock superblock, Inode directory, DirectoryParts parts)
      throws MalformedDataException {
    boolean folded = (directory.flags() & ExtLayout.CASEFOLD_FL) != 0;
    if ((directory.flags() & ExtLayout.ENCRYPT_FL) != 0) {
      return HiddenNames.of(view, superblock, parts, folded);
    }
    return folded ? FoldedNames.of(view) : PLAIN;
  }

  /**
   * Returns the name of an entry as a listing shows it.
   *
   * @param view the image
   * @param at the byte offset of an entry whose lengths were checked
   * @return the name
   * @throws MalformedDataException if the entry cannot have such a name
   */
  FileName shown(ByteView view, long at) throws MalformedDataException;

  /**
   * Returns what two shown names must have in common to be the same name.
   *
   * @param name a name as it is shown or looked for
   * @return its key, which is hashed; the name itself if all its bytes count
   */
  FileName key(FileName name);

  /** {@return whether the hash of a name can be computed from what is shown of it} */
  default boolean isHashed() {
    return true;
  }

  /** {@return whether every writer of images hashes a name alike} */
  default boolean isExact() {
    return true;
  }

  /** {@return whether entries hold the hashes of their names} */
  default boolean hashInEntry() {
    return false;
  }

  /**
   * Returns the name of an entry as it stands in the image.
   *
   * @param view the image
   * @param at the byte offset of an entry whose lengths were checked
   * @return the name
   * @throws MalformedDataException if the image ends before
   */
  static FileName stored(ByteView view, long at) throws MalformedDataException {
    return view.name(at + ExtLayout.D_NAME, view.u8(at + ExtLayout.D_NAME_LEN));
  }

  /**
   * Returns the hashes that an entry holds behind its name. Linux counterpart: {@code
   * EXT4_DIRENT_HASHES}.
   *
   * @param view the image
   * @param at the byte offset of an entry whose lengths were checked
   * @return the hash in the upper half, the minor hash in the lower
   * @throws MalformedDataException if the image ends before
   */
  static long storedHash(ByteView view, long at) throws MalformedDataException {
    long hash = at + hashOffset(view.u8(at + ExtLayout.D_NAME_LEN));
    return view.u32(hash) << Integer.SIZE | view.u32(hash + Integer.BYTES);
  }

  /** {@return how far behind the start of an entry its hashes are, with a name of some length} */
  static int hashOffset(int nameLength) {
    return ExtLayout.D_NAME + nameLength + ExtLayout.D_ALIGNMENT - 1 & -ExtLayout.D_ALIGNMENT;
  }
}
