package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import dev.xip.testing.ProcMaps;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMappingTest {
  @TempDir Path folder;

  private HostFile file(int bytes) throws IOException {
    byte[] content = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      content[i] = (byte) (i >>> 12);
    }
    return HostFile.openReadWrite(Files.write(folder.resolve("file"), content));
  }

  @Test
  void aPartOfAFileIsItsOwnBytes() throws IOException {
    try (HostFile file = file(0x3001);
        HostMapping map = HostMapping.map(file, 0x1000, 0x2001, Access.READ, Sharing.SHARED)) {
      assertThat(map.memory().byteSize()).isEqualTo(0x2001);
      assertThat(map.memory().get(JAVA_BYTE, 0)).isEqualTo((byte) 1);
      assertThat(map.memory().get(JAVA_BYTE, 0x2000)).isEqualTo((byte) 3);
      assertThat(map.address()).isEqualTo(map.memory().address());
    }
  }

  @Test
  void aMappingOutlivesItsFile() throws IOException {
    HostFile file = file(0x1000);
    try (HostMapping map = HostMapping.map(file, 0, 0x1000, Access.READ, Sharing.SHARED)) {
      file.close();
      assertThat(map.memory().get(JAVA_BYTE, 0xfff)).isZero();
    }
  }

  @Test
  void memoryWithoutWriteAccessIsReadOnly() throws IOException {
    try (HostFile file = file(0x1000);
        HostMapping map = HostMapping.map(file, 0, 0x1000, Access.READ, Sharing.SHARED)) {
      assertThat(map.memory().isReadOnly()).isTrue();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> map.memory().set(JAVA_BYTE, 0, (byte) 1));
    }
  }

  @Test
  void sharedStoresReachTheFileAndPrivateOnesDoNot() throws IOException {
    try (HostFile file = file(0x1000);
        HostMapping shared = HostMapping.map(file, 0, 0x1000, Access.READ_WRITE, Sharing.SHARED);
        HostMapping own = HostMapping.map(file, 0, 0x1000, Access.READ_WRITE, Sharing.PRIVATE)) {
      own.memory().set(JAVA_BYTE, 1, (byte) 7);
      shared.memory().set(JAVA_BYTE, 0, (byte) 9);
    }
    assertThat(Files.readAllBytes(folder.resolve("file"))).startsWith(9, 0);
  }

  @Test
  void writingToASharedMappingNeedsAFileOpenForWriting() throws IOException {
    file(0x1000).close();
    try (HostFile file = HostFile.openReadOnly(folder.resolve("file"))) {
      assertThatExceptionOfType(HostException.class)
          .isThrownBy(() -> HostMapping.map(file, 0, 0x1000, Access.READ_WRITE, Sharing.SHARED))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EACCES))
          .withMessageMatching(
              "mmap\\(addr=0x0, length=0x1000, prot=0x3, flags=0x1, fd=\\d+ .*/file, offset=0x0\\)"
                  + ": EACCES \\(Permission denied\\)");
    }
  }

  @Test
  void aRangePastTheEndIsRefused() throws IOException {
    try (HostFile file = file(0x1800)) {
      assertThatExceptionOfType(HostException.class)
          .isThrownBy(() -> HostMapping.map(file, 0x1000, 0x801, Access.READ, Sharing.SHARED))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENXIO))
          .withMessageContaining("of 0x1800 bytes");
    }
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    try (HostFile file = file(0)) {
      assertThatExceptionOfType(HostException.class)
          .isThrownBy(() -> HostMapping.map(file, 0, 1, Access.READ, Sharing.SHARED));
    }
  }

  @Test
  void wrongArgumentsAreNamedWithTheirValue() throws IOException {
    try (HostFile file = file(0x2000)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> HostMapping.map(file, 0x801, 1, Access.READ, Sharing.SHARED))
          .withMessageContaining("file offset 0x801");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> HostMapping.map(file, -0x1000, 1, Access.READ, Sharing.SHARED))
          .withMessageContaining("0xfffffffffffff000");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> HostMapping.map(file, 0, 0, Access.READ, Sharing.SHARED))
          .withMessage("length 0x0: expected more than 0");
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> HostMapping.map(file, 0x1000, Long.MAX_VALUE, Access.READ, Sharing.SHARED))
          .withMessageContaining("expected an end below 2^63");
    }
  }

  @Test
  void anAdviceInsideIsTakenAndOneOutsideRefused() throws IOException {
    try (HostFile file = file(0x2800);
        HostMapping map = HostMapping.map(file, 0, 0x2800, Access.READ, Sharing.SHARED)) {
      map.advise(0, 0x2800, Advice.POPULATE_READ);
      map.advise(0x1000, 0x800, Advice.RANDOM);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> map.advise(0x1000, 0x1801, Advice.NORMAL))
          .withMessageContaining("expected inside 0x2800 bytes");
    }
  }

  @Test
  void aPageThatWasCutAwayIsAnErrorAndNoCrash() throws IOException {
    try (HostFile file = file(0x2000);
        HostMapping map = HostMapping.map(file, 0, 0x2000, Access.READ, Sharing.SHARED);
        HostMapping other = HostMapping.map(file, 0, 0x2000, Access.READ, Sharing.SHARED)) {
      file.truncate(0x1000);
      assertThat(map.memory().get(JAVA_BYTE, 0xfff)).isZero();
      MemorySegment memory = map.memory();
      assertThat(LostPages.of(memory)).isNull();
      assertThat(memory.get(JAVA_BYTE, 0x1000)).isZero();
      assertThat(LostPages.of(memory).lostFrom()).isEqualTo(map.address() + 0x1000);
      assertThat(LostPages.of(memory.asSlice(0, 0x1000))).isNull();
      assertThatExceptionOfType(HostException.class)
          .isThrownBy(() -> other.advise(0, 0x2000, Advice.POPULATE_READ))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
    }
  }

  @Test
  void closeLeavesNothingMappedAndNothingReachable() throws IOException {
    HostMapping map;
    try (HostFile file = file(0x2001)) {
      map = HostMapping.map(file, 0, 0x2001, Access.READ, Sharing.SHARED);
    }
    MemorySegment memory = map.memory();
    assertThat(ProcMaps.containing(folder.toString())).hasSize(1);
    map.close();
    map.close();
    assertThat(ProcMaps.containing(folder.toString())).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> memory.get(JAVA_BYTE, 0));
    assertThatIllegalStateException().isThrownBy(() -> map.advise(0, 1, Advice.NORMAL));
  }
}
