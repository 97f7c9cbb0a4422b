package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.process.DirectIo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Direct I/O, dumps and follow_pfn with wrong arguments. */
class PinArgumentsTest {
  private static final long AT = 0x4000_0000L;

  private static MemorySegment closed() {
    try (Arena arena = Arena.ofConfined()) {
      return arena.allocate(64);
    }
  }

  @Test
  void wrongAddressesAndClosedObjectsAreRefusedAndNothingStaysPinned() throws Exception {
    try (TestMachine machine = new TestMachine()) {
      AddressSpace space = machine.space("s");
      AddrRange range = space.map(MapRequest.anonymous(2 * Pages.SIZE, Access.READ_WRITE).at(AT));
      DirectIo io = new DirectIo(space, MemorySegment.ofArray(new byte[8192]).asReadOnly());
      for (long va : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 4095, 0}) {
        assertThatExceptionOfType(MapException.class).isThrownBy(() -> io.read(va, 0, 10));
        assertThatExceptionOfType(MapException.class).isThrownBy(() -> space.followPfnMap(va));
        assertThatExceptionOfType(MapException.class)
            .isThrownBy(() -> space.getUserPages().followPfn(va));
        new DumpPages(space).page(va).close();
      }
      assertThat(io.read(AT, 0, 0)).isZero();
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> io.write(AT, 0, 10));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> io.read(AT, -1, 10));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> io.read(AT, Long.MAX_VALUE, Long.MAX_VALUE));
      DirectIo closed = new DirectIo(space, closed());
      assertThatIllegalStateException().isThrownBy(() -> closed.read(AT, 0, 8));
      machine.verify();
      space.close();
      assertThatExceptionOfType(MapException.class).isThrownBy(() -> io.read(AT, 0, 10));
      assertThatExceptionOfType(MapException.class).isThrownBy(() -> space.followPfnMap(AT));
      assertThatExceptionOfType(MapException.class)
          .isThrownBy(() -> space.advise(range, Advice.GUARD_INSTALL));
      new DumpPages(space).page(AT).close();
    }
  }
}
