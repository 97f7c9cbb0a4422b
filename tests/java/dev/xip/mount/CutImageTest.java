package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiled code that reads a truncated image gets a checked exception, and the JVM goes on. */
class CutImageTest {
  @TempDir Path folder;

  @Test
  void whateverReadsACutImageMeetsTheCheckedExceptionEachTime() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    byte[] bytes = new byte[600_000];
    new Random(1).nextBytes(bytes);
    bytes[bytes.length - 1] = 0;
    Files.write(tree.resolve("file"), bytes);
    Path image = Images.ext2(tree);
    List<String> command = Jvm.command(CutImageUser.class, image.toString(), folder.toString());
    command.remove("-XX:TieredStopAtLevel=1");
    Processes.Output output = Processes.runAny(command.toArray(String[]::new));
    assertThat(output.err()).isEmpty();
    assertThat(output.exit()).isZero();
    assertThat(output.out().lines())
        .hasSizeGreaterThan(20)
        .endsWith("end")
        .allMatch(line -> line.equals("end") || line.endsWith(" " + CutImageUser.ROUNDS));
  }
}
