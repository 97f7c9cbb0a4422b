package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory that takes no notice of case finds a name in all its forms. */
class FoldedNamesTest {
  private static final int CROWD = 1000;

  @TempDir static Path folder;
  private static byte[] sound;

  @BeforeAll
  static void packATree() throws IOException {
    Judge.program("e2fsck");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path few = Files.createDirectory(tree.resolve("few"));
    for (String name : List.of("Plain", "Straße", "ÉTÉ", "Ångström", "ΣΊΣΥΦΟΣ", "plain.txt")) {
      Files.writeString(few.resolve(name), name);
    }
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < CROWD; i++) {
      Files.createFile(crowd.resolve("Üppig-with-a-Long-Name-" + i));
    }
    Path exact = Files.createDirectory(tree.resolve("exact"));
    Files.writeString(exact.resolve("Name"), "x");
    Path file = folder.resolve("folded.img");
    Images.ext2(
        tree, file, "-b", "4096", "-E", "encoding=utf8", "-O", "casefold,dir_index,metadata_csum");
    Images.debugfsWrite(
        file, "set_inode_field few flags 0x40000000", "set_inode_field crowd flags 0x40000000");
    assertThat(Processes.runAny("e2fsck", "-fyD", file.toString()).exit()).isIn(0, 1);
    Processes.run("e2fsck", "-fn", file.toString());
    sound = Files.readAllBytes(file);
  }

  private static ExtImage open(byte[] image) throws IOException {
    return ExtImage.open("folded.img", MemorySegment.ofArray(image));
  }

  private static long find(String path) throws IOException {
    ExtImage image = open(sound);
    Path parent = Path.of("/" + path).getParent();
    Inode directory = PathResolver.resolve(image, parent.toString(), true);
    return image.find(directory, FileName.of(Path.of(path).getFileName().toString()));
  }

  @Test
  void everyFormOfANameIsFound() throws IOException {
    assertThat(find("few/PLAIN")).isEqualTo(find("few/Plain")).isPositive();
    assertThat(find("few/STRASSE")).isEqualTo(find("few/Straße")).isPositive();
    assertThat(find("few/e\u0301te\u0301")).isEqualTo(find("few/ÉTÉ")).isPositive();
    assertThat(find("few/\u212bNGSTRO\u0308M")).isEqualTo(find("few/Ångström")).isPositive();
    assertThat(find("few/σίσυφος")).isEqualTo(find("few/ΣΊΣΥΦΟΣ")).isPositive();
    assertThat(find("few/pl\u00adain")).isEqualTo(find("few/Plain"));
    assertThat(find("few/plain.tx")).isEqualTo(-1);
  }

  @Test
  void otherDirectoriesTakeNoticeOfCase() throws IOException {
    assertThat(find("exact/Name")).isPositive();
    assertThat(find("exact/name")).isEqualTo(-1);
    assertThat(find("FEW")).isEqualTo(-1);
  }

  @Test
  void namesAreListedAsTheyWereGiven() throws IOException {
    ExtImage image = open(sound);
    List<String> names = new ArrayList<>();
    image.list(
        PathResolver.resolve(image, "few", true),
        (name, inode, type) -> names.add(name.toString()));
    assertThat(names).contains("Plain", "Straße", "ÉTÉ").hasSize(8);
  }

  @Test
  void anIndexOfFoldedNamesLeadsToEachOfThem() throws IOException {
    ExtImage image = open(sound);
    Inode crowd = PathResolver.resolve(image, "crowd", true);
    assertThat(crowd.flags() & ExtLayout.INDEX_FL).isNotZero();
    for (int i = 0; i < CROWD; i++) {
      FileName name = FileName.of(("Üppig-with-a-Long-Name-" + i).toUpperCase(Locale.ROOT));
      ExtImage fresh = i % 20 == 0 ? open(sound) : image;
      assertThat(fresh.find(crowd, name)).as("%s", name).isPositive();
    }
    assertThat(open(sound).find(crowd, FileName.of("üppig"))).isEqualTo(-1);
  }

  @Test
  void twoFormsOfOneNameAreDamage() throws IOException {
    byte[] image = withoutChecksums();
    rename(image, "plain.txt", "pLAIN\0\0\0\0", 5);
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> list(image))
        .withMessageContaining("each name once in directory");
  }

  @Test
  void namesThatAreNotUtf8AreFoundByTheirBytesUnlessTheEncodingIsStrict() throws IOException {
    byte[] image = withoutChecksums();
    rename(image, "plain.txt", "PLAIN\u00ff\u00feX!", 9);
    ExtImage lax = open(image);
    Inode few = PathResolver.resolve(lax, "few", true);
    byte[] odd = "PLAIN\u00ff\u00feX!".getBytes(StandardCharsets.ISO_8859_1);
    assertThat(lax.find(few, FileName.of(odd))).isPositive();
    odd[0] = 'p';
    assertThat(lax.find(few, FileName.of(odd))).isEqualTo(-1);
    list(image);
    image[1024 + ExtLayout.S_ENCODING_FLAGS] = 1;
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> list(image))
        .withMessageContaining("a name in UTF-8");
  }

  @Test
  void anUnknownEncodingIsRefused() {
    byte[] image = withoutChecksums();
    image[1024 + ExtLayout.S_ENCODING] = 9;
    DamagedImage.assertDamage(
        () -> list("damaged.img", image), 1024 + ExtLayout.S_ENCODING, "the encoding 1", "9");
  }

  private static void list(byte[] image) throws IOException {
    list("folded.img", image);
  }

  private static void list(String name, byte[] image) throws IOException {
    ExtImage opened = ExtImage.open(name, MemorySegment.ofArray(image));
    opened.list(PathResolver.resolve(opened, "few", true), (each, inode, type) -> true);
  }

  /** Without the feature, checksums are not looked at. */
  private static byte[] withoutChecksums() {
    byte[] image = sound.clone();
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    int field = 1024 + ExtLayout.S_FEATURE_RO_COMPAT;
    bytes.putInt(field, bytes.getInt(field) & ~ExtFeatures.RO_COMPAT_METADATA_CSUM);
    return image;
  }

  private static void rename(byte[] image, String from, String to, int length) {
    byte[] name = from.getBytes(StandardCharsets.ISO_8859_1);
    for (int at = 0; ; at++) {
      boolean found = true;
      for (int i = 0; i < name.length && found; i++) {
        found = image[at + i] == name[i];
      }
      if (found && image[at - 2] == name.length) {
        System.arraycopy(to.getBytes(StandardCharsets.ISO_8859_1), 0, image, at, name.length);
        image[at - 2] = (byte) length;
        return;
      }
    }
  }
}
