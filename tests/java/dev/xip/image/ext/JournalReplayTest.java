package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.Overlay;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.image.ext.JournalWriter.Checksums;
import dev.xip.image.ext.JournalWriter.Kind;
import dev.xip.image.ext.JournalWriter.Logged;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the replay of a journal changes, and which journals are refused with what words. */
class JournalReplayTest {
  private static final Kind PLAIN = new Kind(2, false, Checksums.NONE, false, false);
  private static final Kind CHECKED = new Kind(2, true, Checksums.V3, false, false);

  @TempDir static Path folder;
  private static JournalImage base;
  private byte[] image;

  @BeforeAll
  static void makeAnImage() throws IOException {
    base = JournalImage.make(folder, "-t ext3 -b 4096");
  }

  @BeforeEach
  void copyIt() {
    image = base.clean.clone();
  }

  private JournalWriter writer(Kind kind) {
    return new JournalWriter(image, base.blockSize, base.journal, kind, 1, 5, null);
  }

  private static Logged logged(int block, int fill) {
    byte[] bytes = new byte[base.blockSize];
    Arrays.fill(bytes, (byte) fill);
    return new Logged(base.data[block], bytes);
  }

  private void assertRefused(String... parts) {
    byte[] before = image.clone();
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> JournalImage.overlay(image))
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    assertThat(image).isEqualTo(before);
  }

  @Test
  void anImageThatNeedsNoRecoveryHasNoOverlay() throws IOException {
    assertThat(JournalImage.overlay(image)).isSameAs(Overlay.NONE);
  }

  @Test
  void anEmptyLogChangesNothing() throws IOException {
    JournalWriter writer = writer(PLAIN);
    writer.finish();
    assertThat(JournalImage.overlay(image).isEmpty()).isTrue();
    assertThat(JournalImage.overlay(image).transactions()).isZero();
  }

  @Test
  void theNewestBytesOfABlockReplaceItAndTheImageStaysAsItIs() throws IOException {
    JournalWriter writer = writer(CHECKED);
    writer.commit(List.of(logged(0, 1), logged(1, 2)), List.of());
    writer.commit(List.of(logged(1, 3)), List.of());
    writer.finish();
    byte[] before = image.clone();
    Overlay overlay = JournalImage.overlay(image);
    assertThat(overlay.pieces()).isEqualTo(2);
    assertThat(overlay.bytes()).isEqualTo(2 * 4096);
    assertThat(overlay.transactions()).isEqualTo(2);
    byte[] after = JournalImage.replayed(image);
    assertThat(image).isEqualTo(before);
    assertThat(after[(int) base.data[0] * 4096]).isEqualTo((byte) 1);
    assertThat(after[(int) base.data[1] * 4096 + 4095]).isEqualTo((byte) 3);
  }

  @Test
  void anEscapedBlockGetsItsMagicNumberBack() throws IOException {
    byte[] bytes = new byte[4096];
    ByteBuffer.wrap(bytes).putInt(0, JournalWriter.MAGIC).putInt(4, 7);
    JournalWriter writer = writer(PLAIN);
    writer.commit(List.of(new Logged(base.data[0], bytes)), List.of());
    writer.finish();
    assertThat(JournalImage.overlay(image).piece(0).escaped()).isTrue();
    int at = (int) base.data[0] * 4096;
    assertThat(Arrays.copyOfRange(JournalImage.replayed(image), at, at + 4096)).isEqualTo(bytes);
  }

  @Test
  void aRevokedBlockIsReplayedOnlyFromLaterTransactions() throws IOException {
    JournalWriter writer = writer(PLAIN);
    writer.commit(List.of(logged(0, 1), logged(1, 1), logged(2, 1)), List.of());
    writer.commit(List.of(logged(2, 2)), List.of(base.data[0], base.data[1], base.data[2]));
    writer.commit(List.of(logged(1, 3)), List.of());
    writer.finish();
    Overlay overlay = JournalImage.overlay(image);
    assertThat(overlay.pieces()).isEqualTo(1);
    assertThat(overlay.piece(0).place()).isEqualTo(base.data[1] * 4096);
  }

  @Test
  void aFileWithABlockInTheJournalIsReadByCopyAndOthersStayInPlace() throws IOException {
    JournalWriter writer = writer(PLAIN);
    writer.commit(List.of(logged(2, 9)), List.of());
    writer.finish();
    Overlay overlay = JournalImage.overlay(image);
    MemorySegment memory = MemorySegment.ofArray(JournalImage.replayed(image));
    ExtImage open = ExtImage.open("dirty.img", memory, overlay);
    Inode file = PathResolver.resolve(open, "/data", true);
    assertThat(open.blockMap(file).verdict()).isEqualTo(Verdict.JOURNALED);
    assertThat(overlay.touches(base.data[2] * 4096 - 1, 1)).isFalse();
    assertThat(overlay.touches(base.data[2] * 4096 - 1, 2)).isTrue();
    assertThat(overlay.touches(base.data[2] * 4096 + 4095, 1)).isTrue();
    assertThat(overlay.touches(base.data[2] * 4096 + 4096, 1 << 20)).isFalse();
    byte[] read = new byte[4096];
    FileContent.of(open, file).read(2 * 4096, MemorySegment.ofArray(read));
    assertThat(read).containsOnly(9);
    ExtImage asItIs = ExtImage.open("dirty.img", MemorySegment.ofArray(image));
    assertThat(asItIs.blockMap(file).verdict()).isEqualTo(Verdict.IN_PLACE);
  }

  @Test
  void aFileInBlocksBelowThePageSizeIsJournaledOnlyIfAChangedBlockIsIts() throws IOException {
    JournalImage small = JournalImage.make(folder, "-t ext4 -b 1024 -O ^metadata_csum");
    image = small.clean.clone();
    JournalWriter writer = new JournalWriter(image, 1024, small.journal, PLAIN, 1, 5, null);
    writer.commit(List.of(new Logged(small.data[299], new byte[1024])), List.of());
    writer.finish();
    MemorySegment memory = MemorySegment.ofArray(JournalImage.replayed(image));
    ExtImage open = ExtImage.open("dirty.img", memory, JournalImage.overlay(image));
    Inode file = PathResolver.resolve(open, "/data", true);
    assertThat(open.blockMap(file).verdict()).isEqualTo(Verdict.JOURNALED);
    ExtImage asItIs = ExtImage.open("dirty.img", MemorySegment.ofArray(image));
    assertThat(asItIs.blockMap(file).verdict()).isEqualTo(Verdict.SMALL_BLOCKS);
  }

  @Test
  void aLogThatFillsTheWholeRingIsReplayed() throws IOException {
    JournalWriter writer =
        new JournalWriter(image, 4096, base.journal, PLAIN, base.journal.length - 3, 5, null);
    for (int left = writer.ring(); left > 0; left -= 3) {
      List<Logged> blocks = new ArrayList<>(List.of(logged(left % 50, left)));
      if (left < 6) {
        for (int i = 3; i < left; i++) {
          blocks.add(logged(i, i));
        }
        left = 3;
      }
      writer.commit(blocks, List.of());
    }
    assertThat(writer.next).isEqualTo(base.journal.length - 3);
    writer.finish();
    assertThat(JournalImage.overlay(image).transactions()).isEqualTo(writer.sequence - 5);
  }

  @Test
  @Timeout(10)
  void aLogWithoutAnEndIsDamage() {
    JournalWriter writer = writer(PLAIN);
    for (int i = 0; i < writer.ring(); i++) {
      writer.body(List.of(), List.of(base.data[0]));
    }
    writer.finish();
    assertRefused("goes on in a circle in transaction 5");
  }

  @Test
  void aCommitBlockWithAWrongChecksumIsRefusedWithWhatWouldWork() {
    for (Checksums each : List.of(Checksums.V1, Checksums.V2, Checksums.V3)) {
      copyIt();
      JournalWriter writer = writer(new Kind(2, false, each, false, false));
      writer.commit(List.of(logged(0, 1)), List.of());
      writer.commitWrongly(List.of(logged(0, 2)), List.of());
      writer.finish();
      assertRefused("transaction 6", "wrong checksum", "e2fsck -fy on a copy", "--no-recovery");
    }
  }

  @Test
  void withAsynchronousCommitsAWrongChecksumEndsTheLog() throws IOException {
    for (Checksums each : List.of(Checksums.V1, Checksums.V2, Checksums.V3)) {
      copyIt();
      JournalWriter writer = writer(new Kind(2, false, each, true, false));
      writer.commit(List.of(logged(0, 1)), List.of());
      writer.commitWrongly(List.of(logged(1, 2)), List.of());
      writer.finish();
      assertThat(JournalImage.overlay(image).transactions()).as("%s", each).isEqualTo(1);
      assertThat(JournalImage.overlay(image).pieces()).as("%s", each).isEqualTo(1);
    }
  }

  @Test
  void aLoggedBlockWithAWrongChecksumIsRefused() {
    JournalWriter writer = writer(CHECKED);
    writer.commit(List.of(logged(0, 1)), List.of());
    writer.finish();
    image[(int) base.journal[2] * 4096 + 5]++;
    assertRefused("the checksum in the journal of block " + base.data[0]);
  }

  @Test
  void fastCommitsAreRefusedByName() throws IOException {
    JournalImage wide = JournalImage.make(folder, "-t ext3 -b 4096 -J size=8");
    image = wide.clean.clone();
    Kind kind = new Kind(2, false, Checksums.V3, false, true);
    JournalWriter writer = new JournalWriter(image, 4096, wide.journal, kind, 1, 5, null);
    writer.commit(List.of(new Logged(wide.data[0], new byte[4096])), List.of());
    writer.finish();
    assertThat(JournalImage.overlay(image).pieces()).isEqualTo(1);
    writer.fastCommit(5);
    assertThat(JournalImage.overlay(image).pieces()).as("of an earlier transaction").isEqualTo(1);
    writer.fastCommit(6);
    assertRefused("feature fast_commit", "some behind transaction 5", "e2fsck -fy on a copy");
  }

  @Test
  void anExternalJournalIsRefusedByName() {
    JournalWriter writer = writer(PLAIN);
    writer.finish();
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(1024 + ExtLayout.S_JOURNAL_INUM, 0).putInt(1024 + ExtLayout.S_JOURNAL_DEV, 0x801);
    assertRefused("a journal inside the image", "an external one, on device 0x801", "e2fsck -j");
  }

  @Test
  void aTagThatNamesTheJournalOrNoBlockIsDamage() {
    for (long block : new long[] {base.journal[7], base.clean.length / 4096}) {
      copyIt();
      JournalWriter writer = writer(PLAIN);
      writer.commit(List.of(new Logged(block, new byte[4096])), List.of());
      writer.finish();
      assertRefused("outside the journal", Long.toString(block));
    }
  }

  @Test
  void aRevokeBlockLongerThanABlockIsDamage() {
    JournalWriter writer = writer(PLAIN);
    writer.commit(List.of(logged(0, 1)), List.of(base.data[0]));
    writer.finish();
    ByteBuffer.wrap(image).putInt((int) base.journal[1] * 4096 + 12, 4097);
    assertRefused("a revoke block of at most 4096 bytes", "4097");
  }

  @Test
  void aDamagedSuperblockOfTheJournalIsRefused() {
    record Change(int field, int value, String part) {}
    for (Change each :
        List.of(
            new Change(
                0, 1, "expected the magic 0xc03b3998 of a journal, found 0x00000001 (e2fsck -fy"),
            new Change(4, 5, "a superblock of version 1 or 2"),
            new Change(0x0c, 1024, "blocks of 4096 bytes"),
            new Change(0x10, 100, "a length of 1024.."),
            new Change(0x10, 1 << 20, "a length of 1024.."),
            new Change(0x14, 0, "a log that begins in block"),
            new Change(0x1c, 1 << 20, "0 or a block of 1.."),
            new Change(0x28, 0x43, "incompat:0x40"),
            new Change(0x2c, 1, "ro_compat:0x1"),
            new Change(0x28, 0x18, "checksums of one version"),
            new Change(0x28, 0x11, "checksums of type 4"))) {
      copyIt();
      JournalWriter writer = writer(PLAIN);
      writer.commit(List.of(logged(0, 1)), List.of());
      writer.finish();
      ByteBuffer.wrap(image).putInt((int) base.journal[0] * 4096 + each.field, each.value);
      assertRefused(each.part);
    }
  }
}
