package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.testing.Budget;
import dev.xip.testing.ProcMaps;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pieces of a mapped file are contiguous, and /proc/self/maps shows where they come from. */
class RewiredViewTest {
  private static final String NAME = "rewired-test";
  private static final long PAGE = 0x1000;

  private MemorySegment source;
  private HostMapping mapping;

  @BeforeAll
  static void awaitNothingTaken() throws InterruptedException {
    Budget.awaitNothingTaken();
  }

  @BeforeEach
  void mapAFile() throws IOException {
    try (HostFile file = HostFile.memfd(NAME);
        Arena arena = Arena.ofConfined()) {
      file.truncate(8 * PAGE);
      for (long page = 0; page < 8; page++) {
        file.write(page * PAGE, arena.allocateFrom(JAVA_LONG, 100 + page));
      }
      mapping = HostMapping.map(file, 0, 8 * PAGE, Access.READ, Sharing.SHARED);
      source = mapping.memory();
    }
  }

  @AfterEach
  void unmap() throws IOException {
    mapping.close();
    assertThat(ProcMaps.containing(NAME)).isEmpty();
    assertThat(MappingBudget.taken()).isZero();
  }

  private RewiredView.Piece piece(long at, long from, long pages) {
    return new RewiredView.Piece(at * PAGE, source.asSlice(from * PAGE, pages * PAGE));
  }

  @Test
  void piecesAppearInTheOrderAskedForAndTheRestIsZeros() throws IOException {
    try (RewiredView view = RewiredView.of(6 * PAGE, List.of(piece(0, 5, 1), piece(2, 1, 2)))) {
      long[] first = new long[6];
      for (int page = 0; page < 6; page++) {
        first[page] = view.memory().get(JAVA_LONG, page * PAGE);
      }
      assertThat(first).containsExactly(105, 0, 101, 102, 0, 0);
      assertThat(view.memory().isReadOnly()).isTrue();
    }
  }

  @Test
  void theBudgetCountsWhatTheKernelCounts() throws IOException {
    try (RewiredView view = RewiredView.of(6 * PAGE, List.of(piece(1, 5, 1), piece(2, 1, 2)))) {
      long address = view.memory().address();
      assertThat(ProcMaps.overlapping(address, 6 * PAGE)).hasSize(4);
      assertThat(MappingBudget.taken()).isEqualTo(4);
      assertThat(ProcMaps.overlapping(address + PAGE, 3 * PAGE))
          .hasSize(2)
          .allMatch(line -> line.contains(NAME) && line.contains(" r--s "));
    }
  }

  @Test
  void aViewOutlivesTheMappingItWasMadeFrom() throws IOException {
    try (RewiredView view = RewiredView.of(2 * PAGE, List.of(piece(0, 7, 1), piece(1, 0, 1)))) {
      mapping.close();
      assertThat(view.memory().get(JAVA_LONG, 0)).isEqualTo(107);
    }
  }

  @Test
  void memoryThatIsNotSharedIsRefusedAndNothingIsLeft() throws IOException {
    try (HostFile file = HostFile.memfd(NAME)) {
      file.truncate(PAGE);
      try (HostMapping copy = HostMapping.map(file, 0, PAGE, Access.READ, Sharing.PRIVATE)) {
        List<RewiredView.Piece> pieces = List.of(piece(0, 1, 1), part(1, copy.memory()));
        assertThatExceptionOfType(HostException.class)
            .isThrownBy(() -> RewiredView.of(2 * PAGE, pieces))
            .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
      }
    }
    assertThat(ProcMaps.containing(NAME)).hasSize(1);
  }

  private static RewiredView.Piece part(long at, MemorySegment memory) {
    return new RewiredView.Piece(at * PAGE, memory);
  }

  @Test
  void piecesThatDoNotFitAreRefusedBeforeAnythingIsMapped() {
    List<List<RewiredView.Piece>> wrong =
        List.of(
            List.of(piece(0, 0, 2), piece(1, 3, 1)),
            List.of(piece(1, 3, 1), piece(0, 0, 1)),
            List.of(piece(3, 0, 2)),
            List.of(part(0, source.asSlice(8, PAGE))),
            List.of(part(0, source.asSlice(0, 8))),
            List.of(part(0, MemorySegment.ofArray(new byte[4096]))),
            List.of(new RewiredView.Piece(8, source.asSlice(0, PAGE))));
    assertThat(wrong)
        .allSatisfy(
            pieces ->
                assertThatIllegalArgumentException()
                    .isThrownBy(() -> RewiredView.of(4 * PAGE, pieces)));
  }
}
