package dev.xip.segment;

import static dev.xip.segment.SegmentProgram.field;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A C program and JVMs use one store side by side. */
class SegmentFromCTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final long PAGES = 33;
  private static final SegmentName A = new SegmentName("A");

  @TempDir Path temp;
  private SegmentStore store;
  private final byte[] contents = new byte[(int) (PAGES << Pages.SHIFT)];

  @BeforeEach
  void makeStore() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    new Random(SEED).nextBytes(contents);
  }

  private StoredSegment define(SegmentType type) throws IOException {
    return store.define(definition(A, type, 0x100000, PAGES), source());
  }

  private SegmentSource source() throws IOException {
    Path file = Files.write(Files.createTempFile(temp, "source", ".img"), contents);
    return SegmentSource.copyOf(file, done -> {});
  }

  /** Saves other contents than before. */
  private StoredSegment saveAnother() throws IOException {
    contents[0] ^= 1;
    return store.save(A, source());
  }

  private Path file(String name) {
    return store.folder().resolve(name);
  }

  @Test
  void bothReadTheBytesThatWereSaved() throws Exception {
    define(SegmentType.SR);
    String sum = "%016x".formatted(JavaSegmentProgram.checksum(MemorySegment.ofArray(contents)));
    try (SegmentProgram c = SegmentProgram.inC(store.folder());
        SegmentProgram java = SegmentProgram.inJava(store.folder())) {
      String told = c.must("load A shared");
      assertThat(told)
          .startsWith("type=SR pa=0x100000000-0x100020fff bytes=135168 version=1 parts=1 shared=1")
          .contains(" mode=shared references=1");
      assertThat(field(java.must("load A shared"), "bytes")).isEqualTo("135168");
      assertThat(c.must("sum A")).as("-Dxip.seed=%d", SEED).isEqualTo(sum);
      assertThat(java.must("sum A")).as("-Dxip.seed=%d", SEED).isEqualTo(sum);
      c.leave();
      java.leave();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SegmentType.class,
      names = {"SW", "SN"})
  void storesToWhatIsSharedAreSeenByTheOtherAtOnce(SegmentType type) throws Exception {
    store.define(definition(A, type, 0x100000, PAGES), SegmentSource.zeros());
    try (SegmentProgram c = SegmentProgram.inC(store.folder());
        SegmentProgram java = SegmentProgram.inJava(store.folder())) {
      c.must("load A shared");
      c.must("poke A 0x1001 77");
      java.must("load A shared");
      assertThat(java.must("peek A 0x1001")).isEqualTo("77");
      java.must("poke A 0x1001 78");
      java.must("poke A 0x20fff 200");
      assertThat(c.must("peek A 0x1001")).isEqualTo("78");
      assertThat(c.must("peek A 0x20fff")).isEqualTo("200");
      c.leave();
      assertThat(java.must("peek A 0x1001")).isEqualTo("78");
      java.leave();
    }
  }

  @Test
  void anExclusiveLoadIsPrivateOnEitherSide() throws Exception {
    define(SegmentType.SW);
    try (SegmentProgram c = SegmentProgram.inC(store.folder());
        SegmentProgram java = SegmentProgram.inJava(store.folder());
        SegmentProgram third = SegmentProgram.inC(store.folder())) {
      String first = "" + Byte.toUnsignedInt(contents[0]);
      c.must("load A exclusive");
      java.must("load A exclusive");
      third.must("load A shared");
      c.must("poke A 0 1");
      java.must("poke A 0 2");
      assertThat(c.must("peek A 0")).isEqualTo("1");
      assertThat(java.must("peek A 0")).isEqualTo("2");
      assertThat(third.must("peek A 0")).isEqualTo(first);
      c.leave();
      java.leave();
      third.leave();
    }
    assertThat(Files.readAllBytes(file("A.1.data"))).isEqualTo(contents);
  }

  @Test
  void aVersionLoadedFromCIsDeletedWhenCUnloadsIt() throws Exception {
    define(SegmentType.SR);
    String first = "" + Byte.toUnsignedInt(contents[0]);
    try (SegmentProgram c = SegmentProgram.inC(store.folder());
        SegmentProgram java = SegmentProgram.inJava(store.folder())) {
      c.must("load A shared");
      assertThat(saveAnother().version()).isEqualTo(2);
      assertThat(file("A.1.data")).exists();
      assertThat(file("A.1.purge")).exists();
      String told = c.must("query A");
      assertThat(field(told, "version")).isEqualTo("2");
      assertThat(field(told, "loaded")).isEqualTo("1");
      assertThat(field(java.must("load A shared"), "version")).isEqualTo("2");
      assertThat(c.must("peek A 0")).isEqualTo(first);
      assertThat(java.must("peek A 0")).isNotEqualTo(first);
      c.must("unload A");
      assertThat(file("A.1.data")).doesNotExist();
      assertThat(file("A.1.purge")).doesNotExist();
      assertThat(field(c.must("load A shared"), "version")).isEqualTo("2");
      java.leave();
      c.leave();
    }
    assertThat(file("A.2.data")).exists();
  }

  @Test
  void aVersionOfAKilledProgramIsDeletedByTheNextChange() throws Exception {
    define(SegmentType.SR);
    try (SegmentProgram c = SegmentProgram.inC(store.folder())) {
      c.must("load A shared");
      saveAnother();
      assertThat(file("A.1.data")).exists();
      c.kill();
    }
    saveAnother();
    assertThat(file("A.1.data")).doesNotExist();
    assertThat(file("A.1.purge")).doesNotExist();
    assertThat(file("A.2.data")).doesNotExist();
    assertThat(file("A.3.data")).exists();
  }

  @Test
  void aVersionIsDeletedWithItsLastUserInEitherLanguage() throws Exception {
    define(SegmentType.SR);
    try (SegmentProgram c = SegmentProgram.inC(store.folder());
        SegmentProgram java = SegmentProgram.inJava(store.folder())) {
      c.must("load A shared");
      java.must("load A exclusive");
      store.remove(A);
      c.must("unload A");
      assertThat(file("A.1.data")).as("Java has it").exists();
      java.must("unload A");
      assertThat(file("A.1.data")).doesNotExist();

      define(SegmentType.SR);
      c.must("load A exclusive");
      java.must("load A shared");
      store.remove(A);
      java.must("unload A");
      assertThat(file("A.1.data")).as("C has it").exists();
      c.must("unload A");
      assertThat(file("A.1.data")).doesNotExist();
    }
  }

  @Test
  void usersAreCountedAcrossLanguages() throws Exception {
    define(SegmentType.SW);
    try (SegmentProgram c = SegmentProgram.inC(store.folder());
        SegmentProgram other = SegmentProgram.inC(store.folder());
        SegmentProgram java = SegmentProgram.inJava(store.folder())) {
      assertUsers(c);
      java.must("load A exclusive");
      SegmentUser inJava = new SegmentUser(java.pid(), SharingMode.EXCLUSIVE);
      assertUsers(c, inJava);
      other.must("load A shared");
      other.must("load A shared");
      c.must("load A shared");
      SegmentUser inOther = new SegmentUser(other.pid(), SharingMode.SHARED);
      SegmentUser inC = new SegmentUser(c.pid(), SharingMode.SHARED);
      assertUsers(c, inJava, inOther, inC);
      assertUsers(other, inJava, inOther, inC);
      other.kill();
      assertUsers(c, inJava, inC);
      java.kill();
      assertUsers(c, inC);
    }
  }

  /** A query from C and a survey from Java show the same users. */
  private void assertUsers(SegmentProgram c, SegmentUser... users) throws IOException {
    String told = c.must("query A");
    assertThat(field(told, "shared")).isEqualTo("" + count(SharingMode.SHARED, users));
    assertThat(field(told, "exclusive")).isEqualTo("" + count(SharingMode.EXCLUSIVE, users));
    assertThat(store.survey().segments().getFirst().users()).containsExactlyInAnyOrder(users);
  }

  private static long count(SharingMode mode, SegmentUser... users) {
    return Stream.of(users).filter(each -> each.mode() == mode).count();
  }
}
