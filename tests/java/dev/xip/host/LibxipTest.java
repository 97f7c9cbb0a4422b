package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.bindings.PteBits;
import dev.xip.host.WalkResult.State;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibxipTest {
  private static final int LAYOUT = PteBits.XIP_LAYOUT_X86_64();
  private static final long ROOT = 0;
  private static final long SIZE = 4L << 20;
  private static final long TABLES = 64 << 12;
  private static final long USER = 0x25;
  private static final long SPECIAL = 0x200;
  private static final long HUGE = 0x80;
  private static final AddrRange ALL = new AddrRange(0, 1L << 47);

  private final Libxip libxip = Libxip.get();
  private final TablePages supply = new TablePages(1, 64);
  private Reservation window;
  private MemorySegment mem;

  @BeforeEach
  void bootWindow() throws IOException {
    window = Reservation.readableZeros(SIZE);
    window.mapAnonymous(0, TABLES, Access.READ_WRITE);
    mem = window.memory();
  }

  @AfterEach
  void giveBack() {
    window.close();
  }

  private void set(long va, long pte, int level) throws HostException {
    libxip.set(mem, LAYOUT, ROOT, va, pte, level, supply);
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void theLibraryIsFoundAndIsTheFileItNames() {
    assertThat(Path.of(libxip.place())).isRegularFile();
  }

  @Test
  void anAbsentLibraryIsToldWithThePlacesAndTheProperty(@TempDir Path folder) {
    Path absent = folder.resolve("absent.so");
    assertThatExceptionOfType(UnsatisfiedLinkError.class)
        .isThrownBy(() -> LibxipLoader.load(absent, "META-INF/native/plan9-vax/libxip.so"))
        .withMessageContaining(absent + " is not there, nor file:")
        .withMessageContaining("!/META-INF/native/plan9-vax/libxip.so")
        .withMessageContaining("-Dxip.library=FILE");
  }

  @Test
  void aFileThatIsNoLibraryIsNamedAndNoOtherPlaceIsTaken() {
    Path program = Path.of("/proc/self/exe");
    assertThatExceptionOfType(UnsatisfiedLinkError.class)
        .isThrownBy(() -> LibxipLoader.load(program, "META-INF/MANIFEST.MF"))
        .withMessageContaining(program + ": ");
  }

  @Test
  void anEntryThatCannotBeLinkedIsNamedWithTheReason() {
    assertThatExceptionOfType(UnsatisfiedLinkError.class)
        .isThrownBy(() -> LibxipLoader.load(null, "dev/xip/host/Libxip.class"))
        .withMessageContaining("!/dev/xip/host/Libxip.class, in a memfd: ")
        .withMessageContaining("invalid ELF header");
  }

  @Test
  void whatWasSetIsWalked() throws IOException {
    set(0x7f12_3456_7000L, 0x10_0000 | USER | SPECIAL, 0);
    assertThat(libxip.walk(mem, LAYOUT, ROOT, 0x7f12_3456_7abcL))
        .isEqualTo(
            new WalkResult(0x7f12_3456_7abcL, 0x10_0225, 0x10_0abc, 0, State.PRESENT, true, 12));
    assertThat(supply.nextPfn()).isEqualTo(4);
  }

  @Test
  void aHugeLeafEndsTheWalkAtItsLevel() throws IOException {
    set(0x4000_0000L, 0x20_0000 | USER | HUGE, 1);
    assertThat(libxip.walk(mem, LAYOUT, ROOT, 0x401f_ffffL))
        .isEqualTo(new WalkResult(0x401f_ffffL, 0x20_00a5, 0x3f_ffff, 1, State.PRESENT, false, 21));
  }

  @Test
  void javaSeesTheEntriesThatCWrote() throws IOException {
    set(0, 0x10_0000 | USER, 0);
    assertThat(mem.get(JAVA_LONG, 0)).isEqualTo(0x1067);
    assertThat(mem.get(JAVA_LONG, 3 << 12)).isEqualTo(0x10_0025);
  }

  @Test
  void cSeesTheEntriesThatJavaWrote() {
    mem.set(JAVA_LONG, 8, 0x7fff_ffff_f067L);
    assertThat(libxip.walk(mem, LAYOUT, ROOT, 1L << 39).state()).isEqualTo(State.BAD);
    mem.set(JAVA_LONG, 8, 0x7fff_ffff_f066L);
    assertThat(libxip.walk(mem, LAYOUT, ROOT, 1L << 39).state()).isEqualTo(State.NOT_PRESENT);
    mem.set(JAVA_LONG, 8, 0);
    assertThat(libxip.walk(mem, LAYOUT, ROOT, 1L << 39).state()).isEqualTo(State.NONE);
  }

  @Test
  void aDumpListsWhatARangeHolds() throws IOException {
    set(0x1000, 0x10_0000 | USER, 0);
    set(0x3000, 0x10_0000 | 0x100, 0);
    set(0x20_0000, 0x20_0000 | USER | HUGE | SPECIAL, 1);
    List<WalkResult> all = libxip.dump(mem, LAYOUT, ROOT, ALL);
    assertThat(all).extracting(WalkResult::va).containsExactly(0x1000L, 0x3000L, 0x20_0000L);
    assertThat(all)
        .extracting(WalkResult::state)
        .containsExactly(State.PRESENT, State.PROT_NONE, State.PRESENT);
    assertThat(libxip.dump(mem, LAYOUT, ROOT, new AddrRange(0x2000, 0x20_0000))).hasSize(1);
    assertThat(libxip.dump(mem, LAYOUT, ROOT, new AddrRange(0x1000, 0x1000))).isEmpty();
  }

  @Test
  void aDumpHasRoomForMoreThanOneTable() throws IOException {
    for (long va = 0; va < 600L << 12; va += 0x1000) {
      set(va, 0x10_0000 | USER, 0);
    }
    assertThat(libxip.dump(mem, LAYOUT, ROOT, ALL)).hasSize(600);
  }

  @Test
  void bytesAreReadThroughTheTables() throws IOException {
    try (HostFile file = HostFile.memfd("segment");
        Arena arena = Arena.ofConfined()) {
      file.truncate(0x2000);
      file.write(0x1000, arena.allocateFrom("text"));
      window.mapFile(0x10_0000, 0x2000, file, 0, Access.READ, Sharing.SHARED);
      set(0x5000, 0x10_0000 | USER | SPECIAL, 0);
      set(0x6000, 0x10_1000 | USER | SPECIAL, 0);
      MemorySegment dst = arena.allocate(0x2000);
      assertThat(libxip.read(mem, LAYOUT, ROOT, 0x5000, dst)).isEqualTo(0x2000);
      assertThat(dst.getString(0x1000, US_ASCII)).isEqualTo("text");
      assertThat(libxip.read(mem, LAYOUT, ROOT, 0x6000, dst)).isEqualTo(0x1000);
      refused(Errno.EFAULT, () -> libxip.read(mem, LAYOUT, ROOT, 0x7000, dst));
      assertThat(libxip.read(mem, LAYOUT, ROOT, 0x7000, dst.asSlice(0, 0))).isZero();
    }
  }

  @Test
  void aCutFileIsReadUpToTheCut() throws IOException {
    try (HostFile file = HostFile.memfd("segment");
        Arena arena = Arena.ofConfined()) {
      file.truncate(0x2000);
      window.mapFile(0x10_0000, 0x2000, file, 0, Access.READ, Sharing.SHARED);
      set(0x5000, 0x10_0000 | USER | SPECIAL, 0);
      set(0x6000, 0x10_1000 | USER | SPECIAL, 0);
      file.truncate(0x1000);
      MemorySegment dst = arena.allocate(0x2000);
      assertThat(libxip.read(mem, LAYOUT, ROOT, 0x5000, dst)).isEqualTo(0x1000);
      assertThat(libxip.sumOfLongs(mem.asSlice(0x10_0000, 0x2000))).isZero();
      assertThat(libxip.read(mem, LAYOUT, ROOT, 0x5000, dst)).isEqualTo(0x1000);
      refused(Errno.EFAULT, () -> libxip.read(mem, LAYOUT, ROOT, 0x6000, dst));
      file.truncate(0);
      refused(Errno.EFAULT, () -> libxip.read(mem, LAYOUT, ROOT, 0x5000, dst));
      mem.set(JAVA_LONG, 8, 0x10_0067);
      refused(Errno.EFAULT, () -> libxip.read(mem, TABLES, LAYOUT, ROOT, 1L << 39, dst));
    }
  }

  @Test
  void setRefusesWhatDoesNotFit() throws IOException {
    refused(Errno.EINVAL, () -> set(0x1001, USER, 0));
    refused(Errno.EINVAL, () -> set(0, 0x20_0000 | USER, 1));
    refused(Errno.EINVAL, () -> set(0, USER | HUGE, 3));
    set(0x20_0000, 0x20_0000 | USER | HUGE, 1);
    refused(Errno.EEXIST, () -> set(0x20_0000, USER, 0));
    refused(
        Errno.ENOMEM,
        () -> libxip.set(mem, LAYOUT, ROOT, 1L << 40, USER, 0, new TablePages(9, 10)));
  }

  @Test
  void theLoopInCAddsUpAsJavaDoes() {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    long[] numbers = new Random(seed).longs(10_007).toArray();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(JAVA_LONG, numbers);
      assertThat(libxip.sumOfLongs(memory))
          .as("-Dxip.seed=%d", seed)
          .isEqualTo(LongStream.of(numbers).sum());
      assertThat(libxip.sumOfLongs(memory.asSlice(0, 0))).isZero();
    }
  }

  @Test
  void wrongArgumentsAreRefusedBeforeMemoryIsTouched() {
    MemorySegment heap = MemorySegment.ofArray(new long[1024]);
    assertThatIllegalArgumentException().isThrownBy(() -> libxip.walk(heap, LAYOUT, 0, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.walk(mem.asSlice(8, 0x1000), LAYOUT, 0, 0))
        .withMessageContaining("window address");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.walk(mem.asSlice(0, 0x1001), LAYOUT, 0, 0))
        .withMessageContaining("window size 0x1001");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.walk(mem, LAYOUT, SIZE >> 12, 0))
        .withMessageContaining("root frame 0x400");
    assertThatIllegalArgumentException().isThrownBy(() -> libxip.walk(mem, LAYOUT, -1, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.walk(mem, LAYOUT, ROOT, 1L << 47))
        .withMessageContaining("va 0x800000000000");
    assertThatIllegalArgumentException().isThrownBy(() -> libxip.walk(mem, LAYOUT, ROOT, -1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.walk(mem, 77, ROOT, 0))
        .withMessageContaining("layout 77");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.dump(mem, PteBits.XIP_LAYOUT_S390X(), (SIZE >> 12) - 3, ALL))
        .withMessageContaining("a whole root table");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.dump(mem, LAYOUT, ROOT, new AddrRange(0, (1L << 47) + 1)));
    assertThatIllegalArgumentException().isThrownBy(() -> libxip.read(mem, LAYOUT, ROOT, 0, heap));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.read(mem, LAYOUT, ROOT, 0, mem.asReadOnly()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.read(mem, SIZE + 0x1000, LAYOUT, ROOT, 0, mem));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.read(mem, 0, LAYOUT, ROOT, 0, mem));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.read(mem, 0x1000, LAYOUT, 1, 0, mem));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.set(mem.asReadOnly(), LAYOUT, ROOT, 0, 0, 0, supply));
    assertThatIllegalArgumentException().isThrownBy(() -> new TablePages(5, 4));
    assertThatIllegalArgumentException().isThrownBy(() -> libxip.sumOfLongs(heap));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.sumOfLongs(mem.asSlice(0, 12)))
        .withMessageContaining("0xc bytes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> libxip.sumOfLongs(mem.asSlice(4, 8)))
        .withMessageContaining("multiples of 8");
  }

  @Test
  void theExpectedVersionIsThatOfTheHeader() {
    assertThat(GuardCalls.ABI_VERSION).isEqualTo(dev.xip.bindings.Xip.XIP_ABI_VERSION());
  }

  /** Loads the library. */
  static final class Loads {
    private Loads() {}

    public static void main(String[] none) {
      Libxip.get();
    }
  }

  @Test
  void aLibraryOfAnotherVersionInTheJarIsToldByItsVersion(@TempDir Path folder) throws IOException {
    Path classes = folder.resolve("classes");
    for (Class<?> each : List.of(Loads.class, Libxip.class)) {
      Processes.run("cp", "-r", Jvm.placeOf(each) + "/.", classes.toString());
    }
    Path entry =
        classes.resolve(
            "META-INF/native/linux-%s/libxip.so".formatted(System.getProperty("os.arch")));
    Files.createDirectories(entry.getParent());
    Path source =
        Files.writeString(
            folder.resolve("old.c"),
            "int Java_dev_xip_host_GuardCalls_abiVersion(void *env, void *type) { return 1; }\n");
    Processes.run("gcc", "-shared", "-fPIC", "-o", entry.toString(), source.toString());
    Processes.Output output =
        Processes.runAny(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classes.toString(),
            Loads.class.getName());
    assertThat(output.err())
        .contains("libxip.so: ABI version 1, expected %d.".formatted(GuardCalls.ABI_VERSION));
  }
}
