package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.Overlay;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Journals that debugfs writes are replayed as e2fsck does it. */
class DebugfsJournalTest {
  @TempDir static Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-t ext3 -b 4096 jo",
        "-t ext3 -b 4096 jo -c",
        "-t ext4 -b 4096 -O ^metadata_csum jo",
        "-t ext4 -b 4096 -O 64bit,metadata_csum jo -c",
        "-t ext4 -b 4096 -O ^64bit,metadata_csum jo -c -v 2",
        "-t ext4 -b 1024 -O 64bit,metadata_csum jo -c -v 3",
        "-t ext4 -b 8192 -O 64bit,metadata_csum jo -c",
      })
  void aJournalOfDebugfsIsReplayedAsByE2fsck(String how) throws IOException {
    String opened = how.replaceAll(".* (jo.*)", "$1");
    JournalImage base = JournalImage.make(folder, how.replaceAll(" jo.*", ""));
    Path file = Files.write(folder.resolve("debugfs.img"), base.clean);
    Path content = folder.resolve("content");
    byte[] bytes = new byte[40 * base.blockSize];
    new Random(1).nextBytes(bytes);
    for (int i = 0; i < bytes.length; i += 3 * base.blockSize) {
      System.arraycopy(new byte[] {(byte) 0xc0, 0x3b, 0x39, (byte) 0x98}, 0, bytes, i, 4);
    }
    Files.write(content, bytes);
    // In its checksums of version 1 debugfs counts revoke blocks, which a recovery does not.
    boolean revokes = !how.contains("ext3") || !how.endsWith("-c");
    List<String> commands =
        new ArrayList<>(List.of(opened, "jw -b %s \"%s\"".formatted(some(base, 0, 40), content)));
    if (revokes) {
      commands.add("jw -r %s".formatted(some(base, 3, 9)));
    }
    commands.add("jw -b %s \"%s\"".formatted(some(base, 5, 25), content));
    if (revokes) {
      commands.add("jw -r %s".formatted(some(base, 30, 35)));
    }
    commands.add("jw -c -b %s \"%s\"".formatted(some(base, 50, 60), content));
    commands.add("jc");
    Images.debugfsWrite(file, commands.toArray(String[]::new));
    byte[] dirty = Files.readAllBytes(file);
    Overlay overlay = JournalImage.overlay(dirty);
    assertThat(overlay.transactions()).isEqualTo(revokes ? 4 : 2);
    assertThat(overlay.pieces()).isEqualTo(revokes ? 40 - 2 - 5 : 40);
    byte[] ours = base.comparable(JournalImage.replayed(dirty));
    Processes.Output fsck =
        Processes.runAny("e2fsck", "-fy", "-E", "journal_only", file.toString());
    assertThat(fsck.exit()).as(fsck.out() + fsck.err()).isLessThan(4);
    assertThat(Arrays.mismatch(ours, base.comparable(Files.readAllBytes(file)))).isEqualTo(-1);
  }

  private static String some(JournalImage base, int from, int to) {
    return LongStream.of(Arrays.copyOfRange(base.data, from, to))
        .mapToObj(Long::toString)
        .collect(Collectors.joining(","));
  }
}
