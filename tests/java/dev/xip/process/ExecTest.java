package dev.xip.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.elf.ElfImage;
import dev.xip.elf.LoadableSegment;
import dev.xip.elf.MalformedElfException;
import dev.xip.file.InPlaceFile;
import dev.xip.pagetable.Walk;
import dev.xip.phys.FrameUse;
import dev.xip.testing.Images;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryFaultException;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** exec, fork and exit of modelled processes, rule 6.4 of the kernel's semantics. */
class ExecTest {
  @TempDir static Path folder;
  private static Path packed;
  private static byte[] program;

  private ProcessMachine machine;
  private ModelledProcess process;

  @BeforeAll
  static void packPrograms() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    program = Files.readAllBytes(Programs.compile(tree, "fixed", "-no-pie", "-static"));
    Programs.compile(tree, "movable", "-pie", "-fPIE");
    Programs.compile(tree, "oldstack", "-no-pie", "-static", "-Wl,-z,execstack");
    Files.writeString(tree.resolve("script"), "#!/bin/sh\n");
    Files.write(tree.resolve("faraway"), farAway(program));
    packed = Images.ext2(tree);
  }

  /** The program with its last loadable segment past the address limit. */
  private static byte[] farAway(byte[] sound) {
    byte[] moved = sound.clone();
    ByteBuffer elf = ByteBuffer.wrap(moved).order(ByteOrder.LITTLE_ENDIAN);
    int last = 0;
    for (int i = 0; i < elf.getShort(56); i++) {
      int header = (int) elf.getLong(32) + 56 * i;
      last = elf.getInt(header) == 1 ? header : last;
    }
    elf.putLong(last + 16, elf.getLong(last + 16) + (1L << 50));
    return moved;
  }

  @BeforeEach
  void boot() throws IOException {
    machine = new ProcessMachine(packed, FrameStrategy.SPECIAL_BIT);
    process = machine.process("init");
  }

  @AfterEach
  void everythingGoesBackToZero() {
    process.close();
    machine.close();
  }

  private static void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(ExecException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageStartingWith(errno + ": exec of ");
  }

  private static byte[] read(AddressSpace space, AddrRange range) throws MemoryFaultException {
    byte[] bytes = new byte[(int) range.length()];
    new AddressReader(space).copy(range.start(), MemorySegment.ofArray(bytes), 0, bytes.length);
    return bytes;
  }

  private static boolean isSpecial(AddressSpace space, long va) {
    Walk walk = new Walk();
    return space.table().walk(va, walk) && space.table().layout().isSpecial(walk.pte());
  }

  private static AddrRange stackOf(AddressSpace space) {
    return space.vmas().getLast().range();
  }

  private static List<LoadableSegment> segments() throws MalformedElfException {
    return ElfImage.read("fixed", MemorySegment.ofArray(program)).segments();
  }

  @Test
  void argumentsAndEnvironmentReadBackFromTheNewStack() throws IOException {
    List<String> arguments = List.of("fixed", "", "-x", "größer", "a b");
    List<String> environment = List.of("HOME=/", "EMPTY=");
    process.exec(machine.open("fixed"), arguments, environment);
    assertThat(process.arguments()).isEqualTo(arguments);
    assertThat(process.environment()).isEqualTo(environment);
    AddrRange stack = stackOf(process.space());
    assertThat(new AddressReader(process.space()).getLong(stack.end() - 8)).isZero();
    machine.verify();
  }

  @Test
  void stringsOfAnyLengthCrossPages() throws IOException {
    Random random = new Random(20080116);
    List<String> arguments = new ArrayList<>();
    for (int length : new int[] {4094, 4095, 4096, 4097, 8191, 1, 0, 100_000, 131_071}) {
      arguments.add(
          random
              .ints(length, 'a', 'z' + 1)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString());
    }
    process.exec(machine.open("fixed"), arguments, List.of());
    assertThat(process.arguments()).isEqualTo(arguments);
    assertThat(process.environment()).isEmpty();
    assertThat(stackOf(process.space()).length()).isGreaterThan(60 * Pages.SIZE);
    assertThat(process.space().anonymousFrames())
        .as("the stack's pages, and the one that data and zeros share")
        .isEqualTo(stackOf(process.space()).length() / Pages.SIZE + 1);
  }

  @Test
  void everySegmentLiesAtItsAddressWithItsBytesAndZeros() throws IOException {
    process.exec(machine.open("fixed"), List.of("fixed"), List.of());
    for (LoadableSegment segment : segments()) {
      byte[] memory =
          read(process.space(), AddrRange.ofLength(segment.address(), segment.memorySize()));
      byte[] expected = new byte[memory.length];
      System.arraycopy(program, (int) segment.offset(), expected, 0, (int) segment.fileSize());
      assertThat(memory).isEqualTo(expected);
      Vma vma = process.space().find(segment.address());
      assertThat(vma.access()).isEqualTo(segment.access());
      assertThat(vma.file().name()).isEqualTo("fixed");
    }
    LoadableSegment data = segments().getLast();
    assertThat(data.zeroPages().length()).isGreaterThanOrEqualTo(3 * Pages.SIZE);
    assertThat(read(process.space(), data.zeroPages()))
        .containsOnly(0)
        .hasSize((int) data.zeroPages().length());
    assertThat(ElfImage.read("fixed", MemorySegment.ofArray(program)).entry())
        .isEqualTo(process.entry());
  }

  @Test
  void textIsTheImagesOwnPagesAndTakesNoFrame() throws IOException {
    process.exec(machine.open("fixed"), List.of("fixed"), List.of());
    AddressSpace space = process.space();
    long frames =
        machine.memory.allocator().inUse() - machine.memory.allocator().inUse(FrameUse.TABLE);
    int special = 0;
    for (LoadableSegment segment : segments()) {
      if (!segment.access().write()) {
        read(space, segment.filePages());
        for (long va = segment.filePages().start(); va < segment.filePages().end(); va += 4096) {
          assertThat(isSpecial(space, va)).isTrue();
          special++;
        }
      }
    }
    assertThat(special).isGreaterThanOrEqualTo(5);
    assertThat(
            machine.memory.allocator().inUse() - machine.memory.allocator().inUse(FrameUse.TABLE))
        .isEqualTo(frames);
    assertThat(space.fileFrames()).isZero();
  }

  @Test
  void theLastPageOfDataIsCopiedForItsZerosAndTheOthersAreNot() throws IOException {
    process.exec(machine.open("fixed"), List.of("fixed"), List.of());
    AddressSpace space = process.space();
    LoadableSegment data = segments().getLast();
    assertThat(space.copies()).isEqualTo(1);
    assertThat(isSpecial(space, data.zeroTail().start())).isFalse();
    read(space, AddrRange.ofLength(data.address(), data.fileSize()));
    assertThat(isSpecial(space, data.address())).isTrue();
  }

  @Test
  void aMovableProgramLiesTwoThirdsUp() throws IOException {
    process.exec(machine.open("movable"), List.of("movable"), List.of());
    AddressSpace space = process.space();
    long base = Pages.roundDown(machine.manager.addressLimit() / 3 * 2);
    assertThat(space.vmas().getFirst().range().start()).isEqualTo(base);
    assertThat(space.find(process.entry()).access().execute()).isTrue();
    assertThat(new AddressReader(space).getLong(base) & 0xffff_ffffL).isEqualTo(0x464c457fL);
  }

  @Test
  void theStackIsExecutableOnlyIfTheProgramAsksForIt() throws IOException {
    process.exec(machine.open("fixed"), List.of("fixed"), List.of());
    assertThat(process.space().vmas().getLast().access()).isEqualTo(Access.READ_WRITE);
    process.exec(machine.open("oldstack"), List.of("oldstack"), List.of());
    assertThat(process.space().vmas().getLast().access()).isEqualTo(new Access(true, true, true));
    assertThat(process.arguments()).containsExactly("oldstack");
  }

  @Test
  void theOldAddressSpaceIsClosed() throws IOException {
    process.exec(machine.open("fixed"), List.of("first"), List.of());
    AddressSpace old = process.space();
    process.exec(machine.open("movable"), List.of("second"), List.of());
    assertThat(machine.manager.spaces()).containsExactly(process.space());
    assertThat(old.vmas()).isEmpty();
    assertThat(process.arguments()).containsExactly("second");
  }

  @Test
  void tooLongStringsAreAnE2bigAndTheProcessGoesOn() throws IOException {
    InPlaceFile file = machine.open("fixed");
    process.exec(file, List.of("before"), List.of());
    assertRefused(
        Errno.E2BIG,
        () -> process.exec(file, List.of("x".repeat(ArgumentPages.LONGEST_STRING)), List.of()));
    List<String> many = List.of("y".repeat(100_000));
    List<String> all = new ArrayList<>();
    for (int i = 0; i < 21; i++) {
      all.addAll(many);
    }
    assertRefused(Errno.E2BIG, () -> process.exec(file, List.of("fixed"), all));
    assertThat(process.arguments()).containsExactly("before");
    assertThat(machine.manager.spaces()).containsExactly(process.space());
    machine.verify();
  }

  @Test
  void anE2bigForLackOfRamHasThatAsItsCause() throws IOException {
    InPlaceFile file = machine.open("fixed");
    long[] hoard = new long[(int) machine.memory.allocator().available() - 6];
    for (int i = 0; i < hoard.length; i++) {
      hoard[i] = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
    }
    assertThatThrownBy(() -> process.exec(file, List.of("z".repeat(50_000)), List.of()))
        .isInstanceOfSatisfying(
            ExecException.class, e -> assertThat(e.errno()).isEqualTo(Errno.E2BIG))
        .cause()
        .isInstanceOfSatisfying(
            MapException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
    for (long pfn : hoard) {
      machine.memory.allocator().put(pfn);
    }
    assertThat(machine.manager.spaces()).containsExactly(process.space());
  }

  @Test
  void aFileThatIsNoProgramIsAnEnoexecAndTheProcessGoesOn() throws IOException {
    process.exec(machine.open("fixed"), List.of("before"), List.of());
    InPlaceFile script = machine.open("script");
    assertThatThrownBy(() -> process.exec(script, List.of("script"), List.of()))
        .isInstanceOfSatisfying(
            ExecException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOEXEC))
        .hasCauseInstanceOf(MalformedElfException.class);
    assertThat(process.arguments()).containsExactly("before");
  }

  @Test
  void aProgramThatCannotBeMappedKillsTheProcess() throws IOException {
    process.exec(machine.open("fixed"), List.of("before"), List.of());
    InPlaceFile faraway = machine.open("faraway");
    assertThatThrownBy(() -> process.exec(faraway, List.of("faraway"), List.of()))
        .isInstanceOfSatisfying(ExecException.class, e -> assertThat(e.isKilled()).isTrue())
        .isInstanceOfSatisfying(
            ExecException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM))
        .hasMessageStartingWith("SIGKILL: exec of ");
    assertThat(machine.manager.spaces()).isEmpty();
    assertRefused(Errno.ESRCH, () -> process.exec(faraway, List.of("faraway"), List.of()));
  }

  @Test
  void aStringWithANulIsRefused() throws IOException {
    InPlaceFile file = machine.open("fixed");
    assertThatThrownBy(() -> process.exec(file, List.of("a\0b"), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("EINVAL");
    assertThat(process.space().vmas()).isEmpty();
  }

  @Test
  void aChildHasItsParentsMemoryAndThenItsOwn() throws IOException {
    process.exec(machine.open("fixed"), List.of("parent"), List.of("A=1"));
    long zeros = segments().getLast().zeroPages().start();
    new AddressWriter(process.space()).putLong(zeros, 1);
    try (ModelledProcess child = process.fork("child")) {
      assertThat(child.arguments()).containsExactly("parent");
      assertThat(child.environment()).containsExactly("A=1");
      assertThat(child.entry()).isEqualTo(process.entry());
      new AddressWriter(child.space()).putLong(zeros, 2);
      assertThat(new AddressReader(process.space()).getLong(zeros)).isEqualTo(1);
      assertThat(new AddressReader(child.space()).getLong(zeros)).isEqualTo(2);
      child.exec(machine.open("movable"), List.of("another"), List.of());
      assertThat(process.arguments()).containsExactly("parent");
      machine.verify();
    }
    machine.verify();
  }

  @Test
  void aProcessThatHasExitedDoesNothingMore() throws IOException {
    InPlaceFile file = machine.open("fixed");
    process.exec(file, List.of("fixed"), List.of());
    process.exit();
    process.exit();
    assertRefused(Errno.ESRCH, () -> process.exec(file, List.of("fixed"), List.of()));
    assertThatThrownBy(() -> process.fork("child"))
        .isInstanceOfSatisfying(
            MapException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    assertThatThrownBy(process::arguments).isInstanceOf(MemoryFaultException.class);
  }
}
