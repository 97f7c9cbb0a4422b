package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Debian's programs run out of a segment, and the host's kernel runs the same files under chroot:
 * standard output, standard error and status of each command line in tests/commands are the same.
 */
@ExtendWith(DebianMachine.Shared.class)
class DebianCommandsTest {
  /** Command lines by name that are answered otherwise, and why. */
  private static final Map<String, String> DIFFERENT =
      Map.of(
          "the environment of a program that was replaced",
          "/proc shows that of the program in its place, and the kernel's nothing",
          "threads",
          "there are none: clone gives ENOSYS",
          "ldd",
          "there is no vdso",
          "a program that is cut off",
          "exec refuses it, and the kernel's fails in the program");

  @TestFactory
  Stream<DynamicTest> commandsGiveWhatTheyGiveUnderChroot(DebianMachine debian) throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("tests/commands"))) {
      for (Path file : files.sorted().toList()) {
        for (JudgedCommand each : JudgedCommand.read(file)) {
          String name = "%s: %s".formatted(file.getFileName(), each.name());
          tests.add(DynamicTest.dynamicTest(name, () -> judge(debian, each)));
        }
      }
    }
    return tests.stream();
  }

  private static void judge(DebianMachine debian, JudgedCommand command) throws IOException {
    DebianMachine.Result host = debian.judge(command.shell(), "-c", command.text());
    DebianMachine.Result here = debian.run(null, command.shell(), "-c", command.text());
    if (DIFFERENT.containsKey(command.name())) {
      assertThat(here).as(DIFFERENT.get(command.name())).isNotEqualTo(host);
      return;
    }
    assertThat(here.errors()).as("standard error; %s", debian.killed()).isEqualTo(host.errors());
    assertThat(here.output()).as("standard output; %s", debian.killed()).isEqualTo(host.output());
    assertThat(here.status()).as("status").isEqualTo(host.status());
  }
}
