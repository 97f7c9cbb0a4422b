package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.host.HostFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Damage in a store is found, reported by file, and never loaded. */
class StoreCheckTest extends LoaderFixture {
  private Path file(String name) {
    return store.folder().resolve(name);
  }

  private List<String> findings() throws SegmentException {
    return store.check().stream().map(StoreFinding::toString).toList();
  }

  private void cut(String name, long bytes) throws IOException {
    try (HostFile open = HostFile.openReadWrite(file(name))) {
      open.truncate(bytes);
    }
  }

  /** A definition that cannot be used stays until it is removed, and nothing of it is swept. */
  private void damagedAndStill(Errno code, String words) throws IOException {
    assertThat(findings())
        .singleElement()
        .satisfies(
            finding -> assertThat(finding).startsWith(file("A.def") + ": " + code).contains(words));
    assertThat(store.check()).noneMatch(StoreFinding::leftover);
    assertThat(store.clean()).isEmpty();
    assertThat(store.list().damaged()).hasSize(1);
    assertThat(store.survey().damaged()).hasSize(1);
    refused(() -> loader.load(A, SharingMode.SHARED), code, words);
    refused(() -> store.save(A, SegmentSource.zeros()), code, words);
    assertThat(file("A.1.data")).exists();
    store.remove(A);
    assertThat(store.check()).isEmpty();
    assertThat(file("A.1.data")).doesNotExist();
  }

  @Test
  void aStoreInOrderHasNoFindings() throws IOException {
    assertThat(store.check()).isEmpty();
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    store.save(A, SegmentSource.zeros());
    assertThat(store.check()).isEmpty();
    assertThat(store.clean()).isEmpty();
  }

  @Test
  void aCutDefinitionIsFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    cut("A.def", 30);
    damagedAndStill(Errno.EIO, "A.def: at byte 0x");
  }

  @Test
  void anEmptyDefinitionIsFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    cut("A.def", 0);
    damagedAndStill(Errno.EIO, "found the end of the file");
  }

  @Test
  void aDefinitionOfAnotherFormIsFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    Files.writeString(file("A.def"), "xip segment 2\nname A\n");
    damagedAndStill(Errno.EIO, "expected line 1 to be \"xip segment 1\", found \"xip segment 2\"");
  }

  @Test
  void aDefinitionThatWasTamperedWithIsFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    String text = Files.readString(file("A.def")).replace("100000-100000", "200000-200000");
    Files.write(file("A.def"), text.getBytes(StandardCharsets.US_ASCII));
    damagedAndStill(Errno.EIO, "\"crc32c ");
  }

  @Test
  void aDefinitionThatBreaksARuleIsFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    Files.write(file("A.def"), DefinitionFileTest.unsupported(A, 0));
    damagedAndStill(Errno.EOPNOTSUPP, "expected ");
  }

  @Test
  void aFolderInPlaceOfADefinitionIsFound() throws IOException {
    Files.createDirectory(file("A.def"));
    assertThat(findings()).singleElement().asString().contains("found a directory");
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EIO, "A.def");
  }

  @Test
  void aDataFileThatIsShortOrMissingIsFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 2);
    cut("A.1.data", 8191);
    assertThat(findings())
        .containsExactly(file("A.1.data") + ": expected 0x2000 bytes, found 0x1fff");
    Files.delete(file("A.1.data"));
    assertThat(findings())
        .singleElement()
        .asString()
        .startsWith(file("A.def") + ": data file: ")
        .contains("A.1.data", "ENOENT");
    assertThat(store.survey().damaged())
        .singleElement()
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO))
        .satisfies(e -> assertThat(e).hasMessageContaining("A.1.data"));
  }

  @Test
  void aShortDataFileOfSnIsInOrder() throws IOException {
    define(A, SegmentType.SN, PLACE, 2);
    cut("A.1.data", 0);
    assertThat(store.check()).isEmpty();
  }

  @Test
  void foreignFilesAreReported() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    List.of("notes.txt", "a.def", "A.01.data", "TOOLONGNAME.1.data", "A.1.dat")
        .forEach(
            name -> {
              try {
                Files.write(file(name), new byte[0]);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    assertThat(store.check()).hasSize(5).noneMatch(StoreFinding::leftover);
    assertThat(findings())
        .contains(file("notes.txt") + ": no file of a store")
        .contains(file("A.01.data") + ": no file of a store");
    assertThat(store.clean()).isEmpty();
    assertThat(file("notes.txt")).exists();
  }

  @Test
  void filesOfDeadWritersAreReportedAndCleaned() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    Files.createLink(file("A.1.purge"), file("A.def"));
    for (String name : List.of("A.2.data", "A.5.new", "B.1.data", "B.6.new", "C.4.purge")) {
      Files.write(file(name), new byte[5]);
    }
    assertThat(findings())
        .containsExactly(
            file("A.1.purge") + ": a second name of the current definition",
            file("A.2.data") + ": no definition names it",
            file("A.5.new") + ": a definition that was not finished",
            file("B.1.data") + ": no definition names it",
            file("B.6.new") + ": a definition that was not finished",
            file("C.4.purge") + ": pending purge, but its last user has ended");
    List<Path> cleaned = store.check().stream().map(StoreFinding::file).toList();
    assertThat(store.clean()).isEqualTo(cleaned);
    assertThat(store.check()).isEmpty();
    assertThat(store.query(A).version()).isEqualTo(1);
  }

  @Test
  void aDamagedPurgeLinkIsReported() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    store.remove(A);
    byte[] text = Files.readAllBytes(file("A.1.purge"));
    Files.write(file("A.1.purge"), Arrays.copyOf(text, 20));
    assertThat(findings()).singleElement().asString().startsWith(file("A.1.purge") + ": EIO");
    assertThat(store.survey().damaged()).hasSize(1);
    Files.delete(file("A.1.purge"));
    assertThat(findings()).containsExactly(file("A.1.data") + ": used, but no definition names it");
    loader.unload(A);
    assertThat(store.check()).isEmpty();
  }

  @Test
  void aPurgeLinkOfAnotherVersionIsReported() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    store.remove(A);
    Files.move(file("A.1.purge"), file("A.3.purge"));
    Files.move(file("A.1.data"), file("A.3.data"));
    assertThat(findings())
        .singleElement()
        .asString()
        .contains("A.3.purge: expected version 3, found version 1");
    Files.move(file("A.3.data"), file("A.1.data"));
  }
}
