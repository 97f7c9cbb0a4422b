package dev.xip.cli;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.SPARSE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A command ended by a signal removes what it made and exits with the signal's code. */
class InterruptedIT {
  private static final Map<String, Integer> EXITS = Map.of("INT", 130, "TERM", 143, "HUP", 129);
  private static final int FOLDERS = 100;
  private static final int FILES_EACH = 150;

  private final long seed = Long.getLong("xip.seed", System.nanoTime());
  private final Random random = new Random(seed);

  @TempDir Path folder;

  /** Starts a command, sends it a signal some time after it has made something, and waits. */
  private Xip.Result interrupt(String signal, long longestWait, Path made, Object... arguments)
      throws Exception {
    Path err = folder.resolve("err");
    ProcessBuilder builder = Xip.interruptible(arguments);
    builder.environment().put("TMPDIR", made.toString());
    builder.environment().put("XIP_STORE", folder.resolve("store").toString());
    Process process =
        builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(err.toFile()).start();
    try {
      for (int i = 0; i < 3_000 && names(made).isEmpty() && process.isAlive(); i++) {
        Thread.sleep(10);
      }
      Thread.sleep(random.nextLong(longestWait));
      assertThat(process.isAlive()).as("-Dxip.seed=%d: it still runs", seed).isTrue();
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      return new Xip.Result(process.exitValue(), "", Files.readString(err));
    } finally {
      process.destroyForcibly();
    }
  }

  private static List<Path> names(Path folder) throws IOException {
    try (Stream<Path> names = Files.list(folder)) {
      return names.toList();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "INT, 130, bench names",
    "TERM, 143, bench names",
    "HUP, 129, bench copies",
    "INT, 130, bench processes",
    "TERM, 143, bench files",
    "HUP, 129, demo",
    "INT, 130, demo",
    "TERM, 143, bench segments"
  })
  void nothingIsLeftInTheFolderForTemporaryFiles(String signal, int exit, String command)
      throws Exception {
    Path made = Files.createDirectory(folder.resolve("made"));
    List<Object> words = new ArrayList<>(List.of((Object[]) command.split(" ")));
    Xip.Result result = interrupt(signal, 2_500, made, words.toArray());
    assertThat(names(made)).as("-Dxip.seed=%d", seed).isEmpty();
    assertThat(Files.readString(Path.of("/proc/mounts"))).doesNotContain(made.toString());
    assertThat(result).isEqualTo(new Xip.Result(exit, "", ""));
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
  void nothingIsLeftOfASegmentThatIsNotDefinedYet(String signal, int exit) throws Exception {
    Path store = Files.createDirectory(folder.resolve("store"));
    Path contents = folder.resolve("contents");
    try (FileChannel file = FileChannel.open(contents, WRITE, CREATE_NEW, SPARSE)) {
      file.write(ByteBuffer.allocate(1), (1L << 40) - 1); // holes of 1 TiB take minutes to read
    }
    Xip.Result result =
        interrupt(signal, 1_000, store, "segment", "define", "A", "--from", contents);
    assertThat(result).isEqualTo(new Xip.Result(exit, "", ""));
    assertThat(names(store)).containsExactly(store.resolve("store.lock"));
    assertThat(Xip.run("segment", "check", "--store", store).exit()).isZero();
  }

  @Test
  void nothingIsLeftOfAnImageAndOfACopyThatAreNotWhole() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (int i = 0; i < FOLDERS; i++) {
      Path each = Files.createDirectory(tree.resolve("folder" + i));
      for (int j = 0; j < FILES_EACH; j++) {
        Files.writeString(each.resolve("file" + j), "contents");
      }
    }
    Path made = Files.createDirectory(folder.resolve("made"));
    Path image = folder.resolve("image");
    assertThat(Xip.run("pack", tree, image).exit()).isZero();
    for (Map.Entry<String, Integer> each : EXITS.entrySet()) {
      Xip.Result ended = new Xip.Result(each.getValue(), "", "");
      assertThat(interrupt(each.getKey(), 100, made, "cp", "-r", image, "/", made))
          .isEqualTo(ended);
      assertThat(names(made)).as("-Dxip.seed=%d", seed).isEmpty();
      assertThat(interrupt(each.getKey(), 100, made, "pack", tree, made.resolve("image")))
          .isEqualTo(ended);
      assertThat(names(made)).as("-Dxip.seed=%d", seed).isEmpty();
    }
  }
}
