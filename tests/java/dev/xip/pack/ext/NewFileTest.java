package dev.xip.pack.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The blocks that a new file needs, and what an image cannot hold of it. */
class NewFileTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  private static Inode inode(Instant modified) {
    Instant now = Instant.EPOCH;
    return new Inode(0, 0, 0100644, 0, 0, 0, 0, 0, now, modified, now, now, 0, 0, 0);
  }

  private static NewFile file(Object... namesAndSizes) {
    SortedMap<FileName, byte[]> attributes = new TreeMap<>();
    for (int i = 0; i < namesAndSizes.length; i += 2) {
      attributes.put(
          FileName.of((String) namesAndSizes[i]), new byte[(Integer) namesAndSizes[i + 1]]);
    }
    return NewFile.of(inode(Instant.EPOCH), attributes);
  }

  @Test
  void attributesThatFitIntoTheInodeNeedNoBlock() {
    assertThat(file("user.a", 4, "security.selinux", 40).blocks(NewFormat.EXT2)).isZero();
    assertThat(file("user.a", 4, "security.selinux", 41).blocks(NewFormat.EXT2)).isOne();
  }

  @Test
  void attributesThatFitNowhereAreNamed() {
    assertThat(file("user.a", 4040).attributesLeftOut()).isEmpty();
    assertThat(file("user.a", 4044).attributesLeftOut()).containsExactly(FileName.of("user.a"));
    assertThat(file("user.a", 3000, "user.b", 2000, "user.c", 1000).attributesLeftOut())
        .containsExactly(FileName.of("user.a"));
  }

  @Test
  void inodeAndBlockAreFilledAsFarAsTheyGo() {
    // 88 bytes in the inode and 4060 in the block: there is only one way to divide these.
    assertThat(file("user.a", 40, "user.b", 8, "user.c", 4040).attributesLeftOut()).isEmpty();
    assertThat(file("user.a", 36, "user.b", 12, "user.c", 4040).attributesLeftOut()).isEmpty();
    assertThat(file("user.a", 44, "user.b", 44, "user.c", 4000).attributesLeftOut()).hasSize(1);
  }

  @Test
  void attributesThatTheKernelDoesNotKnowInImagesAreNamed() {
    for (String each : new String[] {"system.nfs4_acl", "system.richacl", "btrfs.compression"}) {
      assertThat(file(each, 10).attributesLeftOut()).containsExactly(FileName.of(each));
    }
    assertThat(file("system.posix_acl_access", 10).attributesLeftOut()).hasSize(1);
  }

  @Test
  void timesOfFiveHundredYearsAreKept() {
    for (String each : new String[] {"1901-12-13T20:45:52Z", "2446-05-10T22:38:55.999999999Z"}) {
      assertThat(NewFile.of(inode(Instant.parse(each)), new TreeMap<>()).keepsTimes()).isTrue();
    }
    for (String each : new String[] {"1901-12-13T20:45:51.9Z", "2446-05-10T22:38:56Z"}) {
      assertThat(NewFile.of(inode(Instant.parse(each)), new TreeMap<>()).keepsTimes()).isFalse();
    }
  }

  @Test
  void asManyRowsAreCountedAsAreWritten() throws IOException {
    System.err.println("NewFileTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    for (int round = 0; round < 300; round++) {
      NewFile file = file();
      long at = random.nextInt(30);
      for (int i = random.nextInt(20); i >= 0; i--) {
        long count = 1 + random.nextInt(1 << random.nextInt(13));
        file.addData(at << 12, count << 12);
        at += count + 1 + random.nextLong(1L << random.nextInt(28));
      }
      BlockMap.Builder map = new BlockMap.Builder();
      long[] runs = file.runs();
      for (int i = 0; i < runs.length; i += 2) {
        map.add(runs[i] << 12, runs[i] + 100 << 12, runs[i + 1] << 12);
      }
      int[] rows = new int[1];
      ByteBuffer roots = ByteBuffer.allocate(60).order(ByteOrder.LITTLE_ENDIAN);
      PointerRows.write(map.build(Verdict.IN_PLACE), row -> ++rows[0], roots, 0);
      assertThat(PointerRows.count(runs)).isEqualTo(rows[0]);
    }
  }
}
