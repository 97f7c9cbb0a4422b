package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hashes and folded forms of names are those of e2fsprogs. */
class NameHashTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final Pattern HASHES =
      Pattern.compile("is 0x([0-9a-f]+) \\(minor 0x([0-9a-f]+)\\)");
  private static final String UUID = "01234567-89ab-cdef-fedc-ba9876543210";

  @TempDir static Path folder;
  private static Path image;

  @BeforeAll
  static void makeAnImage() throws IOException {
    Judge.program("debugfs");
    System.err.println("NameHashTest: -Dxip.seed=" + SEED);
    image = Images.ext2(Files.createDirectory(folder.resolve("tree")));
  }

  /** A superblock that holds nothing but how names are hashed. */
  private static NameHash hash(int version, boolean unsigned, String seed) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(2048).order(ByteOrder.LITTLE_ENDIAN);
    byte[] seeds = new BigInteger("1" + seed.replace("-", ""), 16).toByteArray();
    bytes.put(1024 + ExtLayout.S_HASH_SEED, seeds, 1, 16);
    bytes.putInt(1024 + ExtLayout.S_FLAGS, unsigned ? ExtLayout.UNSIGNED_HASH : 1);
    MemorySegment memory = MemorySegment.ofArray(bytes.array());
    return NameHash.of(new ByteView(memory, "super", CorruptImageException::new), version);
  }

  private static List<Long> theirs(List<String> commands) throws IOException {
    List<Long> hashes = new ArrayList<>();
    Matcher found = HASHES.matcher(Images.debugfs(image, commands));
    while (found.find()) {
      hashes.add(Long.parseLong(found.group(1), 16) << 32 | Long.parseLong(found.group(2), 16));
    }
    return hashes;
  }

  private static List<String> names(int count) {
    Random random = new Random(SEED);
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder name = new StringBuilder("n");
      int length = random.nextInt(i % 3 == 0 ? 125 : 20);
      for (int each = 0; each < length; each++) {
        name.append(
            (char)
                (random.nextBoolean() ? 'a' + random.nextInt(26) : 0xa1 + random.nextInt(0x600)));
      }
      names.add(name.toString());
    }
    return names;
  }

  @Test
  void everyFunctionGivesTheHashesOfDebugfs() throws IOException {
    for (String seed : List.of(UUID, "00000000-0000-0000-0000-000000000000")) {
      for (int version = 0; version < 6; version++) {
        NameHash ours = hash(version % 3, version >= 3, seed);
        List<String> names = names(300);
        String command = "dx_hash -h %d -s %s ".formatted(version, seed);
        List<Long> theirs = theirs(names.stream().map(command::concat).toList());
        assertThat(theirs).hasSameSizeAs(names);
        for (int i = 0; i < names.size(); i++) {
          assertThat(ours.hash(FileName.of(names.get(i))))
              .as("hash %d of %s", version, names.get(i))
              .isEqualTo(theirs.get(i));
        }
      }
    }
  }

  @Test
  void otherFunctionsAreNotKnown() throws IOException {
    for (int version : new int[] {3, HashTreeLayout.SIP, 255}) {
      assertThat(hash(version, false, UUID)).isNull();
    }
  }

  /** Every character up to the third plane, alone and between two others. */
  @Test
  void everyCharacterIsFoldedAsByDebugfs() throws IOException {
    NameHash ours = hash(HashTreeLayout.HALF_MD4, false, UUID);
    FoldedNames form = new FoldedNames(false);
    String command = "dx_hash -c -e utf8 -h half_md4 -s %s ".formatted(UUID);
    List<String> names = new ArrayList<>();
    for (int character = 0xa1; character < 0x30000; character++) {
      if (Character.getType(character) != Character.SURROGATE) {
        names.add("A" + Character.toString(character) + "Z");
      }
    }
    for (int character = 0xe0000; character < 0xe1000; character++) {
      names.add("A" + Character.toString(character) + "Z");
    }
    compare(names, command, form, ours);
  }

  @Test
  void combiningCharactersAreOrderedAsByDebugfs() throws IOException {
    NameHash ours = hash(HashTreeLayout.TEA, false, UUID);
    Random random = new Random(SEED);
    String marks = "\u0345\u0301\u0323\u0327\u1abf\u0591\u3099\u00ad\ua82c\u0300\u05b0";
    String letters = "aÅßİıΣςᾳꭰᏸﬁ각ǅ\u1e9e\u2c2f";
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      StringBuilder name = new StringBuilder();
      for (int each = 0; each < 8; each++) {
        String from = random.nextInt(3) == 0 ? letters : marks;
        name.append(from.charAt(random.nextInt(from.length())));
      }
      names.add("q" + name);
    }
    compare(
        names, "dx_hash -c -e utf8 -h tea -s %s ".formatted(UUID), new FoldedNames(false), ours);
  }

  private static void compare(List<String> names, String command, FoldedNames form, NameHash ours)
      throws IOException {
    List<Long> theirs = theirs(names.stream().map(command::concat).toList());
    assertThat(theirs).hasSameSizeAs(names);
    for (int i = 0; i < names.size(); i++) {
      if (ours.hash(form.key(FileName.of(names.get(i)))) != theirs.get(i)) {
        assertThat(names.get(i).codePoints().mapToObj(Integer::toHexString).toList())
            .as("a name that is folded in another way")
            .isEmpty();
      }
    }
  }

  @Test
  void namesThatAreNotUtf8AreTheirOwnKeys() {
    FoldedNames form = new FoldedNames(false);
    FileName odd = FileName.of(new byte[] {'A', (byte) 0xc0, (byte) 0x80});
    assertThat(form.key(odd)).isEqualTo(odd);
    assertThat(form.key(FileName.of("ABÉ"))).isEqualTo(form.key(FileName.of("abe\u0301")));
    assertThat(form.key(FileName.of("plain-NAME"))).isEqualTo(FileName.of("plain-name"));
  }
}
