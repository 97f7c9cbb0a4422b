package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.image.erofs.SmallErofs.Attribute;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Allocations;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.MountedTree;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of every block size, with fields of 32 and of 48 bits, are read as they were written. */
class ErofsLayoutTest {
  private static final int USER = 1;
  private static final int ACCESS_LIST = 2;
  private static final int DEFAULT_LIST = 3;
  private static final int TRUSTED = 4;
  private static final int SECURITY = 6;

  /** A list with the user 1234, the group 77 and a mask; the owner has an id that is ignored. */
  private static final String LIST =
      "02000000 0100060000000000 02000700d2040000 04000500ffffffff 080004004d000000"
          + " 10000500ffffffff 20000000ffffffff";

  /** The long value lies across blocks of 512 bytes; the default list has no entry. */
  private static final List<Attribute> OWN =
      List.of(
          new Attribute(USER, "a", bytes(700)),
          new Attribute(USER, "ümlaut", new byte[0]),
          new Attribute(ACCESS_LIST, "", HexFormat.of().parseHex(LIST.replace(" ", ""))),
          new Attribute(DEFAULT_LIST, "", new byte[] {2, 0, 0, 0}),
          new Attribute(TRUSTED, "t", bytes(3)),
          new Attribute(SECURITY, "selinux", bytes(31)),
          new Attribute(0x80, "own", bytes(5)),
          new Attribute(0x81, "opaque", bytes(1)),
          new Attribute(0x82, "", bytes(2)));

  private static final List<Attribute> SHARED =
      List.of(
          new Attribute(USER, "shared", bytes(9)),
          new Attribute(SECURITY, "s", bytes(10)),
          new Attribute(0x80, "shared", bytes(11)));

  @TempDir Path folder;

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static SmallErofs image(int shift, boolean wide) {
    return new SmallErofs(shift, wide)
        .plain("plain", bytes((1 << shift) + 100))
        .tail("tail", bytes(2 << shift))
        .hole("hole", 100_000)
        .chunks("chunks", bytes(1 << shift));
  }

  /** Fsck.erofs 1.5 refuses long prefixes. */
  private static SmallErofs withAttributes(SmallErofs image) {
    return image
        .prefixes("\1a long prefix.", "\4overlay.", "\6whole")
        .attributes("attributes", OWN, SHARED);
  }

  private static byte[] read(ErofsImage image, String path) throws IOException {
    Inode inode = PathResolver.resolve(image, path, true);
    byte[] read = new byte[(int) inode.size() + 1];
    long count = FileContent.of(image, inode).read(0, MemorySegment.ofArray(read));
    assertThat(count).isEqualTo(inode.size());
    return Arrays.copyOf(read, (int) count);
  }

