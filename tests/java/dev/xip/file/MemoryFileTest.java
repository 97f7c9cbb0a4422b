package dev.xip.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.testing.Allocations;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryFaultException;
import dev.xip.vm.TestMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A file in memory keeps what it was given, where it ends and how much it takes. */
class MemoryFileTest {
  private static final long TIB = 1L << 40;

  private final TestMachine machine = new TestMachine();
  private final MemoryFile file = machine.device.create("f");
  private final AddressSpace space = machine.space("space");

  @AfterEach
  void end() throws IOException {
    space.close();
    file.truncate(0);
    machine.close();
  }

  /** Changes a file. */
  @FunctionalInterface
  interface Change {
    void of(MemoryFile file) throws IOException;
  }

  private static Change write(long position, int bytes) {
    return file ->
        assertThat(file.write(position, MemorySegment.ofArray("q".repeat(bytes).getBytes())))
            .isEqualTo(bytes);
  }

  private static Change truncate(long size) {
    return file -> file.truncate(size);
  }

  private long map() throws IOException {
    return space.map(MapRequest.shared(file, Access.READ_WRITE)).start();
  }

  private int mapped(long va) throws IOException {
    return new AddressReader(space).getByte(va);
  }

  private void store(long va, int value) throws IOException {
    new AddressWriter(space).putByte(va, (byte) value);
  }

  private byte[] bytes(long position, int length) {
    byte[] read = new byte[length];
    assertThat(file.read(position, MemorySegment.ofArray(read))).isEqualTo(length);
    return read;
  }

