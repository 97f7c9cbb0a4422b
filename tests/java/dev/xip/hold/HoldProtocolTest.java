package dev.xip.hold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.LocalSocket;
import dev.xip.host.OpenFolder;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import dev.xip.segment.WaitLimit;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a peer may send, or fail to send, through the socket of a holder. */
@Timeout(300)
class HoldProtocolTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int MESSAGES = 10_000;
  private static final SegmentName ONE = new SegmentName("ONE");
  private static final long PID = ProcessHandle.current().pid();
  private static final int NOBODY = 65534;

  @TempDir Path temp;
  private SegmentStore store;
  private OpenFolder folder;
  private final List<String> told = new ArrayList<>();
  private volatile long pause = 500_000_000;

  @BeforeEach
  void define() throws IOException {
    store =
        SegmentStore.create(temp.resolve("store"))
            .waiting(WaitLimit.of(Duration.ofMillis(1200), told::add));
    SegmentPart part = SegmentPart.of(SegmentType.SW, 0x100000, 0x100000);
    store.define(SegmentDefinition.of(ONE, List.of(part)), SegmentSource.zeros());
    folder = OpenFolder.open(store.folder());
  }

  @AfterEach
  void close() {
    folder.close();
  }

  private SegmentHolder holder() throws IOException {
    return SegmentHolder.find(store, ONE, OptionalLong.empty());
  }

  private LocalSocket connect() throws IOException {
    return LocalSocket.connect(folder, HoldSocket.file(ONE, PID));
  }

  /** A holder that sends the same answers to each client, with a pause between them. */
  private void fake(byte[]... answers) throws IOException {
    boolean mute = answers[0].length == 0;
    LocalSocket socket = HoldSocket.listen(folder, ONE);
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try (socket) {
                while (true) {
                  LocalSocket.ready(List.of(socket), 1000);
                  LocalSocket client = socket.accept();
                  LocalSocket.ready(List.of(client), 1000);
                  boolean asks = !mute && client.receive(100).length > 0;
                  for (int i = 0; asks && i < answers.length; i++) {
                    LockSupport.parkNanos(i == 0 ? 0 : pause);
                    client.send(answers[i]);
                  }
                  if (!mute) {
                    client.close();
                  }
                }
              } catch (HostException e) {
                // The test is over.
              }
            });
  }

  @ParameterizedTest
  @CsvSource({
    "x, found 'x'",
    "ok abc, found 'ok abc'",
    "ok -1, found 'ok -1'",
    "'ok 1 ', found 'ok 1 '",
    "ok 9999999999999999999, found 'ok 9999999999999999999'",
    "'', found ''",
    "ok 77, 'but in the store the segment has no newer version'",
    "ok 1, 'but in the store the segment has no newer version'",
    "failed\u009b31m, found 'failed\\u009b31m'",
    "failed \u009b31mpwned, \\u009b31mpwned",
    "failed \u202eabc, \\u202eabc",
  })
  void anAnswerIsParsedStrictlyAndComparedWithTheStore(String answer, String part)
      throws IOException {
    fake((answer + "\n").getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> holder().save())
        .isInstanceOf(IOException.class)
        .hasMessageContaining(part)
        .message()
        .doesNotContain("\u009b", "\u202e");
  }

  @Test
  void anAnswerThatIsTooLongOrNotUtf8IsRefused() throws IOException {
    fake("ok 1".repeat(2000).getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> holder().save())
        .hasMessageContaining("ONE.%d.hold: expected the answer".formatted(PID))
        .hasMessageContaining("found more than 4096 bytes");
  }

  @Test
  void aHolderThatSaysNothingIsWaitedForWithALimitAndNamed() throws IOException {
    fake(new byte[0]);
    assertThatThrownBy(() -> holder().save())
        .isInstanceOfSatisfying(
            SegmentException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT))
        .hasMessageContaining("process " + PID)
        .hasMessageContaining("waited 1.2 s for it to");
    assertThat(told).containsExactly("waiting for process %d to answer".formatted(PID));
    assertThat(store.query(ONE).version()).isEqualTo(1);
  }

  @Test
  void aHolderThatIsBusyIsWaitedForBeyondTheLimitAndNamed() throws IOException {
    byte[] busy = "busy\n".getBytes(StandardCharsets.UTF_8);
    fake(busy, busy, busy, busy, "failed EIO: done\n".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> holder().save()).hasMessage("EIO: done");
    assertThat(told).containsExactly("waiting for process %d to answer".formatted(PID));
  }

  @Test
  void aHolderThatIsBusyForEverIsLeftAfterThirtyLimits() throws IOException {
    pause = 20_000_000;
    byte[][] busy = new byte[1000][];
    Arrays.fill(busy, "busy\n".getBytes(StandardCharsets.UTF_8));
    fake(busy);
    store = store.waiting(WaitLimit.of(Duration.ofMillis(100), told::add));
    assertThatThrownBy(() -> holder().save())
        .isInstanceOfSatisfying(
            SegmentException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT))
        .hasMessageContaining("after 30 times 0.1 s")
        .hasMessageContaining("still busy");
  }

  @Test
  void aFullQueueIsWaitedForWithALimit() throws IOException {
    List<LocalSocket> queued = new ArrayList<>();
    try (LocalSocket _ = LocalSocket.listen(folder, HoldSocket.file(ONE, PID), 0)) {
      fill(queued);
      assertThatThrownBy(() -> holder().save())
          .isInstanceOfSatisfying(
              SegmentException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
      assertThat(SegmentHolder.check(store)).isEmpty();
      assertThat(store.check()).isEmpty();
    } finally {
      queued.forEach(LocalSocket::close);
    }
  }

  private void fill(List<LocalSocket> queued) throws IOException {
    while (queued.size() < 100) {
      try {
        queued.add(connect());
      } catch (HostException e) {
        assertThat(e.errno()).isEqualTo(Errno.EAGAIN);
        return;
      }
    }
  }

  @Test
  void aSocketOfAStrangerIsPassedOver() throws IOException {
    Judge.root();
    FileName planted = HoldSocket.file(ONE, 1);
    try (LocalSocket _ = LocalSocket.listen(folder, planted, 0)) {
      folder.setOwner(planted, NOBODY, NOBODY);
      List<LocalSocket> queued = new ArrayList<>();
      try {
        while (true) {
          queued.add(LocalSocket.connect(folder, planted));
        }
      } catch (HostException full) {
        assertThat(full.errno()).isEqualTo(Errno.EAGAIN);
      }
      assertThatThrownBy(this::holder)
          .hasMessageContaining("not held by any process (ignored, of other users: [ONE.1.hold])");
      queued.forEach(LocalSocket::close);
    }
  }

  @Test
  void idleConnectionsPushEachOtherOutAndNotTheHolder() throws Exception {
    List<LocalSocket> idle = new ArrayList<>();
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      for (int i = 0; i < 200; i++) {
        try {
          idle.add(connect());
        } catch (HostException full) {
          Thread.sleep(5);
        }
      }
      assertThat(holder().save()).isEqualTo(2);
      assertThat(held.isLoaded()).isTrue();
    } finally {
      idle.forEach(LocalSocket::close);
    }
  }

  @Test
  void whatIsAskedForByOneWhoHasGoneIsNotDone() throws Exception {
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      synchronized (held) { // the first request has to wait, and with it the next ones
        for (int i = 0; i < 5; i++) {
          try (LocalSocket gone = connect()) {
            HoldLine.send(gone, "save");
          }
        }
      }
      assertThat(holder().modify(SharingMode.EXCLUSIVE)).isLessThanOrEqualTo(2);
      assertThat(store.query(ONE).version()).isLessThanOrEqualTo(2);
    }
  }

  @Test
  void noMessageHarmsTheHolderOrTheStore() throws Exception {
    System.err.println("HoldProtocolTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      long before = store.query(ONE).version();
      for (int i = 0; i < MESSAGES; i++) {
        say(message(random), random);
      }
      assertThat(held.isLoaded()).isTrue();
      assertThat(holder().save()).isGreaterThan(before);
      assertThat(store.query(ONE).definition().byteSize()).isEqualTo(4096);
      assertThat(holder().unload()).isPositive();
      held.await();
    }
    assertThat(store.check()).as("seed %d", SEED).isEmpty();
    assertThat(SegmentHolder.check(store)).isEmpty();
    assertThat(store.survey().segments()).hasSize(1);
  }

  /** Sends a message in pieces; sometimes waits for the answer. */
  private void say(byte[] message, Random random) throws IOException {
    try (LocalSocket socket = connect()) {
      int sent = 0;
      while (sent < message.length) {
        int end = Math.min(message.length, sent + 1 + random.nextInt(message.length));
        byte[] piece = Arrays.copyOfRange(message, sent, end);
        sent += socket.send(piece);
      }
      if (random.nextInt(4) == 0
          && new String(message, StandardCharsets.ISO_8859_1).contains("\n")) {
        HoldLine line = new HoldLine();
        while (!line.isComplete() && !line.isEnded()) {
          LocalSocket.ready(List.of(socket), 1000);
          line.receive(socket);
        }
        if (line.isComplete()) {
          assertThat(line.text()).matches("(ok [1-9][0-9]*|failed [^\\p{Cntrl}]+|busy)");
        }
      }
    } catch (HostException e) {
      assertThat(e.errno()).isIn(Errno.EAGAIN, Errno.EPIPE, Errno.ECONNRESET);
    }
  }

  private static byte[] message(Random random) {
    String[] words = {"save", "modify", " SHARED", " EXCLUSIVE", "busy", "ok 1", "failed ", "\n"};
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(5); i >= 0; i--) {
      text.append(words[random.nextInt(words.length)]);
    }
    if (random.nextInt(200) == 0) {
      text.append("x".repeat(random.nextInt(9000)));
    }
    byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(3) == 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return bytes;
  }

  @Test
  void theSocketTakesNoModeThroughALink() throws IOException {
    Path precious = Files.createFile(temp.resolve("precious"));
    Files.createSymbolicLink(
        store.folder().resolve(HoldSocket.file(ONE, PID).toString()), precious);
    String before = Files.getPosixFilePermissions(precious).toString();
    HeldSegment.load(store, ONE, SharingMode.SHARED).close();
    assertThat(Files.getPosixFilePermissions(precious)).hasToString(before);
  }
}