  private static Verdict verdict(ErofsImage image, String path) throws IOException {
    return image.blockMap(PathResolver.resolve(image, path, true)).verdict();
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 10, 11, 12, 13, 14, 15, 16})
  void everyBlockSizeIsRead(int shift) throws IOException {
    for (boolean wide : new boolean[] {false, true}) {
      ErofsImage image =
          ErofsImage.open("small.img", MemorySegment.ofArray(image(shift, wide).build()));
      int size = 1 << shift;
      assertThat(image.info().blockSize()).isEqualTo(size);
      assertThat(read(image, "plain")).isEqualTo(bytes(size + 100));
      byte[] tail = read(image, "tail");
      assertThat(Arrays.copyOf(tail, 2 * size)).isEqualTo(bytes(2 * size));
      assertThat(new String(tail, 2 * size, tail.length - 2 * size, StandardCharsets.UTF_8))
          .isEqualTo(SmallErofs.TAIL);
      assertThat(read(image, "hole")).isEqualTo(new byte[100_000]);
      byte[] chunks = Arrays.copyOf(bytes(size), 3 * size);
      System.arraycopy(bytes(size), 0, chunks, 2 * size, size);
      assertThat(read(image, "chunks")).isEqualTo(chunks);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 12, 16})
  void attributesBehindAnInodeSharedOnesAndLongPrefixesAreRead(int shift) throws IOException {
    ErofsImage image =
        ErofsImage.open(
            "small.img", MemorySegment.ofArray(withAttributes(image(shift, false)).build()));
    SortedMap<FileName, byte[]> read =
        image.extendedAttributes(PathResolver.resolve(image, "attributes", true));
    assertThat(read.keySet())
        .map(FileName::toString)
        .containsExactly(
            "security.s",
            "security.selinux",
            "security.whole",
            "system.posix_acl_access",
            "trusted.overlay.opaque",
            "trusted.t",
            "user.a",
            "user.a long prefix.own",
            "user.a long prefix.shared",
            "user.shared",
            "user.ümlaut");
    assertThat(read.get(FileName.of("system.posix_acl_access")))
        .isEqualTo(
            HexFormat.of()
                .parseHex(LIST.replace(" 0100060000000000", "01000600ffffffff").replace(" ", "")));
    assertThat(read.get(FileName.of("user.a"))).isEqualTo(bytes(700));
    assertThat(read.get(FileName.of("user.a long prefix.shared"))).isEqualTo(bytes(11));
  }

  @ParameterizedTest
  @ValueSource(strings = {"01000000", "0200000001000600", "02000000 03000600ffffffff", "0200"})
  void anAccessListOfAnotherFormIsDamage(String list) throws IOException {
    Attribute attribute =
        new Attribute(ACCESS_LIST, "", HexFormat.of().parseHex(list.replace(" ", "")));
    SmallErofs made = new SmallErofs(12, false).attributes("f", List.of(attribute), List.of());
    ErofsImage image = ErofsImage.open("small.img", MemorySegment.ofArray(made.build()));
    Inode inode = PathResolver.resolve(image, "f", true);
    assertThatThrownBy(() -> image.extendedAttributes(inode))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("a POSIX ACL");
  }

  @ParameterizedTest
  @ValueSource(ints = {9, 11, 12, 16})
  void blocksBelowAPageAreNotInPlace(int shift) throws IOException {
    ErofsImage image =
        ErofsImage.open("small.img", MemorySegment.ofArray(image(shift, true).build()));
    Verdict expected = shift < 12 ? Verdict.SMALL_BLOCKS : Verdict.IN_PLACE;
    assertThat(verdict(image, "plain")).isEqualTo(expected);
    assertThat(verdict(image, "chunks")).isEqualTo(expected);
    assertThat(verdict(image, "tail")).isEqualTo(Verdict.TAIL_PACKED);
  }

  @Test
  void aDirectoryThatHasNoEntryForItselfListsItself() throws IOException {
    ErofsImage image = ErofsImage.open("small.img", MemorySegment.ofArray(image(12, true).build()));
    List<String> names = new ArrayList<>();
    image.list(image.root(), (name, number, type) -> names.add(name.toString()));
    assertThat(names).containsExactly(".", "..", "chunks", "hole", "plain", "tail");
    assertThat(image.find(image.root(), FileName.of("."))).isEqualTo(image.root().number());
  }

  @Test
  void lookUpsAndReadsDoNotAllocate() throws IOException {
    ErofsImage image =
        ErofsImage.open("small.img", MemorySegment.ofArray(image(12, false).build()));
    Inode root = image.root();
    FileName there = FileName.of("plain");
    FileName missing = FileName.of("missing");
    FileContent content = FileContent.of(image, PathResolver.resolve(image, "tail", true));
    MemorySegment page = MemorySegment.ofArray(new byte[4096]);
    long allocated =
        Allocations.ofCompiled(
            () -> {
              try {
                for (int i = 0; i < 1000; i++) {
                  assertFound(image.find(root, there) > 0 && image.find(root, missing) < 0);
                  assertFound(content.read(4096, page) == 4096);
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    assertThat(allocated).isZero();
  }

  private static void assertFound(boolean holds) {
    if (!holds) {
      throw new AssertionError();
    }
  }

  @Test
  void theTimeOfACompactInodeCountsFromTheEpochOfTheImage() throws IOException {
    ErofsImage image = ErofsImage.open("small.img", MemorySegment.ofArray(image(12, true).build()));
    assertThat(PathResolver.resolve(image, "plain", true).modified())
        .isEqualTo(Instant.ofEpochSecond(1_600_000_005, 7));
  }

  /** The kernel mounts no blocks above the size of a page, and fsck.erofs may read none either. */
  @ParameterizedTest
  @ValueSource(ints = {9, 10, 11, 12})
  void theKernelReadsTheSame(int shift) throws IOException {
    Judge.loopMount();
    for (boolean wide : new boolean[] {false, true}) {
      byte[] bytes = withAttributes(image(shift, wide)).build();
      Path file = Files.write(folder.resolve("image"), bytes);
      ErofsImage image = ErofsImage.open("small.img", MemorySegment.ofArray(bytes));
      Images.mounted(
          file, "erofs", root -> assertThat(MountedTree.requireSame(image, root)).isZero());
    }
  }

  @Test
  void aBlockWithANumberAbove32BitsIsRead() throws IOException {
    byte[] bytes = bytes(300);
    Path file = folder.resolve("image");
    long far = (1L << 32) + 1 << 9;
    try (RandomAccessFile wide = new RandomAccessFile(file.toFile(), "rw")) {
      wide.write(new SmallErofs(9, true).far("far", bytes.length).build());
      wide.setLength(far + 4096);
      wide.seek(far);
      wide.write(bytes);
    } catch (IOException e) {
      Judge.needs(false, "a folder for temporary files of 2 TiB with holes: " + e.getMessage());
    }
    try (OpenImage mount = OpenImage.open(file)) {
      Inode inode = PathResolver.resolve(mount.image(), "far", true);
      assertThat(mount.image().blockMap(inode).extent(0).imageOffset()).isEqualTo(far);
      byte[] read = new byte[bytes.length];
      FileContent.of(mount.image(), inode).read(0, MemorySegment.ofArray(read));
      assertThat(read).isEqualTo(bytes);
      Judge.loopMount();
      Images.mounted(
          file, "erofs", root -> assertThat(MountedTree.requireSame(mount.image(), root)).isZero());
    }
  }

  @Test
  void fsckFindsNothingWrong() throws IOException {
    Path file = Files.write(folder.resolve("image"), image(12, false).build());
    assertThatCode(() -> Processes.run("fsck.erofs", file.toString())).doesNotThrowAnyException();
  }
}
