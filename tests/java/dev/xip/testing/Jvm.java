package dev.xip.testing;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts main classes of the tests in JVMs of their own, as quickly as a JVM starts. */
public final class Jvm {
  private Jvm() {}

  /**
   * Returns the command line that runs a main class.
   *
   * @param main the class, on the class path of this JVM
   * @param args its arguments
   * @return the program and its arguments
   */
  public static List<String> command(Class<?> main, String... args) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xmx64m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(List.of(args));
    return command;
  }

  /**
   * Finds where a class was loaded from.
   *
   * @param type the class
   * @return its entry of the class path
   * @throws IOException if that is not a file or folder
   */
  public static Path placeOf(Class<?> type) throws IOException {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException(e);
    }
  }
}
