package dev.xip.cli;

import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Scripts of bash in which {@code $X} is the command: names in them may hold any byte. */
final class Shell {
  private Shell() {}

  /** Runs a script in a folder, with the segment store in it. */
  static Xip.Result bash(Path folder, String script) throws Exception {
    ProcessBuilder builder = Processes.builder("bash", "-c", script).directory(folder.toFile());
    builder.environment().put("X", Xip.launcher().toRealPath().toString());
    builder.environment().put("XIP_STORE", folder.resolve("store").toString());
    return Xip.run(builder);
  }

  /**
   * Runs a script whose output and errors go to a terminal.
   *
   * @return the output, which must be UTF-8
   */
  static String terminal(Path folder, String script) throws Exception {
    Judge.program("script");
    Files.writeString(folder.resolve("on-terminal"), script);
    String out = bash(folder, "script -qec 'bash on-terminal' /dev/null").out();
    return StandardCharsets.UTF_8
        .newDecoder() // reports malformed bytes
        .decode(ByteBuffer.wrap(out.getBytes(StandardCharsets.ISO_8859_1)))
        .toString()
        .replace("\r\n", "\n");
  }
}
