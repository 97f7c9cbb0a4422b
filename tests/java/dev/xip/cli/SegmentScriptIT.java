package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.Processes;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scripts change, save and unload segments that other processes hold. */
class SegmentScriptIT {
  @TempDir Path folder;

  /** Runs a bash script with {@code xip} on its path and a store of its own. */
  private Xip.Result bash(String script) throws IOException, InterruptedException {
    ProcessBuilder builder = Processes.builder("bash", "-euo", "pipefail", "-c", script);
    builder.directory(folder.toFile());
    builder.environment().put("XIP_STORE", folder.resolve("store").toString());
    Path bin = Xip.launcher().toAbsolutePath().getParent();
    builder.environment().merge("PATH", bin.toString(), (path, own) -> own + ":" + path);
    return Xip.run(builder);
  }

  @Test
  void aScriptHoldsChangesAndLeavesASegment() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define WORK --size 64K --type SW >defined
            coproc xip segment load WORK
            holder=$COPROC_PID
            read -r ready <&"${COPROC[0]}"
            printf 'stored by another' | dd of=store/WORK.1.data conv=notrunc status=none
            xip segment save WORK >saved
            xip segment list >pending
            xip segment list --json >pending.json
            xip segment modify WORK exclusive
            xip segment list --json >modified.json
            xip segment check
            xip segment unload WORK
            wait "$holder"
            xip segment list --json >left.json
            xip segment remove WORK
            xip segment check --json
            """);
    JsonNode checked = result.isDone().json();
    assertThat(checked.at("/findings")).isEmpty();
    assertThat(folder.resolve("defined"))
        .hasContent("WORK: SW [0x100000000, 0x100010000), 64K, version 1");
    assertThat(folder.resolve("saved"))
        .hasContent("WORK: SW [0x100000000, 0x100010000), 64K, version 2");
    assertThat(Files.readAllLines(folder.resolve("pending")))
        .hasSize(3)
        .satisfies(
            lines -> {
              assertThat(lines.get(1)).matches("WORK +SW .* 64K shared +1 +1 +pending purge");
              assertThat(lines.get(2)).matches("WORK +SW .* 64K - +0 +2");
            });
    JsonNode pending = json("pending.json").at("/segments/0");
    assertThat(pending.at("/pendingPurge").asBoolean()).isTrue();
    assertThat(pending.at("/users")).hasSize(1);
    JsonNode modified = json("modified.json");
    assertThat(modified.at("/segments")).hasSize(1);
    assertThat(modified.at("/segments/0/version").asInt()).isEqualTo(2);
    assertThat(modified.at("/segments/0/users/0/mode").asText()).isEqualTo("exclusive");
    assertThat(modified.at("/segments/0/users/0/pid").asLong())
        .isEqualTo(pending.at("/users/0/pid").asLong());
    assertThat(json("left.json").at("/segments/0/users")).isEmpty();
    assertThat(folder.resolve("store")).isDirectoryNotContaining("glob:**WORK*");
  }

  private JsonNode json(String file) throws IOException {
    return Xip.STRICT_JSON.readTree(folder.resolve(file).toFile());
  }

  @Test
  void aBackgroundJobHoldsUntilItIsKilled() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define WORK --size 4K >defined
            xip segment load WORK >one & one=$!
            xip segment load WORK --json >two & two=$!
            until [[ -s one && -s two ]]; do sleep 0.1; done
            xip segment unload WORK || echo "code $?"
            xip segment unload WORK --pid "$two"
            wait "$two"
            kill "$one"
            wait "$one" || echo "code $?"
            xip segment unload WORK || echo "code $?"
            ls store
            """);
    assertThat(result.exit()).isZero();
    assertThat(result.err())
        .matches(
            "xip: EAGAIN: segment WORK: held by processes \\d+, \\d+; name one of them\n"
                + "xip: EINVAL: segment WORK: not held by any process\n");
    assertThat(result.out())
        .isEqualTo("code 1\ncode 143\ncode 1\nWORK.1.data\nWORK.def\nstore.lock\n");
    JsonNode two = json("two");
    assertThat(two.at("/mode").asText()).isEqualTo("shared");
    assertThat(two.at("/socket").asText()).endsWith("/WORK." + two.at("/pid").asLong() + ".hold");
  }

  @Test
  void aCommandRunsWhileTheSegmentIsHeld() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define WORK --size 4K >defined
            xip segment load WORK --exclusive -- xip segment list
            xip segment load WORK -- bash -c 'exit 7' || echo "code $?"
            xip segment load WORK -- bash -c 'kill -9 $$' || echo "code $?"
            """);
    assertThat(result.isDone().out())
        .containsPattern("WORK +SR .* exclusive +1 +1\n")
        .endsWith("code 7\ncode 137\n");
  }

  @Test
  void bytesAreStoredAndReadWhereTheyAreNamed() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define WORK --size 64K --type SW >defined
            xip segment load WORK -- bash -c '
              printf hello | xip segment write WORK 4094
              dd if="$XIP_SEGMENT_FILE" bs=1 skip=4094 count=5 status=none
              echo " $XIP_SEGMENT_SIZE $XIP_SEGMENT_MODE"'
            xip segment read WORK 4092 8 | od -A n -t x1
            xip segment read WORK 0 | wc -c
            xip segment load WORK --exclusive -- bash -c 'echo "$XIP_SEGMENT_MODE"'
            """);
    assertThat(result.isDone().out())
        .isEqualTo("hello 65536 shared\n 00 00 68 65 6c 6c 6f 00\n65536\nexclusive\n");
  }

  @Test
  void bytesThatWouldBeLostOrDoNotFitAreRefused() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define RO --size 8K >defined
            xip segment define TMP --size 4K --type SN >defined
            xip segment write RO 0 <defined || echo "code $?"
            xip segment write TMP 0 <defined || echo "code $?"
            xip segment load TMP -- bash -c 'echo kept | xip segment write TMP 0; xip segment read TMP 0 5'
            xip segment load TMP -- xip segment write TMP 4090 <defined || echo "code $?"
            xip segment read RO 8K || echo "code $?"
            xip segment read RO 4K 8K || echo "code $?"
            """);
    assertThat(result.out()).isEqualTo("code 1\ncode 1\nkept\n" + "code 1\n".repeat(3));
    assertThat(result.err().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("EACCES: segment RO: expected type SW or SN"),
            line -> assertThat(line).contains("segment TMP: expected another process"),
            line -> assertThat(line).contains("segment TMP: expected 0x", "of 0x1000 bytes"),
            line -> assertThat(line).contains("segment RO: expected 0x1 bytes at 0x2000"),
            line -> assertThat(line).contains("segment RO: expected 0x2000 bytes at 0x1000"));
  }

  @Test
  void aDashIsStandardInput() throws Exception {
    Xip.Result result =
        bash(
            """
            mkdir tree; echo text >tree/file; head -c 9000 /dev/zero >tree/large
            tar cf - tree | xip pack --tar - --json image >packed
            xip cat - /tree/file <image
            cat image | xip segment define IMAGE --from - >defined
            xip cat segment:IMAGE /tree/file
            xip maps --print-script image | sed s/parent/mine/ | xip maps image - | grep ==
            xip maps image | grep ==
            """);
    assertThat(result.isDone().out())
        .isEqualTo("text\ntext\n== mine\n== child\n== parent\n== child\n");
  }

  @Test
  void leftoversOfAKilledHolderAreFoundAndRepaired() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define WORK --size 4K --type SW >defined
            coproc xip segment load WORK
            holder=$COPROC_PID
            read -r ready <&"${COPROC[0]}"
            xip segment save WORK >saved
            kill -9 "$holder"
            wait "$holder" || true
            xip segment check | sed "s/$holder/PID/" || echo "code $?"
            xip segment check --repair >repaired
            xip segment check
            ls store
            """);
    assertThat(result.exit()).isZero();
    assertThat(result.out().lines())
        .containsExactlyInAnyOrder(
            "leftover %s: pending purge, but its last user has ended"
                .formatted(store("WORK.1.data")),
            "leftover %s: pending purge, but its last user has ended"
                .formatted(store("WORK.1.purge")),
            "leftover %s: the socket of a holder that has ended".formatted(store("WORK.PID.hold")),
            "code 1",
            "WORK.2.data",
            "WORK.def",
            "store.lock");
    assertThat(Files.readAllLines(folder.resolve("repaired"))).hasSize(3);
  }

  private Path store(String file) {
    return folder.resolve("store").resolve(file);
  }

  @Test
  void damageIsReportedAndStays() throws Exception {
    Path store = Files.createDirectory(folder.resolve("store"));
    Path damaged = Files.writeString(store.resolve("BAD.def"), "garbage\n");
    Xip.Result checked = Xip.run("segment", "check", "--repair", "--json", "--store", store);
    assertThat(checked.exit()).isEqualTo(1);
    assertThat(checked.json().at("/findings/0/leftover").asBoolean()).isFalse();
    assertThat(checked.json().at("/findings/0/problem").asText()).startsWith("EIO: ");
    assertThat(damaged).exists();
    assertThat(Xip.run("segment", "list", "--store", store).failsWithOneLine())
        .startsWith("xip: EIO: ");
  }

  @Test
  void aHolderWhoseSegmentIsGoneFails() throws Exception {
    Path store = folder.resolve("store");
    Xip.run("segment", "define", "ONE", "--size", "4K", "--store", store).isDone();
    Path errors = folder.resolve("errors");
    Process holder =
        Xip.builder("segment", "load", "ONE", "--store", store)
            .redirectError(errors.toFile())
            .start();
    try (BufferedReader out = holder.inputReader()) {
      assertThat(out.readLine()).startsWith("ONE: ");
      Xip.run("segment", "remove", "ONE", "--store", store).isDone();
      assertThat(
              Xip.run("segment", "modify", "ONE", "exclusive", "--store", store).failsWithOneLine())
          .startsWith("xip: ENOENT: segment ONE was unloaded");
      assertThat(holder.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(holder.exitValue()).isEqualTo(1);
      assertThat(errors)
          .content()
          .startsWith("xip: ENOENT: segment ONE was unloaded")
          .hasLineCount(1);
    } finally {
      holder.destroyForcibly();
    }
  }

  @Test
  void aHolderThatHasTooFewDescriptorsLeavesNoSocket() throws Exception {
    Xip.Result result =
        bash(
            """
            xip segment define WORK --size 4K --type SW >defined
            for most in 14 15 16 17 18; do
              (ulimit -n "$most"; xip segment load WORK -- true) 2>/dev/null || true
            done
            xip segment check --json
            """);
    assertThat(result.isDone().json().at("/findings")).isEmpty();
  }
}
