package dev.xip.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The processor that figures are of. */
public final class Processor {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  private Processor() {}

  /**
   * Names the processor.
   *
   * @return its model as the kernel has it, and how many of its cores this process may use
   */
  public static String name() {
    return "%s, %d processors".formatted(model(), Runtime.getRuntime().availableProcessors());
  }

  /** On x86 the kernel says the model's name; elsewhere the architecture is what is known. */
  private static String model() {
    try (Stream<String> lines = Files.lines(CPUINFO)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElseGet(() -> System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
