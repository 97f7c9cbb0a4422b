package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Each kind of damage is reported with the place, what was expected there and what was found. */
class DamagedExtImageTest extends DamagedImage {
  private static final int DIND = ExtLayout.I_BLOCK + 13 * 4;
  private static final int IND = ExtLayout.I_BLOCK + 12 * 4;

  private void assertReadingRefuses(String path, long offset, String expected, String found) {
    assertDamage(() -> open().blockMap(inode(path)), offset, expected, found);
  }

  private void assertListingRefuses(long offset, String expected, String found) {
    assertDamage(
        () -> open().list(open().root(), (name, inode, type) -> true), offset, expected, found);
  }

  @Test
  void anInodeTableOutsideTheImageIsRefused() {
    int field = 4096 + ExtLayout.BG_INODE_TABLE;
    for (int block : new int[] {0, 1, image.length / 4096 - 1, -1}) {
      bytes.putInt(field, block);
      assertDamage(
          () -> open().root(),
          field,
          "an inode table of",
          "block " + Integer.toUnsignedString(block));
    }
  }

  @Test
  void inodeNumbersThatNameNothingAreRefused() {
    int count = SUPERBLOCK + ExtLayout.S_INODES_COUNT;
    int inodes = bytes.getInt(count);
    String range = "an inode number of 1.." + inodes;
    assertDamage(() -> open().inode(0), count, range, "inode number 0");
    assertDamage(() -> open().inode(-1), count, range, "inode number -1");
    assertDamage(() -> open().inode(inodes + 1L), count, range, "inode number " + (inodes + 1));
    assertDamage(() -> open().inode(7), SUPERBLOCK + ExtLayout.S_FIRST_INO, "from 11 on", "7");
  }

  @Test
  void anInodeThatIsNotInUseIsRefused() throws IOException {
    int at = offset("hello.txt");
    bytes.putShort(at + ExtLayout.I_LINKS_COUNT, (short) 0);
    bytes.putInt(at + ExtLayout.I_DTIME, 1);
    assertDamage(() -> inode("hello.txt"), at, "in use", "deleted");
  }

  @Test
  void damagedInodesAreRefused() throws IOException {
    int at = offset("hello.txt");
    inodeRefuses(at, ExtLayout.I_MODE, 0xf000_0000 | 0x31a4, "a mode that names a type", "0x31a4");
    inodeRefuses(at, ExtLayout.I_FLAGS, 0x800, "no flag 0x800", "0x800");
    inodeRefuses(at, ExtLayout.I_EXTRA_ISIZE, 132, "a multiple of 4 up to 128", "132");
    inodeRefuses(at, ExtLayout.I_EXTRA_ISIZE, 2, "a multiple of 4 up to 128", "2");
  }

  private void inodeRefuses(int at, int field, int value, String expected, String found) {
    int was = bytes.getInt(at + field);
    bytes.putInt(at + field, value);
    assertDamage(() -> inode("hello.txt"), at + field, expected, found);
    bytes.putInt(at + field, was);
  }

  @Test
  void aFileLongerThanABlockTreeIsRefused() throws IOException {
    int at = offset("hello.txt");
    bytes.putInt(at + ExtLayout.I_SIZE_HIGH, 0x7fff_ffff);
    assertDamage(
        () -> inode("hello.txt"),
        at + ExtLayout.I_SIZE,
        "at most 0x4010040c000",
        "0x7fffffff00000006");
  }

  @Test
  void aRootThatIsNoDirectoryIsRefused() throws IOException {
    int at = (int) open().root().offset();
    bytes.putShort(at + ExtLayout.I_MODE, (short) 0x81a4);
    assertDamage(() -> open().root(), at, "the root directory", "type -");
  }

