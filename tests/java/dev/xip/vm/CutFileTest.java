package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Translation;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file that is cut while it is mapped, read and copied by compiled code, which the JVM tells of
 * the loss late: the exception is ours all the same, each time.
 */
class CutFileTest {
  private static final long START = 16L << 20;
  private static final int ROUNDS = 20_000;

  @TempDir Path folder;

  private record OnePage() implements Mappable {
    @Override
    public String name() {
      return "cut-file";
    }

    @Override
    public long size() {
      return 2 * Pages.SIZE;
    }

    @Override
    public Translation translate(long page) {
      return new Translation((START >>> Pages.SHIFT) + page, 1);
    }
  }

  @Test
  void compiledCopiesThrowOurExceptionEveryTime() throws IOException {
    Path path = Files.write(folder.resolve("data"), new byte[(int) (2 * Pages.SIZE)]);
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.openReadWrite(path);
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("reader")) {
      Region region = memory.claim("CUT", AddrRange.ofLength(START, 2 * Pages.SIZE), true);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ, Sharing.SHARED);
      long va = space.map(MapRequest.shared(new OnePage(), Access.READ)).start();
      AddressReader reader = new AddressReader(space);
      MemorySegment copy = MemorySegment.ofArray(new byte[512]);
      for (int i = 0; i < ROUNDS; i++) {
        reader.copy(va + Pages.SIZE, copy, 0, 512);
      }
      file.truncate(Pages.SIZE);
      int met = 0;
      for (int i = 0; i < 1000; i++) {
        met += meets(reader, va + Pages.SIZE, copy) ? 1 : 0;
      }
      assertThat(met).isEqualTo(1000);
      for (int i = 0; i < 1000; i++) {
        assertThatThrownBy(() -> copyBoth(reader, va))
            .isInstanceOf(MemoryFaultException.BusError.class)
            .hasMessageContaining("cut-file was cut while mapped, in or after page 0x1");
      }
      assertThat(meets(reader, va, copy)).as("the page that is left").isFalse();
    }
  }

  /** Copies from the page that is left and from the one that is gone. */
  private static void copyBoth(AddressReader reader, long va) throws MemoryFaultException {
    MemorySegment copies = MemorySegment.ofArray(new byte[1024]);
    reader.copyEach(new long[] {va, va + Pages.SIZE}, 2, 512, copies, 0);
  }

  private static boolean meets(AddressReader reader, long va, MemorySegment copy) {
    try {
      reader.copy(va, copy, 0, 512);
      return false;
    } catch (MemoryFaultException e) {
      return e.getMessage().contains("cut-file was cut");
    }
  }
}
