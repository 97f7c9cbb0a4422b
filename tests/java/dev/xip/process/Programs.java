package dev.xip.process;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs that gcc makes for the tests: freestanding, so that exec alone maps memory. */
final class Programs {
  /**
   * Text of several pages, data that ends inside a page, and zeros that go on for three more. The
   * bytes are not zero, as mke2fs would make holes of zeros.
   */
  private static final String SOURCE =
      """
      __attribute__((aligned(4096))) const char text[12388] = {[0 ... 12387] = 'T'};
      char data[4219] = {[0 ... 4218] = 'D'};
      char zeros[12305];
      void _start(void) { for (;;) {} }
      """;

  private Programs() {}

  /** Compiles into a folder; the options are gcc's, such as {@code -no-pie}. */
  static Path compile(Path folder, String name, String... options) throws IOException {
    Path source = Files.writeString(folder.resolveSibling(name + ".c"), SOURCE);
    Path program = folder.resolve(name);
    List<String> command =
        new ArrayList<>(
            List.of("gcc", "-O0", "-nostdlib", "-ffreestanding", "-Wl,-z,norelro", "-g0"));
    command.addAll(List.of(options));
    command.addAll(List.of("-o", program.toString(), source.toString()));
    Processes.run(command.toArray(String[]::new));
    return program;
  }
}