  @Test
  void aBlockPastTheEndIsRefused() throws IOException {
    int pointer = offset("hello.txt") + ExtLayout.I_BLOCK;
    bytes.putInt(pointer, image.length / 4096);
    assertReadingRefuses("hello.txt", pointer, "a block number of", "" + image.length / 4096);
    bytes.putInt(pointer, -1);
    assertReadingRefuses("hello.txt", pointer, "a block number of", "4294967295");
  }

  @Test
  void aBlockAmongTheGroupDescriptorsIsRefused() throws IOException {
    int pointer = offset("hello.txt") + ExtLayout.I_BLOCK;
    bytes.putInt(pointer, 1);
    assertReadingRefuses("hello.txt", pointer, "a block number of 2..", "1");
  }

  @Test
  void anIndirectBlockThatPointsToItselfIsRefused() throws IOException {
    int at = offset("holes");
    int indirect = bytes.getInt(at + DIND);
    bytes.putInt(indirect * 4096, indirect);
    assertReadingRefuses("holes", indirect * 4096L, "not used yet", "block " + indirect + " again");
  }

  @Test
  void anIndirectBlockMetTwiceIsRefused() throws IOException {
    int at = offset("holes");
    bytes.putInt(at + IND, bytes.getInt(at + DIND));
    assertReadingRefuses("holes", at + DIND, "not used yet", "again");
  }