  private static Stream<Arguments> growth() {
    return Stream.of(
        Arguments.of("truncated to the end of the page", truncate(Pages.SIZE)),
        Arguments.of("truncated to just over the byte", truncate(102)),
        Arguments.of("truncated to a later page", truncate(5 * Pages.SIZE + 7)),
        Arguments.of("written behind it in the page", write(200, 1)),
        Arguments.of("written just behind it", write(102, 1)),
        Arguments.of("written in a later page", write(2 * Pages.SIZE, 1)),
        Arguments.of("written at 1 TiB", write(TIB, 1)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("growth")
  void aByteStoredBehindTheEndIsZeroWhenTheFileGrows(String how, Change growth) throws IOException {
    write(0, 4).of(file);
    long start = map();
    store(start + 100, 7);
    store(start + 101, 7);
    assertThat(mapped(start + 100)).as("a mapping shows the page to its end").isEqualTo(7);
    growth.of(file);
    assertThat(bytes(4, 98)).containsOnly(0);
    assertThat(bytes(0, 4)).containsOnly('q');
    assertThat(mapped(start + 100)).isZero();
  }

  @Test
  void aWriteOverTheEndKeepsItsOwnBytes() throws IOException {
    write(0, 4).of(file);
    long start = map();
    store(start + 100, 7);
    store(start + 150, 7);
    write(4, 120).of(file);
    assertThat(bytes(0, 124)).containsOnly('q');
    file.truncate(151);
    assertThat(bytes(124, 27)).containsOnly(0);
  }

  @Test
  void aByteStoredBehindTheEndIsZeroAfterAStoreThatGaveAHoleItsBlock() throws IOException {
    file.truncate(4);
    long start = map();
    store(start + 100, 7);
    assertThat(file.blockCount()).isEqualTo(1);
    file.truncate(4);
    file.truncate(Pages.SIZE);
    assertThat(bytes(0, (int) Pages.SIZE)).containsOnly(0);
  }

  @Test
  void aPageBehindTheEndIsABusErrorAndGetsNoBlock() throws IOException {
    file.truncate(3 * Pages.SIZE);
    long start = map();
    file.truncate(1);
    assertThatExceptionOfType(MemoryFaultException.BusError.class)
        .isThrownBy(() -> store(start + Pages.SIZE, 1));
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> file.allocate(1))
        .withMessageContaining("page 0x1 of f: expected one of its 0x1 pages");
    assertThat(file.blockCount()).isZero();
  }

  @Test
  void aByteFarFromAllOthersTakesOneBlockAndLittleHeap() throws IOException {
    long free = machine.device.available();
    long[] next = {TIB / 2};
    long allocated =
        Allocations.of(
            () -> {
              try {
                write(next[0], 1).of(file);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
              next[0] += TIB / 8;
            });
    assertThat(allocated).as("bytes of heap").isLessThan(4096);
    assertThat(file.blockCount()).isEqualTo(6);
    assertThat(machine.device.available()).isEqualTo(free - 6);
    assertThat(file.size()).isEqualTo(TIB + TIB / 8 + 1);
    assertThat(bytes(TIB - 1, 3)).containsExactly(0, 'q', 0);
  }

  @Test
  void aFileMayEndAtItsLargestSize() throws IOException {
    write(MemoryFile.MAX_SIZE - 1, 1).of(file);
    assertThat(file.size()).isEqualTo(MemoryFile.MAX_SIZE);
    assertThat(file.blockCount()).isEqualTo(1);
    file.truncate(MemoryFile.MAX_SIZE);
    assertThat(bytes(MemoryFile.MAX_SIZE - 2, 2)).containsExactly(0, 'q');
  }

  private static Stream<Arguments> tooLarge() {
    return Stream.of(
        Arguments.of("write over the largest size", write(MemoryFile.MAX_SIZE - 1, 2)),
        Arguments.of("write at 4 TiB", write(4 * TIB, 1)),
        Arguments.of("write at 16 TiB", write(16 * TIB, 1)),
        Arguments.of("write at 2^63 - 1", write(Long.MAX_VALUE, 1)),
        Arguments.of("write over 2^63", write(Long.MAX_VALUE - 1, 4)),
        Arguments.of("truncate over the largest size", truncate(MemoryFile.MAX_SIZE + 1)),
        Arguments.of("truncate to 4 TiB", truncate(4 * TIB)),
        Arguments.of("truncate to 16 TiB", truncate(16 * TIB)),
        Arguments.of("truncate to 2^63 - 1", truncate(Long.MAX_VALUE)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("tooLarge")
  void whatIsTooLargeIsRefusedAndChangesNothing(String what, Change change) throws IOException {
    write(0, 4).of(file);
    long start = map();
    store(start + 100, 7);
    long free = machine.device.available();
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> change.of(file))
        .withMessageStartingWith("EFBIG: f: expected an end at byte 0x1feff7fc000 or before");
    assertThat(file.size()).isEqualTo(4);
    assertThat(file.blockCount()).isEqualTo(1);
    assertThat(machine.device.available()).isEqualTo(free);
    assertThat(mapped(start)).isEqualTo('q');
    assertThat(mapped(start + 100)).isEqualTo(7);
  }

  @Test
  void negativePlacesAreRefused() {
    for (Change change :
        new Change[] {
          write(-1, 1),
          write(Long.MIN_VALUE, 1),
          truncate(-1),
          f -> f.read(-1, MemorySegment.ofArray(new byte[1])),
          f -> f.translate(-1),
          f -> f.allocate(-1),
          f -> f.punchHole(-1, 1),
          f -> f.punchHole(1, -1),
          f -> f.invalidate(0, 0)
        }) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> change.of(file))
          .withMessageStartingWith("EINVAL");
    }
  }

  @Test
  void writingNothingBehindTheEndChangesNothing() throws IOException {
    write(100, 0).of(file);
    assertThat(file.size()).isZero();
    assertThat(file.blockCount()).isZero();
  }

  @Test
  void aHoleMayBePunchedToTheEndOfAllFiles() throws IOException {
    write(0, 3 * (int) Pages.SIZE).of(file);
    file.punchHole(1, Long.MAX_VALUE);
    assertThat(file.blockCount()).isEqualTo(1);
    assertThat(file.size()).isEqualTo(3 * Pages.SIZE);
    assertThat(bytes(Pages.SIZE, 2 * (int) Pages.SIZE)).containsOnly(0);
  }

  @Test
  void aFullDeviceTakesWhatFitsAndThenNothing() throws IOException {
    write(0, 4).of(file);
    long start = map();
    store(start + 100, 7);
    MemoryFile other = machine.device.create("other");
    long room = machine.device.available() * Pages.SIZE;
    MemorySegment more = MemorySegment.ofArray(new byte[(int) room + 5000]);
    assertThat(other.write(100, more)).isEqualTo(room - 100);
    assertThat(other.size()).isEqualTo(room);
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> file.write(2 * Pages.SIZE, more))
        .withMessageStartingWith("ENOSPC: page 0x2 of f");
    assertThat(file.size()).isEqualTo(4);
    assertThat(file.blockCount()).isEqualTo(1);
    assertThat(mapped(start + 100)).isEqualTo(7);
    file.truncate(3 * Pages.SIZE);
    long longer = map();
    assertThatExceptionOfType(MemoryFaultException.BusError.class)
        .isThrownBy(() -> store(longer + Pages.SIZE, 1))
        .withMessageContaining("ENOSPC");
    other.truncate(0);
    assertThat(machine.device.available()).isEqualTo(room / Pages.SIZE);
  }

  @Test
  void blocksThatComeBackAreNeighboursAgain() throws IOException {
    write(0, 64 * (int) Pages.SIZE).of(file);
    assertThat(file.translate(0).pages()).isEqualTo(64);
    file.truncate(0);
    write(0, 64 * (int) Pages.SIZE).of(file);
    assertThat(file.translate(0).pages()).isEqualTo(64);
  }
}
