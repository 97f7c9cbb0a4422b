package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.Processes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code segment} keeps its store from run to run. */
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
  void aSegmentIsDefinedByItsSizeOrItsParts() throws Exception {
    JsonNode sized =
        Xip.run(
                "segment", "define", "ONE", "--size", "5k", "--type", "SN", "--json", "--store",
                store)
            .isDone()
            .json();
    assertThat(sized.at("/bytes").asLong()).isEqualTo(0x2000);
    assertThat(sized.at("/type").asText()).isEqualTo("SN");
    assertThat(
            Xip.run(
                    "segment",
                    "define",
                    "TWO",
                    "--part",
                    "200000-2000ff:EW",
                    "--part",
                    "200100-2001FF:en",
                    "--from",
                    file,
                    "--store",
                    store)
                .isDone()
                .out())
        .isEqualTo("TWO: EWEN [0x200000000, 0x200200000), 2.0M, version 1\n");
  }

  @Test
  void holesOfAFileStayHoles() throws Exception {
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(64 << 20);
    }
    JsonNode defined =
        Xip.run("segment", "define", "ONE", "--from", file, "--json", "--store", store)
            .isDone()
            .json();
    String blocks = Processes.run("stat", "-c", "%b", defined.at("/dataFile").asText()).out();
    assertThat(Long.parseLong(blocks.strip()) * 512).isLessThan(1 << 20);
  }

  @Test
  void anInvalidDefinitionIsRefusedWithTheKernelsCode() throws Exception {
    String[][] refused = {
      {"EINVAL", "--part", "200-100:EW"},
      {"EINVAL", "--part", "100-200:EWEN"},
      {"EINVAL", "--part", "100-200:EW", "--part", "150-300:EN"},
      {"EOPNOTSUPP", "--part", "100-200:EW", "--part", "202-300:EN"},
      {"EOPNOTSUPP", "--part", "100-200:SR", "--part", "201-300:SR"},
      {"ERANGE", "--part", "100-10000000000:EW"},
      {"EINVAL", "--type", "SN", "--from", file.toString()}
    };
    for (String[] each : refused) {
      List<Object> arguments = new ArrayList<>(List.of("segment", "define", "ONE"));
      arguments.addAll(List.of(each).subList(1, each.length));
      arguments.addAll(List.of("--store", store));
      assertThat(Xip.run(arguments.toArray()).failsWithOneLine())
          .startsWith("xip: " + each[0] + ": ");
    }
    assertThat(
            Xip.run("segment", "list", "--json", "--store", store).isDone().json().at("/segments"))
        .isEmpty();
  }

  @Test
  void wrongUsageIsCodeTwo() throws Exception {
    String[][] wrong = {
      {"--size", "4K", "--at", "0x123"},
      {"--size", "4K", "--at", "-1"},
      {"--size", "4K", "--at", "nowhere"},
      {"--size", "0"},
      {"--size", "9223372036854775807G"},
      {"--part", "100-200"},
      {"--part", "100-200:XY"},
      {"--part", "100-200:SR", "--size", "4K"},
      {}
    };
    for (String[] each : wrong) {
      List<Object> arguments = new ArrayList<>(List.of("segment", "define", "ONE"));
      arguments.addAll(List.of(each));
      arguments.addAll(List.of("--store", store));
      Xip.Result result = Xip.run(arguments.toArray());
      assertThat(result.exit()).isEqualTo(2);
      assertThat(result.err()).startsWith("xip: ").hasLineCount(1);
    }
  }
}
