package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AtomicContext;
import dev.xip.base.LostPages;
import dev.xip.testing.Budget;
import dev.xip.testing.ProcMaps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.MappedByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The memory of a view lives as long as its arena, and counts as mapped by the JDK. */
class ArenaViewTest {
  private static final String NAME = "arena-view-test";
  private static final long PAGE = 0x1000;
  private static final int TRIES = 100;

  private HostFile file;
  private HostMapping mapping;

  @BeforeAll
  static void awaitNothingTaken() throws InterruptedException {
    Budget.awaitNothingTaken();
  }

  @BeforeEach
  void mapAFile() throws IOException {
    file = HostFile.memfd(NAME);
    try (Arena arena = Arena.ofConfined()) {
      file.truncate(8 * PAGE);
      for (long page = 0; page < 8; page++) {
        file.write(page * PAGE, arena.allocateFrom(JAVA_LONG, 100 + page));
      }
      mapping = HostMapping.map(file, 0, 8 * PAGE, Access.READ, Sharing.SHARED);
    }
  }

  @AfterEach
  void unmap() throws IOException {
    mapping.close();
    file.close();
    assertThat(ProcMaps.containing(NAME)).isEmpty();
    assertThat(ProcMaps.containing("memfd:xip ")).isEmpty();
    assertThat(MappingBudget.taken()).isZero();
  }

  private List<RewiredView.Piece> twoPieces() {
    return List.of(
        new RewiredView.Piece(PAGE, mapping.memory().asSlice(5 * PAGE, PAGE)),
        new RewiredView.Piece(2 * PAGE, mapping.memory().asSlice(PAGE, 2 * PAGE)));
  }

  private MemorySegment copyOnWrite(Arena arena) throws IOException {
    List<ArenaView.FilePiece> pieces =
        List.of(
            new ArenaView.FilePiece(0, file, 3 * PAGE, PAGE),
            new ArenaView.FilePiece(2 * PAGE, file, 0, 2 * PAGE));
    return ArenaView.ofFiles(5 * PAGE, pieces, Access.READ_WRITE, arena);
  }

  private static List<Long> firsts(MemorySegment memory) {
    List<Long> firsts = new ArrayList<>();
    for (long at = 0; at < memory.byteSize(); at += PAGE) {
      firsts.add(memory.get(JAVA_LONG, at));
    }
    return firsts;
  }

  private static List<Supplier<Arena>> closeable() {
    return List.of(Arena::ofConfined, Arena::ofShared);
  }

