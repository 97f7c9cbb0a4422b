package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import org.junit.jupiter.api.Test;

/** On every host, with /dev/kvm or without. */
class KvmAbsentTest {
  @Test
  void aMissingDeviceIsToldInOneLineWithTheRemedy() {
    assertThatThrownBy(() -> KvmMachine.open(FileName.of("/dev/no-such-device")))
        .isInstanceOf(KvmAbsentException.class)
        .hasMessage(
            "no virtual processors: /dev/no-such-device is not there; modprobe kvm_intel or"
                + " kvm_amd; in a virtual machine, its host must allow nesting");
  }

  @Test
  void anotherArchitectureIsToldInOneLine() {
    assertThatThrownBy(() -> KvmMachine.requireArchitecture("aarch64"))
        .isInstanceOf(KvmAbsentException.class)
        .hasMessage(
            "no virtual processors: this host is aarch64; they exist on x86-64 (amd64) alone");
  }
}
