package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Judge;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Segments take their contents from files, pipes and block devices, and refuse endless files. */
class FromIT {
  private static final int BYTES = 300_001;
  private static final String WHOLE = " && cmp -n 300001 contents store/A.1.data";

  @TempDir Path folder;

  @BeforeEach
  void makeContents() throws Exception {
    bash("head -c %d /dev/urandom >contents".formatted(BYTES)).isDone();
  }

  private Xip.Result bash(String script) throws Exception {
    return Shell.bash(folder, script);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cat contents | \"$X\" segment define A --from /dev/stdin",
        "cat contents | \"$X\" segment define A --from /dev/stdin --size 1M",
        "\"$X\" segment define A --from <(cat contents)",
        "mkfifo p; cat contents >p & \"$X\" segment define A --from p",
        "\"$X\" segment define A --from /dev/stdin <contents"
      })
  void aPipeIsReadToItsEnd(String script) throws Exception {
    assertThat(bash("mkdir t; export TMPDIR=$PWD/t;" + script + WHOLE + "; ls -A t").isDone().out())
        .startsWith("A: SR ")
        .hasLineCount(1);
  }

  @Test
  void aNewVersionComesFromAPipeToo() throws Exception {
    bash("\"$X\" segment define A --size 1M; cat contents | \"$X\" segment save A --from"
            + " /dev/stdin")
        .isDone();
    assertThat(bash("cmp -n 300001 contents store/A.2.data").exit()).isZero();
  }

  @Test
  void aBlockDeviceIsReadToItsEnd() throws Exception {
    Judge.loopMount();
    String script =
        """
        truncate -s 1M contents
        L=$(losetup -f --show contents)
        "$X" segment define A --from $L; rc=$?
        losetup -d $L
        cmp contents store/A.1.data && exit $rc
        """;
    assertThat(bash(script).isDone().out()).contains(", 1.0M, ");
  }

  @ParameterizedTest
  @CsvSource({
    "/dev/zero, a character device",
    "/dev/null, a character device",
    ".,         a directory",
    "contents/, Not a directory"
  })
  void aFileWithoutEndOrContentsIsNamed(String from, String found) throws Exception {
    assertThat(bash("\"$X\" segment define A --from " + from).failsWithOneLine())
        .contains(from, found);
    assertThat(folder.resolve("store/A.def")).doesNotExist();
  }

  @Test
  void moreBytesThanTheSizeAreRefused() throws Exception {
    assertThat(bash("yes | \"$X\" segment define A --from /dev/stdin --size 8K").failsWithOneLine())
        .contains("expected at most 0x2000 bytes, found more");
    assertThat(Files.exists(folder.resolve("store/A.def"))).isFalse();
  }
}