  @ParameterizedTest
  @MethodSource("closeable")
  void theEndOfTheArenaUnmapsIt(Supplier<Arena> kind) throws IOException {
    MemorySegment memory;
    try (Arena arena = kind.get()) {
      memory = ArenaView.again(6 * PAGE, twoPieces(), arena);
      mapping.close();
      assertThat(firsts(memory)).containsExactly(0L, 105L, 101L, 102L, 0L, 0L);
      assertThat(memory.scope()).isEqualTo(arena.scope());
      assertThat(memory.isReadOnly()).isTrue();
      assertThat(MappingBudget.taken()).isEqualTo(4);
    }
    assertThat(ProcMaps.containing(NAME)).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> memory.get(JAVA_BYTE, 0));
  }

  @ParameterizedTest
  @MethodSource("closeable")
  void aRangeIsGivenUpBeforeItIsUnmapped(Supplier<Arena> kind) throws IOException {
    for (int before = 0; before < 3; before++) {
      List<Integer> mapped = new ArrayList<>();
      try (Arena arena = kind.get()) {
        for (int i = 0; i < before; i++) {
          MappedMemory.atEnd(arena, nothing -> {});
        }
        for (int i = 0; i < 3; i++) {
          long[] address = new long[1];
          address[0] =
              Reservation.in(arena, PAGE, Access.READ, () -> mapped.add(mappings(address[0])))
                  .address();
        }
      }
      assertThat(mapped).containsExactly(1, 1, 1);
    }
  }

  private static int mappings(long address) {
    try {
      return ProcMaps.overlapping(address, PAGE).size();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void memoryThatIsNotReachableIsUnmapped() throws Exception {
    ArenaView.again(6 * PAGE, twoPieces(), Arena.ofAuto());
    copyOnWrite(Arena.ofAuto());
    Budget.awaitNothingTaken();
    // A mapping is taken off the budget just before it is unmapped.
    for (int i = 0; ProcMaps.containing(NAME).size() > 1 && i < TRIES; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertThat(ProcMaps.containing(NAME)).hasSize(1);
    assertThat(MappingBudget.taken()).isZero();
  }

  @Test
  void itIsAMappedSegmentAndMakesMappedBuffers() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = ArenaView.again(6 * PAGE, twoPieces(), arena);
      assertThat(memory.isMapped()).isTrue();
      memory.load();
      assertThat(memory.isLoaded()).isTrue();
      memory.force();
      memory.unload();
      MappedByteBuffer buffer = (MappedByteBuffer) memory.asSlice(PAGE, PAGE).asByteBuffer();
      assertThat(buffer.load().isLoaded()).isTrue();
      assertThat(buffer.isReadOnly()).isTrue();
      assertThat(buffer.getInt(0)).isEqualTo(Integer.reverseBytes(105));
    }
  }

  @Test
  void aStoreToACopyOnWriteViewStaysInIt() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = copyOnWrite(arena);
      MemorySegment other = copyOnWrite(arena);
      assertThat(firsts(memory)).containsExactly(103L, 0L, 100L, 101L, 0L);
      for (long at = 0; at < memory.byteSize(); at += PAGE) {
        memory.set(JAVA_LONG, at, at);
      }
      assertThat(firsts(memory)).containsExactly(0L, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE);
      assertThat(firsts(other)).containsExactly(103L, 0L, 100L, 101L, 0L);
      assertThat(firsts(mapping.memory())).startsWith(100L, 101L, 102L, 103L);
      assertThat(memory.isMapped()).isTrue();
      assertThat(((MappedByteBuffer) memory.asByteBuffer()).force().load().isLoaded()).isTrue();
      assertThat(MappingBudget.taken()).isEqualTo(8);
    }
  }

  @Test
  void theLossOfAPageIsReported() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment read = ArenaView.again(6 * PAGE, twoPieces(), arena);
      MemorySegment stored = copyOnWrite(arena);
      stored.set(JAVA_LONG, 3 * PAGE, 7);
      file.truncate(PAGE);
      assertThat(firsts(read)).containsOnly(0L);
      assertThat(LostPages.of(read)).isNotNull();
      assertThat(firsts(stored)).containsExactly(0L, 0L, 100L, 0L, 0L);
      assertThat(LostPages.of(stored)).isNotNull();
      stored.set(JAVA_LONG, 3 * PAGE, 8);
      assertThat(stored.get(JAVA_LONG, 3 * PAGE)).isEqualTo(8);
    }
    LostPages.touch(mapping.memory());
    mapping.close();
    assertThat(LostPages.any() && LostPages.in(0, Long.MAX_VALUE) != null).isFalse();
  }

  @Test
  void anArenaThatIsClosedIsRefusedAndNothingIsLeft() throws IOException {
    Arena arena = Arena.ofShared();
    arena.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> ArenaView.again(6 * PAGE, twoPieces(), arena));
    assertThatIllegalStateException().isThrownBy(() -> copyOnWrite(arena));
    assertThat(ProcMaps.containing(NAME)).hasSize(1);
  }

  @Test
  void anArenaThatIsClosedMeanwhileLeavesNothing() throws Exception {
    for (int i = 0; i < 200; i++) {
      Arena arena = Arena.ofShared();
      Thread closer = Thread.startVirtualThread(() -> close(arena));
      try {
        firsts(i % 2 == 0 ? ArenaView.again(6 * PAGE, twoPieces(), arena) : copyOnWrite(arena));
      } catch (IllegalStateException closed) {
        // The expected end of a race that this thread lost. The JVM also interrupts it then.
        Thread.interrupted();
      }
      closer.join();
    }
    assertThat(MappingBudget.taken()).isZero();
    assertThat(ProcMaps.containing(NAME)).hasSize(1);
  }

  /** A call that uses the memory keeps its arena from being closed. */
  private static void close(Arena arena) {
    while (arena.scope().isAlive()) {
      try {
        arena.close();
      } catch (IllegalStateException inUse) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void noBytesAreAMappedSegmentToo() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment none = ArenaView.again(0, List.of(), arena);
      assertThat(none.byteSize()).isZero();
      assertThat(none.isMapped()).isTrue();
      assertThat(none.asByteBuffer()).isInstanceOf(MappedByteBuffer.class);
    }
  }

  @Test
  void aPieceThatPassesTheEndOfItsFileIsRefused() {
    try (Arena arena = Arena.ofConfined()) {
      List<ArenaView.FilePiece> pieces =
          List.of(new ArenaView.FilePiece(0, file, 7 * PAGE, 2 * PAGE));
      assertThatExceptionOfType(HostException.class)
          .isThrownBy(() -> ArenaView.ofFiles(2 * PAGE, pieces, Access.READ, arena))
          .withMessageContaining("ENXIO");
    }
  }

  @Test
  void aViewThatIsAskedForUnderALockTakesNothing() throws IOException {
    List<RewiredView.Piece> pieces = twoPieces();
    try (Arena arena = Arena.ofConfined()) {
      AtomicContext.enter("entry lock");
      try {
        assertThatThrownBy(() -> ArenaView.again(4 * PAGE, pieces, arena))
            .hasMessageContaining("mmap");
      } finally {
        AtomicContext.leave("entry lock");
      }
      assertThat(MappingBudget.taken()).isZero();
      assertThat(ProcMaps.containing("memfd:xip ")).isEmpty();
    }
  }
}
