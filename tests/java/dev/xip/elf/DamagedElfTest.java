package dev.xip.elf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The exception for any damage in a header says where, what was expected and what is there. */
class DamagedElfTest {
  private static final int PHDR = 56;

  private byte[] bytes;
  private ByteBuffer elf;
  private int table;
  private List<ProgramHeader> sound;

  @BeforeEach
  void readAProgram() throws IOException {
    bytes = HostElfs.small();
    elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    table = (int) elf.getLong(32);
    sound = read().headers();
  }

  private ElfImage read() throws MalformedElfException {
    return ElfImage.read("ls", MemorySegment.ofArray(bytes));
  }

  private void assertRefused(long at, String expected, String found) {
    assertThatThrownBy(this::read)
        .isInstanceOfSatisfying(
            MalformedElfException.class,
            e -> {
              assertThat(e.getFile()).isEqualTo("ls");
              assertThat(e.offset()).as("%s", e).isEqualTo(at);
              assertThat(e.expected()).contains(expected);
              assertThat(e.found()).contains(found);
            });
  }

  /** The place in the file of a field of the n-th loadable segment. */
  private int loadable(int n, int field) {
    int seen = 0;
    for (int i = 0; i < sound.size(); i++) {
      if (sound.get(i).isLoadable() && seen++ == n) {
        return table + i * PHDR + field;
      }
    }
    throw new AssertionError("no such segment");
  }

  @Test
  void aFileThatIsNotElfIsRefusedByItsMagicNumber() {
    elf.putInt(0, 0x21212121);
    assertRefused(0, "magic number 0x464c457f", "0x21212121");
  }

  @Test
  void a32BitFileIsRefusedByItsClass() {
    elf.put(4, (byte) 1);
    assertRefused(4, "class 0x2", "0x1");
  }

  @Test
  void aBigEndianFileIsRefusedByItsDataOrder() {
    elf.put(5, (byte) 2);
    assertRefused(5, "data order 0x1", "0x2");
  }

  @Test
  void anotherVersionIsRefused() {
    elf.putInt(20, 2);
    assertRefused(20, "version 0x1", "0x2");
  }

  @Test
  void anUnknownMachineIsRefused() {
    elf.putShort(18, (short) 22);
    assertRefused(18, "machine x86-64 (62)", "machine 22");
  }

  @Test
  void anObjectToBeLinkedIsRefusedByItsType() {
    elf.putShort(16, (short) 1);
    assertRefused(16, "an executable (2)", "type 1");
  }

  @Test
  void otherHeaderSizesAreRefused() {
    elf.putShort(54, (short) 32);
    assertRefused(54, "program header size 0x38", "0x20");
    elf.putShort(54, (short) 56);
    elf.putShort(52, (short) 52);
    assertRefused(52, "ELF header size 0x40", "0x34");
  }

  @Test
  void noHeaderAndAnEscapedCountAreRefused() {
    elf.putShort(56, (short) 0);
    assertRefused(56, "1..65534 program headers", "0x0");
    elf.putShort(56, (short) 0xffff);
    assertRefused(56, "1..65534 program headers", "0xffff");
  }

  @Test
  void headersPastTheEndOfTheFileAreRefused() {
    for (long offset : new long[] {bytes.length - 100, Long.MAX_VALUE, -1}) {
      elf.putLong(32, offset);
      assertRefused(32, "inside the file", "0x%x".formatted(offset));
    }
  }

  @Test
  void anEntryOutsideEverySegmentIsRefused() {
    elf.putLong(24, 1L << 40);
    assertRefused(24, "inside a loadable segment", "0x10000000000");
  }

  @Test
  void bytesPastTheEndOfTheFileAreRefused() {
    elf.putLong(loadable(1, 8), bytes.length & -4096L);
    assertRefused(loadable(1, 8), "inside the file", "0x");
    elf.putLong(loadable(1, 8), -4096);
    assertRefused(loadable(1, 8), "inside the file", "0xfffffffffffff000");
    elf.putLong(loadable(0, 32), bytes.length + 1L);
    assertRefused(loadable(0, 32), "at most the file's", "0x");
  }

  @Test
  void moreBytesInTheFileThanInMemoryAreRefused() {
    elf.putLong(loadable(1, 40), 0);
    assertRefused(loadable(1, 40), "at least the 0x", "0x0");
  }

  @Test
  void memoryPastTheHighestAddressIsRefused() {
    elf.putLong(loadable(1, 40), Long.MAX_VALUE);
    assertRefused(loadable(1, 16), "below 2^63", "0x");
    elf.putLong(loadable(0, 16), -4096);
    assertRefused(loadable(0, 16), "below 2^63", "0xfffffffffffff000");
  }

  @Test
  void anAlignmentThatIsNoPowerOfTwoIsRefused() {
    elf.putLong(loadable(0, 48), 0x3000);
    assertRefused(loadable(0, 48), "a power of two", "0x3000");
  }

  @Test
  void anAddressNotCongruentToItsOffsetIsRefused() {
    elf.putLong(loadable(1, 16), elf.getLong(loadable(1, 16)) + 16);
    assertRefused(loadable(1, 16), "congruent to offset", "0x");
  }

  @Test
  void segmentsThatOverlapAreRefused() {
    elf.putLong(loadable(0, 40), 0x8000);
    assertRefused(loadable(1, 16), "a page after the segment before", "0x");
  }

  @Test
  void segmentsOutOfOrderAreRefused() {
    long second = elf.getLong(loadable(1, 16));
    elf.putLong(loadable(1, 16), elf.getLong(loadable(2, 16)));
    elf.putLong(loadable(2, 16), second);
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedElfException.class)
        .hasMessageContaining("a page after the segment before");
  }

  @Test
  void aFileCutAnywhereInItsHeadersIsRefused() {
    int headers = table + sound.size() * PHDR;
    for (int length = 0; length < headers; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> ElfImage.read("ls", cut)).isInstanceOf(MalformedElfException.class);
    }
  }

  @Test
  void nothingButMalformedElfComesOutOfAFlippedByte() {
    int refused = 0;
    int headers = table + sound.size() * PHDR;
    for (int at = 0; at < headers; at++) {
      byte was = bytes[at];
      for (int value = 0; value < 256; value++) {
        bytes[at] = (byte) value;
        try {
          ElfImage image = read();
          image.segments().forEach(this::assertInside);
        } catch (MalformedElfException expected) {
          refused++;
        } catch (RuntimeException bug) {
          fail("byte 0x%x set to 0x%x".formatted(at, value), bug);
        }
      }
      bytes[at] = was;
    }
    assertThat(refused).isGreaterThan(20_000);
  }

  private void assertInside(LoadableSegment segment) {
    assertThat(segment.pages().contains(segment.filePages())).isTrue();
    assertThat(segment.zeroPages().length() + segment.filePages().length())
        .isEqualTo(segment.pages().length());
    assertThat(segment.zeroTail().length()).isLessThan(4096);
    assertThat(segment.fileSize() == 0 || segment.offset() + segment.fileSize() <= bytes.length)
        .isTrue();
  }
}
