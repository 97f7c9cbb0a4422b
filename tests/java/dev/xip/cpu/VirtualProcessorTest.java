package dev.xip.cpu;

import static dev.xip.cpu.GuestMachine.attempt;
import static dev.xip.cpu.GuestMachine.fetch;
import static dev.xip.cpu.GuestMachine.fileByte;
import static dev.xip.cpu.GuestMachine.load;
import static dev.xip.cpu.GuestMachine.loaded;
import static dev.xip.cpu.GuestMachine.store;
import static dev.xip.cpu.GuestMachine.walk;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.GuestPages;
import dev.xip.host.HostFile;
import dev.xip.host.Register;
import dev.xip.host.Sharing;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.Region;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import dev.xip.vm.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What user mode does on a processor whose MMU walks the tables of an address space. */
class VirtualProcessorTest {
  private static final long VA = 0x5000_0000L;
  private static final int UNDEFINED_INSTRUCTION = 6;
  private static final int GENERAL_PROTECTION = 13;
  private static final long NOWHERE = 512L << 20;

  @TempDir Path folder;
  private GuestMachine machine;
  private AddressSpace space;
  private VirtualProcessor cpu;
  private EntryLayout layout;
  private PageTable table;

  @BeforeEach
  void boot() throws IOException {
    machine = new GuestMachine(folder);
    space = machine.manager.newAddressSpace("test");
    table = space.table();
    layout = table.layout();
    cpu = machine.processors.take();
    cpu.use(space);
  }

  @AfterEach
  void everythingGoesBack() throws IOException {
    if (machine != null && machine.processors != null) {
      cpu.close();
      assertThat(Verifier.verify(machine.manager)).isEmpty();
      machine.close();
    }
  }

  private void mapFile(Access access) throws IOException {
    space.map(MapRequest.privately(machine.file, access).at(VA).pages(0, 64 * Pages.SIZE));
  }

  private void mapAnonymous() throws IOException {
    space.map(MapRequest.anonymous(16 * Pages.SIZE, Access.READ_WRITE).at(VA));
  }

  private long pte(long va) {
    return walk(space, va).pte();
  }

  @Test
  void aLoadReadsTheSegmentsOwnByteThroughASpecialEntry() throws IOException {
    mapFile(Access.READ);
    assertThat(load(cpu, VA + 5 * Pages.SIZE)).isEqualTo(Exit.SystemCall.CALL);
    assertThat(loaded(cpu)).isEqualTo(fileByte(5));
    assertThat(layout.isSpecial(pte(VA + 5 * Pages.SIZE))).isTrue();
    assertThat(space.fileFrames() + space.anonymousFrames()).isZero();
  }

  @Test
  void aHugeSpecialLeafIsTranslated() throws IOException {
    space.map(MapRequest.shared(machine.file, Access.READ).at(4L << 30));
    assertThat(load(cpu, (4L << 30) + 700 * Pages.SIZE)).isEqualTo(Exit.SystemCall.CALL);
    assertThat(loaded(cpu)).isEqualTo(fileByte(700));
    assertThat(walk(space, (4L << 30) + 700 * Pages.SIZE).level()).isEqualTo(Level.PMD);
  }

  @Test
  void aFaultTellsAddressAndAccess() throws IOException {
    long user = GuestPages.BASE;
    mapFile(Access.READ);
    assertThat(attempt(cpu, user + GuestPages.USER_LOAD, VA + 7, 0))
        .isEqualTo(new Exit.PageFault(VA + 7, Access.READ, false));
    assertThat(cpu.get(Register.RIP)).isEqualTo(user + GuestPages.USER_LOAD);
    assertThat(attempt(cpu, user + GuestPages.USER_STORE, VA + 7, 0))
        .isEqualTo(new Exit.PageFault(VA + 7, Access.WRITE, false));
    assertThat(attempt(cpu, VA + 7, 0, 0))
        .isEqualTo(new Exit.PageFault(VA + 7, Access.EXECUTE, false));
    load(cpu, VA);
    assertThat(attempt(cpu, user + GuestPages.USER_STORE, VA, 0))
        .isEqualTo(new Exit.PageFault(VA, Access.WRITE, true));
    assertThat(attempt(cpu, VA, 0, 0)).isEqualTo(new Exit.PageFault(VA, Access.EXECUTE, true));
  }

