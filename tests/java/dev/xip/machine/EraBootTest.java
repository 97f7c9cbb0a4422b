package dev.xip.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.segment.SegmentStore;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.Rule;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A machine boots as what an era was. */
class EraBootTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void aMachineBootsAsTheEra(Era era) throws IOException {
    MachineConfig config = MachineConfig.of(era).withRam(16 << 20);
    try (Machine machine = Machine.boot(config, SegmentStore.create(folder.resolve("store")));
        AddressSpace space = machine.memoryManager().newAddressSpace("first")) {
      assertThat(machine.memoryManager().rules()).isSameAs(era.rules());
      assertThat(machine.memoryManager().layout()).isSameAs(era.layouts().getFirst());
      long at = space.map(MapRequest.anonymous(Pages.SIZE, Access.READ)).start();
      assertThat(new AddressReader(space).getByte(at)).isZero();
      assertThat(machine.verify()).isEmpty();
    }
  }

  @Test
  void theDefaultIsTheMachineOfNoEraButOurs() {
    assertThat(MachineConfig.of(Era.XIP)).isEqualTo(MachineConfig.DEFAULT);
  }

  @Test
  void aBugOfHistoryIsSwitchedOnAlone() {
    MachineConfig config = MachineConfig.of(Era.LINUX_2_6_26);
    MachineConfig bad = config.withRules(config.rules().without(Rule.MPROTECT_KEEPS_SPECIAL));
    assertThat(bad.rules().has(Rule.MPROTECT_KEEPS_SPECIAL)).isFalse();
    assertThat(bad.rules().with(Rule.MPROTECT_KEEPS_SPECIAL)).isEqualTo(config.rules());
    assertThat(bad.layout()).isSameAs(S390x2008Layout.INSTANCE);
  }

  @Test
  void whatTheEraCannotHaveIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MachineConfig.DEFAULT.as(Era.LINUX_2_6_26, Arm64Layout.INSTANCE))
        .withMessageContaining("layout arm64 in era 2.6.26: expected one of s390x-2008");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                MachineConfig.DEFAULT.as(
                    Era.LINUX_2_6_24, S390x2008Layout.INSTANCE, FrameStrategy.SPECIAL_BIT))
        .withMessageContaining("strategy special-bit in era 2.6.24: expected one of lra, ");
  }
}
