package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.bindings.kvm_regs;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class KvmMachineTest {
  private Reservation memory;
  private KvmMachine machine;

  @BeforeEach
  void create() throws IOException {
    Judge.kvm();
    memory = Reservation.inaccessible(16 * Pages.SIZE);
    memory.mapAnonymous(0, 16 * Pages.SIZE, Access.READ_WRITE);
    machine = KvmMachine.create();
  }

  @AfterEach
  void close() {
    if (machine != null) {
      machine.close();
      memory.close();
    }
  }

  @Test
  void slotsAreNumberedAndNumbersUsedAgain() throws IOException {
    MemorySegment page = memory.memory().asSlice(0, Pages.SIZE);
    assertThat(machine.addSlot(0, page, false)).isZero();
    assertThat(machine.addSlot(Pages.SIZE, page, true)).isEqualTo(1);
    machine.removeSlot(0);
    assertThat(machine.addSlot(0, page, false)).isZero();
    assertThatThrownBy(() -> machine.removeSlot(7)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aRefusalNamesRequestArgumentsAndError() throws IOException {
    MemorySegment page = memory.memory().asSlice(0, Pages.SIZE);
    machine.addSlot(0, page, false);
    assertThatThrownBy(() -> machine.addSlot(0, page, false))
        .isInstanceOf(HostException.class)
        .hasMessageMatching(
            "KVM_SET_USER_MEMORY_REGION\\(slot=1, guest_phys_addr=0x0, .*\\): EEXIST .*");
    KvmProcessor processor = machine.newProcessor();
    assertThatThrownBy(() -> processor.setModelRegister(0xdead, 0))
        .hasMessageContaining("KVM_SET_MSRS(msr=0xdead, value=0x0): EINVAL");
  }

  @Test
  void registersLieInTheOrderOfTheStruct() {
    assertThat(Register.RAX.offset()).isEqualTo(kvm_regs.rax$offset());
    assertThat(Register.RSP.offset()).isEqualTo(kvm_regs.rsp$offset());
    assertThat(Register.RBP.offset()).isEqualTo(kvm_regs.rbp$offset());
    assertThat(Register.R8.offset()).isEqualTo(kvm_regs.r8$offset());
    assertThat(Register.R15.offset()).isEqualTo(kvm_regs.r15$offset());
    assertThat(Register.RIP.offset()).isEqualTo(kvm_regs.rip$offset());
    assertThat(Register.RFLAGS.offset()).isEqualTo(kvm_regs.rflags$offset());
    assertThat(Register.BYTES).isEqualTo(kvm_regs.sizeof());
  }

  @Test
  void extendedStateGoesFromProcessorToProcessor() throws IOException {
    KvmProcessor one = machine.newProcessor();
    KvmProcessor other = machine.newProcessor();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = KvmProcessor.allocateExtendedState(arena);
      one.saveExtendedState(state);
      other.loadExtendedState(state);
      MemorySegment again = KvmProcessor.allocateExtendedState(arena);
      other.saveExtendedState(again);
      assertThat(again.mismatch(state)).isEqualTo(-1);
    }
  }
}
