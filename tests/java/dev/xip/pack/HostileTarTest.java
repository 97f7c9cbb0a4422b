package dev.xip.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Processes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives that tar(1) does not make of plain folders, and such that no honest program makes. */
class HostileTarTest {
  private static final int BLOCK = 512;

  @TempDir Path folder;
  private final ByteArrayOutputStream archive = new ByteArrayOutputStream();

  /** Adds an entry; its bytes are the text. */
  private void entry(char type, String name, String link, String text) {
    byte[] header = new byte[BLOCK];
    put(header, 0, name);
    put(header, 100, "0000644");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, "%011o".formatted(text.length()));
    put(header, 136, "00000000000");
    header[156] = (byte) type;
    put(header, 157, link);
    put(header, 257, "ustar\00000");
    put(header, 329, "0000001");
    put(header, 337, "0000003");
    archive.writeBytes(summed(header));
    byte[] bytes = new byte[Math.ceilDiv(text.length(), BLOCK) * BLOCK];
    put(bytes, 0, text);
    archive.writeBytes(bytes);
  }

  private static void put(byte[] to, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(bytes, 0, to, at, bytes.length);
  }

  /** Adds a record for the next entry. */
  private void record(String key, String value) {
    String rest = " %s=%s\n".formatted(key, value);
    int length = rest.length() + 2;
    length += Integer.toString(length).length() - 2;
    entry('x', "record", "", length + rest);
  }

  private void file(String name, String text) {
    entry('0', name, "", text);
  }

  private PackReport pack(String... excluded) throws IOException, InterruptedException {
    archive.writeBytes(new byte[2 * BLOCK]);
    Path tar = Files.write(folder.resolve("a.tar"), archive.toByteArray());
    PackOptions options =
        new PackOptions(PackFormat.EXT4, List.of(excluded), PackOptions.KEPT, PackOptions.KEPT);
    PackReport report =
        Packer.packTar(tar, folder.resolve("image"), options, ProgressListener.NONE);
    Processes.run("e2fsck", "-fn", report.image().toString());
    return report;
  }

  private void assertRefused(String message) {
    assertThatThrownBy(() -> pack())
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining(message);
    assertThat(folder.resolve("image")).doesNotExist();
    archive.reset();
  }

  private static Inode inode(OpenImage image, String path) throws IOException {
    return PathResolver.resolve(image.image(), path, false);
  }

  private static String text(OpenImage image, String path) throws IOException {
    Inode inode = inode(image, path);
    byte[] bytes = new byte[(int) inode.size()];
    FileContent.of(image.image(), inode).read(0, MemorySegment.ofArray(bytes));
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  @Test
  void aHardLinkKeepsTheBytesThatItsNameHadBefore() throws Exception {
    file("a", "old");
    entry('1', "b", "a", "");
    file("a", "newer");
    try (OpenImage image = OpenImage.open(pack().image())) {
      assertThat(text(image, "/a")).isEqualTo("newer");
      assertThat(text(image, "/b")).isEqualTo("old");
      assertThat(inode(image, "/b").links()).isEqualTo(1);
    }
  }

  @Test
  void hardLinksToLinksAndToLaterEntriesAreNamesOfOneFile() throws Exception {
    entry('1', "first", "second", "");
    entry('1', "second", "file", "");
    file("file", "bytes");
    entry('1', "third", "first", "");
    try (OpenImage image = OpenImage.open(pack().image())) {
      for (String each : new String[] {"/first", "/second", "/file", "/third"}) {
        assertThat(inode(image, each).number()).isEqualTo(inode(image, "/file").number());
      }
      assertThat(inode(image, "/file").links()).isEqualTo(4);
    }
    Files.delete(folder.resolve("image"));
    archive.reset();
    entry('1', "a", "b", "");
    entry('1', "b", "a", "");
    assertRefused("is a link to b, which is no file of the archive");
    entry('5', "folder/", "", "");
    entry('1', "a", "folder", "");
    assertRefused("is a link to folder, which is no file of the archive");
  }

  @Test
  void aHardLinkToAFileThatIsLeftOutHasItsBytes() throws Exception {
    file("sub/left.o", "bytes");
    entry('1', "kept", "sub/left.o", "");
    try (OpenImage image = OpenImage.open(pack("*.o").image())) {
      assertThat(text(image, "/kept")).isEqualTo("bytes");
      assertThatThrownBy(() -> inode(image, "/sub/left.o")).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aSlashAtTheEndOfAnExcludedNameChangesNothing() throws Exception {
    for (String each : new String[] {"a/build/x", "build/x", "kept", "c/d/x", "e/c/d"}) {
      file(each, "bytes");
    }
    try (OpenImage image = OpenImage.open(pack("build/", "./c/d//").image())) {
      assertThat(inode(image, "/kept").size()).isEqualTo(5);
      assertThat(inode(image, "/e/c/d").size()).isEqualTo(5);
      for (String each : new String[] {"/a/build", "/build", "/c/d"}) {
        assertThatThrownBy(() -> inode(image, each)).isInstanceOf(IOException.class);
      }
    }
  }

  private PackReport packAsItIs(int bytes) throws IOException, InterruptedException {
    Path tar = Files.write(folder.resolve("a.tar"), Arrays.copyOf(archive.toByteArray(), bytes));
    return Packer.packTar(
        tar, folder.resolve("image"), PackOptions.of(PackFormat.EXT4), ProgressListener.NONE);
  }

  @Test
  void anArchiveThatEndsInsideABlockIsRefused() {
    file("a", "bytes");
    file("b", "bytes");
    for (int bytes : new int[] {700, 2 * BLOCK - 1, 2 * BLOCK + 1, 3 * BLOCK + 5, 4 * BLOCK - 1}) {
      assertThatThrownBy(() -> packAsItIs(bytes))
          .as("%d bytes", bytes)
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("is no whole tar archive");
    }
    record("path", "named");
    assertThatThrownBy(() -> packAsItIs(6 * BLOCK)).hasMessageContaining("found the end");
    assertThat(folder.resolve("image")).doesNotExist();
  }

  @Test
  void anArchiveWithoutItsEndMarkIsPackedWithAWord() throws Exception {
    file("a", "bytes");
    file("b", "bytes");
    PackReport report = packAsItIs(2 * BLOCK);
    assertThat(report.losses())
        .extracting(PackReport.Loss::what)
        .containsExactly(
            "anything behind byte 0x400, where it ends without its mark, two blocks of zeros");
    assertThat(report.files()).isEqualTo(1);
  }

  @Test
  void anOwnerInBinaryDigitsIsReadWhole() throws Exception {
    ByteBuffer owned = ByteBuffer.wrap(headerOf("a"));
    owned.putLong(108, 1L << 63 | 0xffff_fffeL).putLong(116, 1L << 63 | 0x8000_0000L);
    archive.writeBytes(summed(owned.array()));
    try (OpenImage image = OpenImage.open(pack().image())) {
      assertThat(inode(image, "/a").uid()).isEqualTo(0xffff_fffeL);
      assertThat(inode(image, "/a").gid()).isEqualTo(0x8000_0000L);
    }
    Files.delete(folder.resolve("image"));
    archive.reset();
    owned.putLong(108, 1L << 63 | (1L << 32) + 5);
    archive.writeBytes(summed(owned.array()));
    assertRefused("has the owner 4294967301");
  }

  private byte[] headerOf(String name) {
    file(name, "");
    byte[] header = archive.toByteArray();
    archive.reset();
    return header;
  }

  private static byte[] summed(byte[] header) {
    put(header, 148, " ".repeat(8));
    int sum = 0;
    for (byte each : header) {
      sum += each & 0xff;
    }
    put(header, 148, "%06o\0".formatted(sum));
    return header;
  }

  @Test
  void aHeaderWithAnotherSumIsRefused() {
    file("a", "bytes");
    byte[] bytes = archive.toByteArray();
    bytes[0] = 'b';
    archive.reset();
    archive.writeBytes(bytes);
    assertRefused("expected a header with the sum");
  }

  @Test
  void aNulIsInNoNameAndNoTarget() throws Exception {
    record("path", "a\0b");
    file("a", "");
    assertRefused("a: goes on with a NUL");
    record("linkpath", "a\0b");
    entry('2', "a", "b", "");
    assertRefused("is a link to a path with a NUL");
    record("SCHILY.xattr.user.a\0b", "value");
    file("a", "");
    assertThat(pack().losses())
        .extracting(PackReport.Loss::what)
        .singleElement()
        .asString()
        .contains("its attribute user.a");
  }

  @Test
  void aRecordLargerThanTheMemoryIsRefusedUnread() throws Exception {
    for (char type : new char[] {'x', 'L', 'g'}) {
      byte[] header = headerOf("long");
      header[156] = (byte) type;
      put(header, 124, "37777777777");
      Path tar = Files.write(folder.resolve("large.tar"), summed(header));
      try (RandomAccessFile sparse = new RandomAccessFile(tar.toFile(), "rw")) {
        sparse.setLength((8L << 30) + 2 * BLOCK);
      }
      assertThatThrownBy(() -> TarTree.look(tar, PackOptions.of(PackFormat.EXT4)))
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("expected an extended header of at most");
    }
  }

  @Test
  void entriesThatAreNoFilesBecomeNone() throws Exception {
    entry('V', "Name of the archive", "", "");
    entry('D', "folder/", "", "Yfirst\0Ysecond\0");
    file("folder/first", "bytes");
    try (OpenImage image = OpenImage.open(pack().image())) {
      assertThat(text(image, "/folder/first")).isEqualTo("bytes");
      assertThat(image.image().info().inodes() - image.image().info().freeInodes()).isEqualTo(12);
    }
    Files.delete(folder.resolve("image"));
    archive.reset();
    entry('M', "rest", "", "bytes");
    assertRefused("rest: begins in another archive");
  }

  @Test
  void aMapOfASparseFileThatCannotBeTrueIsRefused() {
    String[] maps = {
      "0,3,2,1", "5,1,0,3", "0,2", "0,4,9,-1", "0,9999999999999999999", "8,4", "a,4"
    };
    for (String map : maps) {
      record("GNU.sparse.size", "10");
      record("GNU.sparse.map", map);
      file("sparse", "four");
      assertRefused("is no whole tar archive that can be packed");
    }
    for (String lines : new String[] {"", "1\n", "999999999\n0\n4\n", "1\n0\n4", "-1\n"}) {
      archive.reset();
      record("GNU.sparse.major", "1");
      record("GNU.sparse.realsize", "10");
      file("sparse", lines);
      assertRefused("is no whole tar archive that can be packed");
    }
  }

  @Test
  void aGlobalRecordCountsForEachEntryThatHasNoneOfItsOwn() throws Exception {
    file("before", "");
    entry('g', "global", "", "10 uid=77\n10 gid=88\n");
    file("a", "");
    record("uid", "5");
    file("b", "");
    file("c", "");
    try (OpenImage image = OpenImage.open(pack().image())) {
      for (String each : new String[] {"/before 0 0", "/a 77 88", "/b 5 88", "/c 77 88"}) {
        String[] words = each.split(" ");
        Inode inode = inode(image, words[0]);
        assertThat(inode.uid() + " " + inode.gid()).isEqualTo(words[1] + " " + words[2]);
      }
    }
  }

  @Test
  void aRecordWithAWrongValueIsNamed() {
    String[] wrong = {"mtime=1e308", "mtime=99999999999999999999", "size=-5", "size=abc", "uid=x"};
    for (String each : wrong) {
      int equals = each.indexOf('=');
      String key = each.substring(0, equals);
      String value = each.substring(equals + 1);
      record(key, value);
      file("a", "");
      assertRefused("expected a value of the record %s, found %s".formatted(key, value));
    }
  }

  @Test
  void aDeviceNumberThatTheKernelCannotHaveIsRefused() throws Exception {
    record("SCHILY.devmajor", "4096");
    entry('3', "device", "", "");
    assertRefused("has the device number 4096:3");
    entry('3', "device", "", "");
    try (OpenImage image = OpenImage.open(pack().image())) {
      assertThat(inode(image, "/device").deviceMajor()).isEqualTo(1);
    }
  }

  @Test
  void aLabelOfGnuTarIsKeptAndAnAttributeOfBsdtarNamed() throws Exception {
    record("RHT.security.selinux", "system_u:object_r:etc_t:s0");
    file("labelled", "");
    record("LIBARCHIVE.xattr.user.a", "YQ");
    file("encoded", "");
    PackReport report = pack();
    assertThat(report.losses())
        .extracting(each -> each.path().toString())
        .singleElement()
        .asString()
        .endsWith("a.tar:encoded");
    try (OpenImage image = OpenImage.open(report.image())) {
      byte[] label =
          image
              .image()
              .extendedAttributes(inode(image, "/labelled"))
              .get(FileName.of("security.selinux"));
      assertThat(label).asString(StandardCharsets.UTF_8).isEqualTo("system_u:object_r:etc_t:s0");
    }
  }
}