  @Test
  void aTreeOfLoopsAsLargeAsFilesGetEnds() throws IOException {
    int at = offset("holes");
    int indirect = bytes.getInt(at + DIND);
    for (int i = 0; i < 1024; i++) {
      bytes.putInt(indirect * 4096 + 4 * i, 1000 + i % 100);
    }
    bytes.putInt(at + DIND + 4, indirect);
    bytes.putInt(at + ExtLayout.I_SIZE, 0);
    bytes.putInt(at + ExtLayout.I_SIZE_HIGH, 0x400);
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> open().blockMap(inode("holes")));
  }

  @Test
  void aDataBlockNamedTwiceIsRefused() throws IOException {
    int tree = offset("two-pages") + ExtLayout.I_BLOCK;
    bytes.putInt(tree + 4, bytes.getInt(tree));
    assertReadingRefuses(
        "two-pages", tree, "each block once", "block %d twice".formatted(bytes.getInt(tree)));
  }

  @Test
  void aDataBlockThatIsAnIndirectBlockTooIsRefused() throws IOException {
    int at = offset("indirect");
    bytes.putInt(at + ExtLayout.I_BLOCK, bytes.getInt(at + IND));
    assertReadingRefuses("indirect", at + ExtLayout.I_BLOCK, "each block once", "twice");
  }

  @Test
  void damagedDirectoryEntriesAreRefused() throws IOException {
    int at = block("/");
    int length = at + ExtLayout.D_REC_LEN;
    entryRefuses(length, 0, "a directory entry of 12..4096 bytes", "one of 0");
    entryRefuses(length, 8, "a directory entry of 12..4096 bytes", "one of 8");
    entryRefuses(length, 14, "a multiple of 4", "one of 14");
    entryRefuses(length, 4100, "a directory entry of 12..4096 bytes", "one of 4100");
    entryRefuses(length, 4092, "a directory entry of 12..4 bytes", "one of 0", at + 4096);
    int name = at + ExtLayout.D_NAME_LEN;
    entryRefuses(name, 5 | 2 << 8, "a name of 1..4 bytes", "one of 5");
    entryRefuses(name, 2 << 8, "a name of 1..4 bytes", "one of 0");
    entryRefuses(at + ExtLayout.D_NAME, '/', "a name without slash or NUL", "0x2f");
    entryRefuses(at + ExtLayout.D_NAME, 0, "a name without slash or NUL", "0x00");
  }

  private void entryRefuses(int at, int value, String expected, String found) {
    entryRefuses(at, value, expected, found, at);
  }

  private void entryRefuses(int at, int value, String expected, String found, int end) {
    short was = bytes.getShort(at);
    bytes.putShort(at, (short) value);
    assertListingRefuses(end == at ? at : end - 4 + ExtLayout.D_REC_LEN, expected, found);
    bytes.putShort(at, was);
  }

  private int entry(String name) throws IOException {
    for (int at = block("/"); ; at += bytes.getShort(at + ExtLayout.D_REC_LEN)) {
      int length = bytes.get(at + ExtLayout.D_NAME_LEN);
      if (name.equals(new String(image, at + ExtLayout.D_NAME, length))) {
        return at;
      }
    }
  }

  private void rename(String from, String to) throws IOException {
    byte[] name = to.getBytes();
    int at = entry(from);
    bytes.put(at + ExtLayout.D_NAME_LEN, (byte) name.length);
    bytes.put(at + ExtLayout.D_NAME, name);
  }

  @Test
  void aNameThatADirectoryHoldsTwiceIsRefused() throws IOException {
    for (String[] names :
        new String[][] {{"hello.txt", "two-pages"}, {"two-pages", "."}, {"hello.txt", ".."}}) {
      copyTheSoundImage();
      int one = entry(names[0]);
      int other = entry(names[1]);
      rename(names[0], names[1]);
      int first = Math.min(one, other);
      int second = Math.max(one, other);
      assertListingRefuses(
          second,
          "each name once in directory inode 2",
          "%s for inode %d, as at byte 0x%x for inode %d"
              .formatted(names[1], bytes.getInt(second), first, bytes.getInt(first)));
      assertThat(open().find(open().root(), FileName.of(names[1]))).isEqualTo(bytes.getInt(first));
    }
  }

  @Test
  void namesThatDifferInCaseAreTwoNames() throws IOException {
    rename("hello.txt", "Two-Pages");
    assertThat(inode("Two-Pages").number()).isNotEqualTo(inode("two-pages").number());
    open().list(open().root(), (name, inode, type) -> true);
  }

  @Test
  void anEntryThatNamesAnInodePastTheEndIsRefused() throws IOException {
    int at = block("/");
    bytes.putInt(at, -2);
    assertListingRefuses(at, "an inode number of at most", "4294967294");
  }

  @Test
  void aHoleInADirectoryIsRefused() throws IOException {
    int at = (int) open().root().offset() + ExtLayout.I_BLOCK;
    bytes.putInt(at, 0);
    assertListingRefuses(at, "a block for byte 0x0 of directory inode 2", "a hole");
  }

  @Test
  void damagedLinksAreRefused() throws IOException {
    int fast = offset("link");
    linkRefuses("link", fast + ExtLayout.I_SIZE, 60, "a fast link of 1..59 bytes", "one of 60");
    linkRefuses("link", fast + ExtLayout.I_SIZE, 0, "a fast link of 1..59 bytes", "one of 0");
    linkRefuses("link", fast + ExtLayout.I_BLOCK + 4, 0, "a target of 16 bytes", "its end");
    int slow = offset("slow");
    linkRefuses("slow", slow + ExtLayout.I_SIZE, 4096, "a slow link of 1..4095 bytes", "4096");
    linkRefuses("slow", slow + ExtLayout.I_BLOCK, 0, "a block for byte 0x0 of inode", "a hole");
  }

  private void linkRefuses(String path, int at, int value, String expected, String found) {
    int was = bytes.getInt(at);
    bytes.putInt(at, value);
    assertDamage(() -> open().readLink(inode(path)), at, expected, found);
    bytes.putInt(at, was);
  }

  @Test
  void damageInOneFileLeavesTheOthersReadable() throws IOException {
    bytes.putInt(offset("hello.txt") + ExtLayout.I_BLOCK, -1);
    byte[] read = new byte[8192];
    ExtImage damaged = open();
    long count = FileContent.of(damaged, inode("two-pages")).read(0, MemorySegment.ofArray(read));
    assertThat(count).isEqualTo(8192);
  }
}
