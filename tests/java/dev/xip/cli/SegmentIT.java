package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code segment} keeps a store that each run finds as the last one left it. */
class SegmentIT {
  @TempDir Path folder;

  private Path store;
  private Path file;

  @BeforeEach
  void makeFile() throws IOException {
    store = folder.resolve("store");
    file = Files.writeString(folder.resolve("file"), "contents");
  }

  @Test
  void definedSegmentsAreListedUntilTheyAreRemoved() throws Exception {
    Xip.run("segment", "define", "one", "--from", file, "--store", store).isDone();
    Xip.run(
            "segment",
            "define",
            "TWO",
            "--from",
            file,
            "--at",
            "0x200000000",
            "--type",
            "ew",
            "--store",
            store)
        .isDone();
    JsonNode listed = Xip.run("segment", "list", "--json", "--store", store).isDone().json();
    assertThat(listed.at("/segments/0/name").asText()).isEqualTo("ONE");
    assertThat(listed.at("/segments/0/type").asText()).isEqualTo("SR");
    assertThat(listed.at("/segments/1/start").asLong()).isEqualTo(0x200000000L);
    assertThat(listed.at("/segments/1/type").asText()).isEqualTo("EW");
    assertThat(Path.of(listed.at("/segments/0/dataFile").asText()))
        .content()
        .startsWith("contents");
    Xip.run("segment", "remove", "ONE", "--store", store).isDone();
    assertThat(Xip.run("segment", "list", "--store", store).isDone().out())
        .contains("TWO")
        .doesNotContain("ONE");
  }

  @Test
  void aSaveMakesANewVersion() throws Exception {
    Xip.run("segment", "define", "ONE", "--from", file, "--store", store).isDone();
    Files.writeString(file, "newer");
    Xip.run("segment", "save", "ONE", "--from", file, "--store", store).isDone();
    JsonNode listed = Xip.run("segment", "list", "--json", "--store", store).isDone().json();
    assertThat(listed.at("/segments/0/version").asLong()).isEqualTo(2);
    assertThat(Path.of(listed.at("/segments/0/dataFile").asText())).content().startsWith("newer");
  }

  @Test
  void aLoadedSegmentIsHeldUntilStandardInputEnds() throws Exception {
    Xip.run("segment", "define", "ONE", "--from", file, "--store", store).isDone();
    Process process = Xip.builder("segment", "load", "ONE", "--store", store).start();
    try (BufferedReader out = process.inputReader()) {
      assertThat(out.readLine())
          .startsWith("ONE: SR shared, version 1, physical [0x100000000, 0x100001000)");
      String maps = Files.readString(Path.of("/proc/%d/maps".formatted(process.pid())));
      assertThat(maps).containsPattern("r--s .*/store/ONE\\.1\\.data");
      process.getOutputStream().close();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void theStoreIsFoundThroughTheEnvironment() throws Exception {
    ProcessBuilder define = Xip.builder("segment", "define", "ONE", "--from", file);
    define.environment().remove("XIP_STORE");
    define.environment().put("XDG_DATA_HOME", folder.toString());
    Xip.run(define).isDone();
    ProcessBuilder list = Xip.builder("segment", "list");
    list.environment().put("XIP_STORE", folder.resolve("xip/segments").toString());
    assertThat(Xip.run(list).isDone().out()).contains("ONE");
  }

  @Test
  void refusalsAreOneLine() throws Exception {
    assertThat(Xip.run("segment", "load", "ONE", "--store", store).failsWithOneLine())
        .contains("ENOENT");
    Xip.run("segment", "define", "ONE", "--from", file, "--store", store).isDone();
    assertThat(
            Xip.run("segment", "define", "ONE", "--from", file, "--store", store)
                .failsWithOneLine())
        .contains("EEXIST");
    assertThat(
            Xip.run("segment", "define", "toolongname", "--from", file, "--store", store)
                .failsWithOneLine())
        .contains("ENAMETOOLONG");
    assertThat(Xip.run("segment", "remove", "TWO", "--store", store).failsWithOneLine())
        .contains("ENOENT");
    assertThat(
            Xip.run("segment", "define", "TWO", "--from", folder.resolve("no"), "--store", store)
                .failsWithOneLine())
        .contains("/no: No such file or directory");
  }

  @Test
  void aSegmentPastTheDefaultWindowLoads() throws Exception {
    Xip.run("segment", "define", "FAR", "--from", file, "--at", "0x10000000000", "--store", store)
        .isDone();
    assertThat(Xip.run("segment", "load", "FAR", "--store", store).isDone().out())
        .contains("physical [0x10000000000, 0x10000001000)");
  }

  @Test
  void wrongUsageIsCodeTwo() throws Exception {
    for (String address : new String[] {"0x123", "-1", "nowhere"}) {
      Xip.Result result =
          Xip.run("segment", "define", "ONE", "--from", file, "--at", address, "--store", store);
      assertThat(result.exit()).isEqualTo(2);
      assertThat(result.err()).startsWith("xip: ").hasLineCount(1);
    }
  }
}