  @Test
  void aStoreToAPrivateMappingGoesToACopy() throws IOException {
    mapFile(Access.READ_WRITE);
    load(cpu, VA);
    assertThat(store(cpu, VA, 99)).isEqualTo(Exit.SystemCall.CALL);
    load(cpu, VA);
    assertThat(loaded(cpu)).isEqualTo((byte) 99);
    load(cpu, VA + 1);
    assertThat(loaded(cpu)).isEqualTo(fileByte(0));
    assertThat(space.copies()).isEqualTo(1);
  }

  @Test
  void theMmuMarksEntriesAsYoungAndDirty() throws IOException {
    mapAnonymous();
    store(cpu, VA, 1);
    long slot = walk(space, VA).slot();
    PageTable table = space.table();
    table.replace(slot, pte(VA), layout.withOld(layout.withClean(pte(VA))));
    table.flushMmus();
    assertThat(layout.isYoung(pte(VA)) || layout.isDirty(pte(VA))).isFalse();
    load(cpu, VA);
    assertThat(layout.isYoung(pte(VA)) && !layout.isDirty(pte(VA))).isTrue();
    store(cpu, VA, 2);
    assertThat(layout.isDirty(pte(VA))).isTrue();
  }

  @Test
  void aProcessorTakesOverTheStateOfAnother() throws IOException {
    cpu.set(Register.R12, 12);
    cpu.kvm().systemRegisters().setFsBase(0x7000);
    cpu.kvm().setSystemRegisters();
    try (VirtualProcessor child = machine.processors.take()) {
      child.copyState(cpu);
      assertThat(child.get(Register.R12)).isEqualTo(12);
      assertThat(child.kvm().systemRegisters().fsBase()).isEqualTo(0x7000);
      child.clear();
      assertThat(child.get(Register.R12)).isZero();
      assertThat(child.kvm().systemRegisters().fsBase()).isZero();
    }
  }

  @Test
  void instructionsAreFetchedFromTheSegment() throws IOException {
    mapFile(Access.READ_EXECUTE);
    long trap = VA + 3 * Pages.SIZE + GuestMachine.TRAP;
    assertThat(fetch(cpu, trap)).isEqualTo(new Exit.Trap(GuestMachine.BREAKPOINT, 0));
    assertThat(cpu.get(Register.RIP)).isEqualTo(trap + 1);
    assertThat(layout.isSpecial(pte(trap))).isTrue();
  }

