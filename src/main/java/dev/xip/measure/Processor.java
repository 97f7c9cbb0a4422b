package dev.xip.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The processor of this host. */
public final class Processor {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  private Processor() {}

  /** {@return its model as the kernel reports it, and how many cores this process may use} */
  public static String name() {
    return "%s, %d processors".formatted(model(), Runtime.getRuntime().availableProcessors());
  }

  /** {@return the model's name, which /proc/cpuinfo has on x86; elsewhere the architecture} */
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
