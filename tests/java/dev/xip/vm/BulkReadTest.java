package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.testing.Allocations;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reads of many addresses at once, over two files whose pages alternate in memory. */
class BulkReadTest {
  private static final int PAGES = 40;
  private static final int WORDS = (int) (PAGES * Pages.SIZE / 8);
  private static final long START = 0x10_0000;

  private final TestMachine machine = new TestMachine();
  private final AddressSpace space = machine.space("reader");
  private final AddressReader reader = new AddressReader(space);
  private final MemoryFile file = machine.device.create("file");
  private final MemoryFile other = machine.device.create("other");

  @BeforeEach
  void mapAFileInFragments() throws Exception {
    long[] words = new long[(int) Pages.SIZE / 8];
    for (int page = 0; page < PAGES; page++) {
      for (int i = 0; i < words.length; i++) {
        words[i] = page * (Pages.SIZE / 8) + i;
      }
      file.write(page * Pages.SIZE, MemorySegment.ofArray(words));
      if (page % 3 == 0) {
        other.write(page * Pages.SIZE, MemorySegment.ofArray(words));
      }
    }
    TestMachine.map(space, START, PAGES, TestMachine.PRIVATE, file);
  }

  @AfterEach
  void end() throws IOException, IOException {
    space.close();
    file.truncate(0);
    other.truncate(0);
    machine.close();
  }

  private static long[] randomAddresses(int count) {
    Random random = new Random(1);
    return random.longs(count, 0, WORDS).map(word -> START + 8 * word).toArray();
  }

  @Test
  void longsAreReadAtAllAddresses() throws Exception {
    long[] addresses = randomAddresses(1000);
    long[] values = new long[1001];
    values[1000] = -5;
    reader.getLongs(addresses, values, 1000);
    for (int i = 0; i < 1000; i++) {
      assertThat(values[i]).isEqualTo((addresses[i] - START) / 8);
    }
    assertThat(values[1000]).isEqualTo(-5);
  }

  @Test
  void longsAcrossRunsAreReadAmongOthers() throws Exception {
    long[] addresses = new long[2 * PAGES - 2];
    for (int page = 1; page < PAGES; page++) {
      addresses[2 * page - 2] = START + page * Pages.SIZE - 3;
      addresses[2 * page - 1] = START + page * Pages.SIZE - 8;
    }
    long[] values = new long[addresses.length];
    reader.getLongs(addresses, values, addresses.length);
    for (int i = 0; i < addresses.length; i++) {
      assertThat(values[i]).isEqualTo(reader.getLong(addresses[i]));
    }
  }

  @Test
  void longsSeeAStoreThatCopiedThePage() throws Exception {
    long[] addresses = randomAddresses(300);
    long[] values = new long[300];
    reader.getLongs(addresses, values, 300);
    new AddressWriter(space).putLong(addresses[7], -1);
    reader.getLongs(addresses, values, 300);
    assertThat(values[7]).isEqualTo(-1);
  }

  @Test
  void longsAtUnmappedAddressesAreRefusedWithTheAddress() throws Exception {
    long[] addresses = randomAddresses(300);
    for (int i = 0; i < 300; i++) {
      addresses[i] = START + addresses[i] % (5 * Pages.SIZE);
    }
    addresses[200] = START + 5 * Pages.SIZE + 16;
    reader.getLongs(addresses, new long[300], 300);
    space.unmap(AddrRange.ofLength(START + 5 * Pages.SIZE, Pages.SIZE));
    assertThatThrownBy(() -> reader.getLongs(addresses, new long[300], 300))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class)
        .hasMessageContaining("0x105010");
  }

  @Test
  void arraysThatAreTooShortAreRefused() {
    assertThatThrownBy(() -> reader.getLongs(new long[3], new long[4], 4))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> reader.getLongs(new long[4], new long[3], 4))
        .isInstanceOf(IndexOutOfBoundsException.class);
    MemorySegment three = MemorySegment.ofArray(new byte[3]);
    assertThatThrownBy(() -> reader.copyEach(new long[4], 4, 1, three, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void piecesAreCopiedOneAfterTheOther() throws Exception {
    long[] addresses = randomAddresses(50);
    addresses[49] = START + 3 * Pages.SIZE - 8;
    long[] copy = new long[1 + 50 * 2];
    reader.copyEach(addresses, 50, 16, MemorySegment.ofArray(copy), 8);
    for (int i = 0; i < 50; i++) {
      assertThat(copy[1 + 2 * i]).isEqualTo((addresses[i] - START) / 8);
      assertThat(copy[2 + 2 * i]).isEqualTo((addresses[i] - START) / 8 + 1);
    }
  }

  /** In a JVM of its own: what other tests have run decides how this code is compiled. */
  @Test
  void readingAllocatesNothing() throws Exception {
    List<String> command = new ArrayList<>(Jvm.command(Alone.class));
    command.replaceAll(word -> word.startsWith("-XX:Tiered") ? "-XX:+TieredCompilation" : word);
    String bytes = Processes.run(command.toArray(String[]::new)).out().strip();
    assertThat(Long.parseLong(bytes)).isLessThan(2000);
  }

  /** Prints what reads allocate. */
  public static final class Alone {
    private Alone() {}

    /** Takes no arguments. */
    public static void main(String[] arguments) throws Exception {
      BulkReadTest test = new BulkReadTest();
      test.mapAFileInFragments();
      System.out.println(test.allocated());
      test.end();
    }
  }

  private long allocated() {
    long[] addresses = randomAddresses(2000);
    long[] values = new long[2000];
    MemorySegment copy = MemorySegment.ofArray(new long[2 * 2000]);
    return Allocations.ofCompiled(
        () -> {
          try {
            reader.getLongs(addresses, values, 2000);
            reader.copyEach(addresses, 2000, 8, copy, 0);
            for (long address : addresses) {
              values[0] += reader.getLong(address) + reader.getByte(address);
            }
          } catch (MemoryFaultException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  @Test
  void aRunThatIsReadProtectedMeanwhileIsNotRead() throws Exception {
    long[] addresses = randomAddresses(100);
    reader.getLongs(addresses, new long[100], 100);
    space.protect(AddrRange.ofLength(START, PAGES * Pages.SIZE), Access.NONE);
    assertThatThrownBy(() -> reader.getLongs(addresses, new long[100], 100))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
  }
}