  @Test
  void theKernelHalfIsClosedToUserMode() throws IOException {
    long ram = KernelHalf.direct(0);
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, ram, 0))
        .isEqualTo(new Exit.PageFault(ram, Access.READ, true));
    long stubs = GuestPages.BASE + GuestPages.STUBS;
    assertThat(attempt(cpu, stubs, 0, 0))
        .isEqualTo(new Exit.PageFault(stubs, Access.EXECUTE, true));
    long tables = GuestPages.BASE + GuestPages.IDT;
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_STORE, tables, 0))
        .isEqualTo(new Exit.PageFault(tables, Access.WRITE, true));
  }

  @Test
  void registersAreKeptFromEntryToEntry() throws IOException {
    for (Register each : Register.values()) {
      cpu.set(each, 0x1111_2222_3333_0000L + each.ordinal());
    }
    cpu.set(Register.RIP, GuestPages.BASE + GuestPages.USER_CALL);
    cpu.set(Register.RFLAGS, 0xad7);
    assertThat(cpu.run()).isEqualTo(Exit.SystemCall.CALL);
    for (Register each : Register.values()) {
      if (each != Register.RCX
          && each != Register.R11
          && each != Register.RIP
          && each != Register.RFLAGS) {
        assertThat(cpu.get(each)).as("%s", each).isEqualTo(0x1111_2222_3333_0000L + each.ordinal());
      }
    }
    assertThat(cpu.get(Register.RIP)).isEqualTo(GuestPages.BASE + GuestPages.USER_CALL + 2);
    assertThat(cpu.get(Register.RFLAGS) & 0xdd5).isEqualTo(0xad7 & 0xdd5);
  }

  @Test
  void anAddressThatIsNotCanonicalGivesGeneralProtection() throws IOException {
    assertThat(attempt(cpu, 1L << 55, 1, 2)).isEqualTo(new Exit.Trap(GENERAL_PROTECTION, 0));
    assertThat(cpu.get(Register.RIP)).isEqualTo(1L << 55);
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, 1L << 55, 0))
        .isEqualTo(new Exit.Trap(GENERAL_PROTECTION, 0));
  }

  @Test
  void anEntryThatPointsNowhereIsReported() throws IOException {
    mapFile(Access.READ_WRITE);
    load(cpu, VA);
    forge(layout.leaf(NOWHERE >>> Pages.SHIFT, Access.READ_WRITE));
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, VA + 9, 0))
        .isEqualTo(new Exit.StrayAccess(NOWHERE + 9, false));
    assertThat(cpu.get(Register.RIP)).isEqualTo(GuestPages.BASE + GuestPages.USER_LOAD);
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_STORE, VA + 9, 0))
        .isEqualTo(new Exit.StrayAccess(NOWHERE + 9, true));
    forge(layout.leaf(NOWHERE >>> Pages.SHIFT, Access.READ_EXECUTE));
    assertThat(attempt(cpu, VA + 9, 0, 0)).isInstanceOf(Exit.StrayAccess.class);
    assertThat(load(cpu, VA + Pages.SIZE)).isEqualTo(Exit.SystemCall.CALL);
    forge(layout.empty());
  }

  @Test
  void aStoreToAReadOnlySegmentThroughAForgedEntryIsRefused() throws IOException {
    mapFile(Access.READ);
    load(cpu, VA);
    forge(layout.withDirty(layout.withWrite(pte(VA))));
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_STORE, VA + 5, 77))
        .isEqualTo(new Exit.StrayAccess(GuestMachine.SEGMENT + 5, true));
    assertThat(Files.readAllBytes(folder.resolve("data"))[5]).isEqualTo(fileByte(0));
    load(cpu, VA + 5);
    assertThat(loaded(cpu)).isEqualTo(fileByte(0));
  }

  private void forge(long entry) {
    long slot = walk(space, VA).slot();
    table.replace(slot, pte(VA), entry);
    table.flushMmus();
  }

  @Test
  void aFileThatIsCutWhileItIsMappedGivesAStrayAccess() throws IOException {
    mapFile(Access.READ);
    load(cpu, VA + 40 * Pages.SIZE);
    try (HostFile file = HostFile.openReadWrite(folder.resolve("data"))) {
      file.truncate(32 * Pages.SIZE);
    }
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, VA + 40 * Pages.SIZE, 0))
        .isInstanceOf(Exit.StrayAccess.class);
    assertThat(load(cpu, VA + 2 * Pages.SIZE)).isEqualTo(Exit.SystemCall.CALL);
    assertThat(loaded(cpu)).isEqualTo(fileByte(2));
  }

  @Test
  void aSegmentIsLoadedAndUnloadedWhileTheProcessorExists() throws IOException {
    Region late = machine.memory.claim("LATE", AddrRange.ofLength(256L << 20, 1L << 20), true);
    try (HostFile file = HostFile.openReadOnly(folder.resolve("data"))) {
      machine.memory.mapFile(late, 0, file, 0, 1L << 20, Access.READ, Sharing.SHARED);
    }
    mapFile(Access.READ);
    load(cpu, VA);
    forge(layout.leaf((256L << 20 >>> Pages.SHIFT) + 9, Access.READ));
    load(cpu, VA);
    assertThat(loaded(cpu)).isEqualTo(fileByte(9));
    machine.memory.release(late);
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, VA, 0))
        .isEqualTo(new Exit.StrayAccess((256L << 20) + 9 * Pages.SIZE, false));
    forge(layout.empty());
  }

  @Test
  void aChangeOfEachKindIsSeenAtOnce() throws IOException {
    mapAnonymous();
    store(cpu, VA, 1);
    AddressSpace child = space.fork("child");
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_STORE, VA, 2))
        .isEqualTo(new Exit.PageFault(VA, Access.WRITE, true));
    store(cpu, VA, 2);
    cpu.use(child);
    load(cpu, VA);
    assertThat(loaded(cpu)).isEqualTo((byte) 1);
    cpu.use(space);
    load(cpu, VA);
    assertThat(loaded(cpu)).isEqualTo((byte) 2);
    space.protect(AddrRange.ofLength(VA, Pages.SIZE), Access.READ);
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_STORE, VA, 3))
        .isEqualTo(new Exit.PageFault(VA, Access.WRITE, true));
    space.unmap(AddrRange.ofLength(VA, Pages.SIZE));
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, VA, 3))
        .isEqualTo(new Exit.PageFault(VA, Access.READ, false));
    child.close();
  }

  @Test
  void aTableThatIsUsedAgainShowsNothingOld() throws IOException {
    for (int round = 0; round < 20; round++) {
      long va = VA + ((long) round << 30);
      space.map(MapRequest.anonymous(8 * Pages.SIZE, Access.READ_WRITE).at(va));
      for (int page = 0; page < 8; page++) {
        assertThat(store(cpu, va + page * Pages.SIZE, round)).isEqualTo(Exit.SystemCall.CALL);
      }
      for (int page = 0; page < 8; page++) {
        load(cpu, va + page * Pages.SIZE);
        assertThat(loaded(cpu)).isEqualTo((byte) round);
      }
      space.unmap(AddrRange.ofLength(va, 8 * Pages.SIZE));
    }
  }

  @Test
  void moreTablesThanOneListHoldsAreStoredInto() throws IOException {
    for (int i = 0; i < 600; i++) {
      long va = VA + ((long) i << 21);
      space.map(MapRequest.anonymous(Pages.SIZE, Access.READ_WRITE).at(va));
      assertThat(space.fault(va, Access.WRITE)).isNotNull();
    }
    assertThat(load(cpu, VA + (599L << 21))).isEqualTo(Exit.SystemCall.CALL);
    assertThat(store(cpu, VA, 5)).isEqualTo(Exit.SystemCall.CALL);
  }

  @Test
  void theSpaceThatRunsMayBeUsedAgain() throws IOException {
    mapAnonymous();
    store(cpu, VA, 1);
    cpu.use(space);
    space.unmap(AddrRange.ofLength(VA, Pages.SIZE));
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_LOAD, VA, 0))
        .isEqualTo(new Exit.PageFault(VA, Access.READ, false));
  }

  @Test
  void aSpaceInUseIsNotClosed() {
    assertThatThrownBy(space::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("address space test: expected no processor that uses it");
  }

  @Test
  void aProcessorFromThePoolIsLikeANewOne() throws IOException {
    cpu.set(Register.RBX, 5);
    cpu.kvm().systemRegisters().setFsBase(0x1234);
    cpu.kvm().setSystemRegisters();
    cpu.interrupt();
    cpu.close();
    VirtualProcessor again = machine.processors.take();
    assertThat(again).isSameAs(cpu);
    assertThat(again.get(Register.RBX)).isZero();
    assertThat(again.kvm().systemRegisters().fsBase()).isZero();
    again.use(space);
    again.set(Register.RIP, GuestPages.BASE + GuestPages.USER_CALL);
    assertThat(again.run()).isEqualTo(Exit.SystemCall.CALL);
  }

  @Test
  void anInstructionThatIsUndefinedTraps() throws IOException {
    assertThat(attempt(cpu, GuestPages.BASE + GuestPages.USER_SYSCALL + 0x80, 0, 0))
        .isEqualTo(new Exit.Trap(GuestMachine.BREAKPOINT, 0));
    cpu.set(Register.RCX, 0x1000);
    Exit spoofed = attempt(cpu, GuestPages.BASE + GuestPages.USER_SYSCALL, 0, 0);
    assertThat(spoofed)
        .isEqualTo(
            machine.processors.entersByStub()
                ? new Exit.Trap(UNDEFINED_INSTRUCTION, 0)
                : Exit.SystemCall.CALL);
  }
}
