package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.CorruptImageException;
import dev.xip.testing.DebianTree;
import dev.xip.testing.Folders;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The images of e2fsprogs' own tests, most of them damaged on purpose, come from the source of the
 * e2fsprogs that this host has. Each is read as debugfs reads it after a recovery of its journal,
 * or it is refused with the reason, and then e2fsck finds fault with it too; what e2fsck makes of
 * it is read as debugfs reads it.
 */
class E2fsprogsImagesTest {
  private static final long LOG_BLOCK_SIZE = 1024 + 0x18;

  /**
   * Directories of which debugfs and the kernel differ: debugfs refuses those of more bytes than
   * the file system has or an index allows, and lists entries behind the end.
   */
  private static final Set<String> NOT_AS_DEBUGFS =
      Set.of("f_hugedir_blocks", "f_toobig_extent_dir", "f_holedir4");

  /**
   * What debugfs tells and the kernel does not: the upper half of a directory's size without
   * large_dir, no attributes without the feature ext_attr.
   */
  private static final Map<String, String[]> NOT_TOLD =
      Map.of(
          "f_recnect_bad", new String[] {"size"},
          "f_clear_xattr", new String[] {"attributes", "user attributes"});

  /** Thousands of directories, each of which debugfs would have to list. */
  private static final String MANY_FOLDERS = "f_many_subdirs";

  /** Images of so many files are judged by the names. */
  private static final int MANY = 1000;

  /**
   * What e2fsck leaves in the images that it repairs: files that are values of attributes, which
   * the kernel refuses, and a link with a zero byte.
   */
  private static final Set<String> NOT_REPAIRED =
      Set.of("f_bad_fname", "f_ea_inode_self_ref", "f_inlinedata_repair");

  @TempDir(factory = Folders.InMemory.class)
  static Path folder;

  private static List<Path> compressed;
  private int same;
  private int refused;

  @BeforeAll
  static void fetch() throws IOException {
    Path archive = DebianTree.sourceOfHost("e2fsprogs", folder);
    Processes.run(
        "tar",
        "-x",
        "-f",
        archive.toString(),
        "-C",
        folder.toString(),
        "--wildcards",
        "*/tests/*/image.gz");
    try (Stream<Path> files = Files.walk(folder)) {
      compressed = files.filter(file -> file.endsWith("image.gz")).sorted().toList();
    }
  }

  @Test
  void eachImageIsReadAsByDebugfsOrRefusedAsByE2fsck() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Path each : compressed) {
      String name = each.getParent().getFileName().toString();
      Path image = folder.resolve(name);
      try (InputStream bytes = new GZIPInputStream(Files.newInputStream(each))) {
        Files.copy(bytes, image, StandardCopyOption.REPLACE_EXISTING);
      }
      try {
        judge(name, image);
      } catch (IOException | RuntimeException | AssertionError e) {
        wrong.add(name + ": " + e);
      } finally {
        Files.delete(image);
      }
    }
    System.err.printf("E2fsprogsImagesTest: %d the same, %d refused%n", same, refused);
    assertThat(wrong).isEmpty();
    assertThat(same).isGreaterThan(80);
    assertThat(refused).isGreaterThan(80);
  }

  private void judge(String name, Path image) throws IOException {
    try {
      assertSame(name, image);
      same++;
    } catch (CorruptImageException refusal) {
      assertThat(refusal).hasMessageContaining("expected").hasMessageContaining("found");
      Processes.Output repair = Processes.runAny("e2fsck", "-fy", image.toString());
      if (!refusal.getMessage().contains("(feature ")) {
        assertThat(complaints(repair)).as("what e2fsck finds: %s", refusal).isNotEmpty();
      }
      refused++;
      if (repair.exit() < 4 && !NOT_REPAIRED.contains(name)) {
        assertSame(name, image);
      }
    }
  }

  /** The lines of e2fsck but those that it prints about any image. */
  private static List<String> complaints(Processes.Output repair) {
    return Stream.of(repair.out(), repair.err())
        .flatMap(String::lines)
        .filter(line -> !line.matches("|e2fsck [0-9.]+ \\(.*|Pass [1-5].*|.* files \\(.* blocks"))
        .toList();
  }

  private static void assertSame(String name, Path image) throws IOException {
    SeenTree ours;
    try (OpenImage opened = OpenImage.open(image)) {
      ours = SeenTree.ofDamaged(opened.image());
      if (!opened.overlay().isEmpty()) {
        Processes.run("e2fsck", "-y", "-E", "journal_only", image.toString());
      }
    }
    if (!NOT_AS_DEBUGFS.contains(name) && !name.equals(MANY_FOLDERS)) {
      SeenTree judge =
          ours.files.size() > MANY
              ? DebugfsTree.namesOf(image)
              : DebugfsTree.of(image, blockSize(image), folder);
      SeenTree.assertSame(ours, judge.without(NOT_TOLD.getOrDefault(name, new String[0])));
    }
  }

  private static int blockSize(Path image) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(LOG_BLOCK_SIZE);
      return 1024 << file.read();
    }
  }
}
