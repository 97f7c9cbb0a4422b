package dev.xip.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.elf.ElfMachine;
import dev.xip.mapping.PhysicalRange;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.Advice;
import dev.xip.vm.DumpPages;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** rules.md, "Core dump": what is written and what is a hole, with readelf and gdb as judges. */
class CoreFileTest {
  @TempDir static Path folder;
  private static Path packed;

  private ProcessMachine machine;
  private ModelledProcess process;
  private AddressSpace space;

  @BeforeAll
  static void packPrograms() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Programs.compile(tree, "fixed", "-no-pie", "-static");
    packed = Images.ext2(tree);
  }

  @BeforeEach
  void boot() throws IOException {
    boot(FrameStrategy.SPECIAL_BIT);
  }

  private void boot(FrameStrategy strategy) throws IOException {
    machine = new ProcessMachine(packed, strategy);
    process = machine.process("init");
    process.exec(machine.open("/fixed"), List.of("/fixed", "marker"), List.of());
    space = process.space();
  }

  @AfterEach
  void everythingGoesBackToZero() {
    process.close();
    machine.close();
  }

  /** The core file that was written last. */
  private Path core;

  private CoreFile dump() throws IOException {
    core = Files.createTempFile(folder, "core", "");
    try (FileChannel to = FileChannel.open(core, StandardOpenOption.WRITE)) {
      return CoreFile.write(space, ElfMachine.X86_64, DumpPages.DEFAULT, to);
    }
  }

  private AddrRange anonymous(int pages) throws IOException {
    return space.map(MapRequest.anonymous(pages * Pages.SIZE, Access.READ_WRITE));
  }

  private void store(long va, int value) throws IOException {
    new AddressWriter(space).putByte(va, (byte) value);
  }

  /** The bytes that the file has for an address. */
  private byte[] dumped(long va, int length) throws IOException {
    long at = Pages.roundUp(64 + 56L * space.vmas().size());
    DumpPages dump = new DumpPages(space);
    for (Vma vma : space.vmas()) {
      long bytes = dump.bytesOf(vma, DumpPages.DEFAULT);
      if (va >= vma.range().start() && va < vma.range().start() + bytes) {
        try (FileChannel from = FileChannel.open(core)) {
          ByteBuffer read = ByteBuffer.allocate(length);
          from.read(read, at + va - vma.range().start());
          return read.array();
        }
      }
      at += bytes;
    }
    throw new AssertionError("0x%x is not in the dump".formatted(va));
  }

  @ParameterizedTest
  @EnumSource(
      value = FrameStrategy.class,
      names = {"SPECIAL_BIT", "MEM_SEGS_SPIN_LOCK", "SPARSE", "REFCOUNT_PTE_BIT"})
  void copiesAreWrittenAndPagesWithoutAFrameAreHoles(FrameStrategy strategy) throws IOException {
    everythingGoesBackToZero();
    boot(strategy);
    for (Vma vma : space.vmas()) {
      if (!vma.isAnonymous()) {
        new AddressReader(space).getByte(vma.range().start());
      }
    }
    Vma data =
        space.vmas().stream()
            .filter(vma -> !vma.isAnonymous() && vma.access().write())
            .findFirst()
            .orElseThrow();
    store(data.range().start(), 'X');
    long frames = machine.memory.allocator().available();
    DumpPages pages = new DumpPages(space);
    long all = space.vmas().stream().mapToLong(vma -> pages.bytesOf(vma, DumpPages.DEFAULT)).sum();
    long copies = space.anonymousFrames();
    assertThat(dump()).isEqualTo(new CoreFile(copies, (all >>> Pages.SHIFT) - copies));
    assertThat(machine.memory.allocator().available()).isEqualTo(frames);
    assertThat(dumped(data.range().start(), 1)).containsExactly('X');
    assertThat(space.fileFrames()).isZero();
    machine.verify();
  }

  @Test
  void untouchedAndZeroPagesAreHoles() throws IOException {
    long before = space.anonymousFrames();
    AddrRange range = anonymous(4);
    store(range.start(), 'A');
    new AddressReader(space).getByte(range.start() + Pages.SIZE);
    assertThat(dump().pages()).isEqualTo(before + 1);
    assertThat(space.anonymousFrames()).as("nothing was faulted in").isEqualTo(before + 1);
    assertThat(dumped(range.start(), 1)).containsExactly('A');
    assertThat(dumped(range.start() + Pages.SIZE, 4096)).containsOnly(0);
  }

  @Test
  void memoryOfDevicesAndWhatAdviceLeavesOutIsNotDumped() throws IOException {
    DumpPages dump = new DumpPages(space);
    AddrRange range = anonymous(1);
    store(range.start(), 'A');
    assertThat(dump.bytesOf(space.find(range.start()), DumpPages.DEFAULT)).isEqualTo(Pages.SIZE);
    space.advise(range, Advice.DONTDUMP);
    assertThat(dump.bytesOf(space.find(range.start()), DumpPages.DEFAULT)).isZero();
    space.advise(range, Advice.DODUMP);
    assertThat(dump.bytesOf(space.find(range.start()), DumpPages.DEFAULT)).isEqualTo(Pages.SIZE);
    AddrRange device =
        space.map(
            MapRequest.shared(
                new PhysicalRange("device", AddrRange.ofLength(0, Pages.SIZE), false, true),
                Access.READ));
    assertThat(dump.bytesOf(space.find(device.start()), EnumSet.allOf(DumpPages.Kind.class)))
        .isZero();
    assertThat(dump.page(device.start()).count()).isZero();
  }

  @Test
  void theFilterChooses() throws IOException {
    DumpPages dump = new DumpPages(space);
    AddrRange shared =
        space.map(MapRequest.anonymous(2 * Pages.SIZE, Access.READ_WRITE).with(MapFlag.SHARED));
    Vma sharedVma = space.find(shared.start());
    assertThat(dump.bytesOf(sharedVma, DumpPages.DEFAULT)).isEqualTo(2 * Pages.SIZE);
    assertThat(dump.bytesOf(sharedVma, EnumSet.of(DumpPages.Kind.MAPPED_SHARED))).isZero();
    Vma text =
        space.vmas().stream()
            .filter(vma -> !vma.isAnonymous() && vma.access().execute())
            .findFirst()
            .orElseThrow();
    assertThat(dump.bytesOf(text, DumpPages.DEFAULT)).isZero();
    assertThat(dump.bytesOf(text, EnumSet.of(DumpPages.Kind.MAPPED_PRIVATE)))
        .isEqualTo(text.range().length());
    Vma first = space.vmas().getFirst();
    assertThat(first.pageOffset()).isZero();
    assertThat(dump.bytesOf(first, DumpPages.DEFAULT)).as("an ELF header").isEqualTo(Pages.SIZE);
  }

  @Test
  void readelfListsASegmentForEachMapping() throws IOException {
    String readelf = Judge.program("readelf").toString();
    AddrRange range = anonymous(2);
    store(range.start(), 'A');
    dump();
    Processes.Output listed = Processes.run(readelf, "-h", "-lW", core.toString());
    assertThat(listed.err()).isEmpty();
    assertThat(listed.out()).contains("CORE (Core file)", "X86-64");
    DumpPages dump = new DumpPages(space);
    for (Vma vma : space.vmas()) {
      assertThat(listed.out())
          .containsPattern(
              "LOAD +0x[0-9a-f]+ 0x%016x 0x0+ 0x%06x 0x%06x"
                  .formatted(
                      vma.range().start(),
                      dump.bytesOf(vma, DumpPages.DEFAULT),
                      vma.range().length()));
    }
  }

  @Test
  void gdbReadsCopiesAsTheyAreAndHolesAsZeros() throws IOException {
    String gdb = Judge.program("gdb").toString();
    AddrRange range = anonymous(2);
    for (int i = 0; i < 5; i++) {
      store(range.start() + i, "hello".charAt(i));
    }
    Vma text = space.vmas().getFirst();
    new AddressReader(space).getByte(text.range().start());
    dump();
    Processes.Output shown =
        Processes.runAny(
            gdb,
            "-nx",
            "-batch",
            "-c",
            core.toString(),
            "-ex",
            "x/s 0x%x".formatted(range.start()),
            "-ex",
            "x/4xb 0x%x".formatted(text.range().start()));
    assertThat(shown.out())
        .as(shown.err())
        .contains("0x%x:\t\"hello\"".formatted(range.start()))
        .as("the ELF header of the text has no page frame")
        .contains("0x%x:\t0x00\t0x00\t0x00\t0x00".formatted(text.range().start()));
  }
}
