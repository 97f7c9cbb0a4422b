package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random sequences of calls give the same results, exceptions, positions and states on a channel of
 * an image as on one that the default provider has opened for reading: on the kernel's own mount of
 * the image, and on a copy that debugfs took out of it.
 */
class ChannelJudgeTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int SEQUENCES = 36;
  private static final int CALLS = 60;

  @TempDir Path folder;
  private ChannelImage image;

  @BeforeEach
  void pack() throws IOException {
    System.err.println("ChannelJudgeTest: -Dxip.seed=" + SEED);
    image = ChannelImage.open(folder);
  }

  @AfterEach
  void close() throws IOException {
    image.close();
  }

  @Test
  void aChannelAnswersAsOneOnACopy() throws IOException {
    Judge.program("debugfs");
    compareWith(Images.dump(image.packed, folder.resolve("dumped")));
  }

  @Test
  void aChannelAnswersAsOneOnTheKernelsMount() throws IOException {
    Judge.loopMount();
    Images.mounted(
        image.packed,
        "ext4",
        root -> {
          compareWith(root);
          awaitUnmapped(root);
        });
  }

  /** Buffers that the judge has mapped keep a mount busy until they are collected. */
  private static void awaitUnmapped(Path root) throws IOException {
    while (Files.readString(Path.of("/proc/self/maps")).contains(root.toString())) {
      System.gc();
    }
  }

  private void compareWith(Path root) throws IOException {
    Random seeds = new Random(SEED);
    for (int i = 0; i < SEQUENCES; i++) {
      compare(root, ChannelImage.FILES.get(i % ChannelImage.FILES.size()), seeds.nextLong());
    }
  }

  private void compare(Path root, String file, long seed) throws IOException {
    Random random = new Random(seed);
    long size = Files.size(root.resolve(file));
    List<String> history = new ArrayList<>();
    history.add(file);
    try (FileChannel own = image.channel(file);
        FileChannel judge = FileChannel.open(root.resolve(file))) {
      ChannelCall.Side mine = new ChannelCall.Side(own, folder.resolve("target"));
      ChannelCall.Side others = new ChannelCall.Side(judge, folder.resolve("target"));
      for (int i = 0; i < CALLS; i++) {
        ChannelCall call = ChannelCall.random(random, size);
        boolean interrupted = random.nextInt(40) == 0;
        history.add(interrupted ? call + ", interrupted" : call.toString());
        List<Object> seen = mine.seenOf(call, interrupted);
        assertThat(seen)
            .as("-Dxip.seed=%d: %s", SEED, history)
            .isEqualTo(others.seenOf(call, interrupted));
      }
    }
  }
}
