package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs and commands on the first screens of README.md work as they stand there. */
class ReadmeIT {
  private static final String NUMBER = "0x[0-9a-f]+|[0-9][0-9,.]*[0-9]|[0-9]";

  @TempDir Path folder;
  private Path home;

  /** The lines between the first line that is a fence of that language and the next fence. */
  private static List<String> block(String language) throws IOException {
    List<String> lines = Files.readAllLines(Path.of("README.md"));
    int start = lines.indexOf("```" + language) + 1;
    assertThat(start).as(language).isPositive();
    return lines.subList(start, start + lines.subList(start, lines.size()).indexOf("```"));
  }

  @BeforeEach
  void makeWhatTheSessionAssumes() throws IOException {
    home = folder.resolve("home");
    byte[] modules = new byte[5 << 20];
    Arrays.fill(modules, (byte) 1);
    Files.createDirectories(home.resolve("lib"));
    Files.write(home.resolve("lib/modules"), modules);
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"1.2.3\"\n");
    for (String each : List.of("target", "include")) {
      Files.createSymbolicLink(folder.resolve(each), Path.of(each).toAbsolutePath());
    }
    Files.write(folder.resolve("Program.java"), block("java"));
    Files.write(folder.resolve("program.c"), block("c"));
  }

  /** JUnit warns of links that lead out of the folder. */
  @AfterEach
  void removeTheLinks() throws IOException {
    Files.delete(folder.resolve("target"));
    Files.delete(folder.resolve("include"));
  }

  /** Runs a command line in the folder, with the JDK of this JVM first on PATH. */
  private Processes.Output bash(String command) throws IOException {
    String jdk = System.getProperty("java.home");
    return Processes.runAny(
        "env",
        "-C",
        folder.toString(),
        "JAVA_HOME=" + home,
        "XIP_JAVA_HOME=" + jdk,
        "PATH=%s/bin:%s".formatted(jdk, System.getenv("PATH")),
        "bash",
        "-c",
        command);
  }

  /** What does not depend on the folder, the numbers and whether the host has /dev/kvm. */
  private List<String> shape(String output) {
    return output
        .replace(home.toString(), "HOME")
        .replaceAll("/usr/lib/jvm/[^ ;]*", "HOME")
        .replaceAll("(?m)^Programs .*", "Programs")
        .replaceAll(NUMBER, "N")
        .lines()
        .toList();
  }

  @Test
  void theSessionPrintsWhatItShows() throws IOException {
    List<String> session = block("console");
    List<String> printed = new ArrayList<>();
    for (String line : session) {
      if (line.startsWith("$ ")) {
        Processes.Output output = bash(line.substring(2));
        assertThat(output.exit()).as("%s: %s", line, output.err()).isZero();
        assertThat(output.err()).as(line).isEmpty();
        printed.addAll(shape(line));
        printed.addAll(shape(output.text()));
      }
    }
    assertThat(printed).isEqualTo(shape(String.join("\n", session)));
  }

  @Test
  void theProgramsHaveTenLinesAndNoWarnings() throws IOException {
    for (String language : List.of("java", "c")) {
      assertThat(block(language))
          .filteredOn(line -> !line.isBlank())
          .as(language)
          .hasSizeLessThanOrEqualTo(10);
    }
    for (String command :
        List.of(
            "javac -Xlint:all -Werror -cp target/xip.jar -d classes Program.java",
            "cc -Wall -Wextra -pedantic -Werror -fsyntax-only -I include program.c")) {
      assertThat(bash(command)).isEqualTo(new Processes.Output(0, "", ""));
    }
  }

  @Test
  void theFilesThatItLinksToExist() throws IOException {
    String text = Files.readString(Path.of("README.md"));
    List<String> links =
        Pattern.compile("\\]\\(([^)#]+)[^)]*\\)")
            .matcher(text)
            .results()
            .map(found -> found.group(1))
            .filter(link -> !link.contains("://"))
            .toList();
    assertThat(links).isNotEmpty().allSatisfy(link -> assertThat(Path.of(link)).exists());
  }
}
