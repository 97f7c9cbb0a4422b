package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.host.HostFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Java refuses, C refuses with the same code, each with one line that says why. */
class SegmentCodesFromCTest extends LoaderFixture {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int RANDOM_DEFINITIONS = 20_000;

  private SegmentProgram c;

  @BeforeEach
  void start() throws IOException {
    c = SegmentProgram.inC(store.folder());
  }

  @AfterEach
  void end() throws Exception {
    c.leave();
    c.close();
  }

  /** Both are asked to load the segment shared. */
  private void bothRefuse(String name, Errno code, String part) throws IOException {
    cRefuses(c, "load " + name + " shared", code, part);
    refused(() -> loader.load(SegmentName.of(name), SharingMode.SHARED), code, part);
  }

  private static void cRefuses(SegmentProgram c, String command, Errno code, String part)
      throws IOException {
    assertThat(c.ask(command)).startsWith("failed %s: %s: ".formatted(code, code)).contains(part);
  }

  private Path file(String name) {
    return store.folder().resolve(name);
  }

  @ParameterizedTest
  @CsvSource({
    "NINECHARS, ENAMETOOLONG, 'expected 1 to 8 characters, found 9'",
    "A.B, EINVAL, 'expected only letters A to Z, digits and $ # @ _'",
    "../A, EINVAL, 'segment name \"../A\"'",
    "NONE, ENOENT, 'segment NONE: expected a segment of that name in'",
  })
  void aNameThatIsNone(String name, Errno code, String part) throws IOException {
    bothRefuse(name, code, part);
  }

  @Test
  void theOtherMode() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    c.must("load A shared");
    loader.load(A, SharingMode.SHARED);
    String part = "segment A: already loaded SHARED, not EXCLUSIVE";
    cRefuses(c, "load A exclusive", Errno.EPERM, part);
    refused(() -> loader.load(A, SharingMode.EXCLUSIVE), Errno.EPERM, part);
  }

  @Test
  void theSameMegabyte() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    define(B, SegmentType.SR, PLACE + 0xff, 2);
    c.must("load A shared");
    loader.load(A, SharingMode.SHARED);
    bothRefuse("B", Errno.EBUSY, "expected megabytes without a segment, found [0x");
    c.must("unload A");
    c.must("load B shared");
  }

  @Test
  void aDataFileThatAnotherProcessLocksExclusively() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 1);
    try (HostFile file = HostFile.openReadWrite(stored.dataFile())) {
      assertThat(file.tryLockExclusive(0, 1)).isTrue();
      c.must("wait 50");
      String part = "locked exclusively by process " + ProcessHandle.current().pid();
      cRefuses(c, "load A shared", Errno.EBUSY, part);
      SegmentStore hasty = store.waiting(WaitLimit.of(Duration.ofMillis(50), line -> {}));
      refused(
          () -> new SegmentLoader(hasty, memory).load(A, SharingMode.SHARED), Errno.EBUSY, part);
    }
    c.must("load A shared");
  }

  @Test
  void aDataFileThatIsShortOrMissing() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 2);
    try (RandomAccessFile cut = new RandomAccessFile(stored.dataFile().toFile(), "rw")) {
      cut.setLength(4097);
    }
    bothRefuse("A", Errno.EIO, "A.1.data: expected 0x2000 bytes, found 0x1001");
    Files.delete(stored.dataFile());
    bothRefuse("A", Errno.EIO, "A.1.data");
  }

  @ParameterizedTest
  @CsvSource({
    "'part 100000-100000 EW\n"
        + "part 100002-100002 EW\n"
        + "', EOPNOTSUPP, 'part 2 to start at page 100001'",
    "'part 100000-100000 EW\npart 100001-100001 SW\n', EOPNOTSUPP, 'only EW and EN among several'",
    "'part 100000-100001 EW\npart 100001-100001 EW\n', EINVAL, 'part 2 to start at page 100002'",
    "'part 100001-100000 EW\n', EINVAL, 'a last page not below the first'",
    "'part 100000-8ffffffff SW\n', ERANGE, 'segment A'",
    "'part 100000-100000 EWEN\n', EIO, 'A.def: at byte 0x1f: expected line 4 to be'",
  })
  void aDefinitionThatBreaksARule(String parts, Errno code, String part) throws IOException {
    long bytes = code == Errno.ERANGE ? 0x900000000L - 0x100000 << 12 : 4096;
    write("xip segment 1\nname A\nversion 1\n%sdata A.1.data %d\n".formatted(parts, bytes));
    bothRefuse("A", code, part);
  }

  @Test
  void aDefinitionThatIsDamaged() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    byte[] text = Files.readAllBytes(file("A.def"));
    Files.write(file("A.def"), Arrays.copyOf(text, text.length - 1));
    bothRefuse("A", Errno.EIO, "A.def: at byte 0x");
    text[20] ^= 1;
    Files.write(file("A.def"), text);
    bothRefuse("A", Errno.EIO, "A.def: at byte 0x");
    Files.writeString(file("A.def"), "xip segment 2\n");
    bothRefuse("A", Errno.EIO, "expected line 1 to be \"xip segment 1\", found \"xip segment 2\"");
  }

  @Test
  void aProcessWithoutMemoryOrDescriptors() throws Exception {
    define(A, SegmentType.SR, PLACE, 1 << 18);
    try (SegmentProgram poor = limited("ulimit -v 500000")) {
      cRefuses(poor, "load A shared", Errno.ENOMEM, "segment A: mmap: expected 0x40000000 bytes");
      poor.leave();
    }
    try (SegmentProgram poor = limited("ulimit -n 5")) {
      cRefuses(poor, "load A shared", Errno.EMFILE, "segment A: ");
      poor.leave();
    }
    c.must("load A shared");
    assertThat(SegmentProgram.field(c.must("query A"), "shared")).as("users").isEqualTo("1");
  }

  private SegmentProgram limited(String limit) throws IOException {
    return SegmentProgram.inC(store.folder(), "sh", "-c", limit + " && exec \"$@\"", "sh");
  }

  @Test
  void aStoreThatIsNone() throws Exception {
    try (SegmentProgram nowhere = SegmentProgram.inC(temp.resolve("none"))) {
      cRefuses(nowhere, "load A shared", Errno.ENOENT, "segment store " + temp.resolve("none"));
      nowhere.leave();
    }
    Path file = Files.createFile(temp.resolve("file"));
    try (SegmentProgram nowhere = SegmentProgram.inC(file)) {
      cRefuses(nowhere, "load A shared", Errno.ENOTDIR, "segment store " + file);
      nowhere.leave();
    }
  }

  @Test
  void bothReadAnyDefinitionAlike() throws IOException {
    Random random = new Random(SEED);
    int whole = 0;
    for (int i = 0; i < RANDOM_DEFINITIONS; i++) {
      String where = "-Dxip.seed=%d, definition %d".formatted(SEED, i);
      long version = randomDefinition(random);
      String told = "ok";
      Path data = file("none");
      try {
        store.query(A);
        whole++;
        data = Files.write(file("A.%d.data".formatted(version)), new byte[0]);
      } catch (SegmentException e) {
        told = "failed %s: %s: ".formatted(e.errno(), e.errno());
      }
      assertThat(c.ask("query A")).as(where).startsWith(told);
      Files.deleteIfExists(data);
    }
    assertThat(whole).isBetween(RANDOM_DEFINITIONS / 10, RANDOM_DEFINITIONS * 9 / 10);
  }

  /** Writes a definition that is often nearly right, and returns the version that it names. */
  private long randomDefinition(Random random) throws IOException {
    long version = random.nextInt(3) == 0 ? random.nextLong(1_000_000_000_000L) : 1;
    String name = random.nextInt(20) == 0 ? anyOf(random, "B a AA A.def") : "A";
    StringBuilder text = new StringBuilder("xip segment 1\nname " + name + "\n");
    text.append(random.nextInt(30) == 0 ? "version 0" : "version ").append(version).append('\n');
    int parts = random.nextInt(3) == 0 ? 1 + random.nextInt(8) : 1;
    long first = random.nextLong(1L << 20);
    long page = first;
    for (int i = 0; i < parts; i++) {
      page += random.nextInt(30) == 0 ? random.nextInt(3) - 1 : 0;
      long last = page + random.nextInt(100) - (random.nextInt(30) == 0 ? 50 : 0);
      String type =
          parts == 1 ? anyOf(random, "SW EW SR ER SN EN SC EWEN XX") : anyOf(random, "EW EN");
      type = random.nextInt(30) == 0 ? "SR" : type;
      text.append(random.nextInt(60) == 0 ? "part %X-%x %s\n" : "part %x-%x %s\n");
      String line = text.toString().formatted(page, last, type);
      text = new StringBuilder(line);
      page = last + 1;
    }
    long bytes = (page - first << 12) + (random.nextInt(30) == 0 ? 4096 : 0);
    text.append("data A.%d.data %d\n".formatted(version, bytes));
    if (random.nextInt(10) == 0) {
      text.setCharAt(random.nextInt(text.length()), (char) random.nextInt(128));
    }
    if (random.nextInt(20) == 0) {
      text.append("more\n");
    }
    if (random.nextInt(20) == 0) {
      swapLines(text, random);
    }
    write(text.toString());
    return version;
  }

  /** Puts one line in place of another. */
  private static void swapLines(StringBuilder text, Random random) {
    String[] lines = text.toString().split("\n", -1);
    lines[random.nextInt(lines.length)] = lines[random.nextInt(lines.length)];
    text.replace(0, text.length(), String.join("\n", lines));
  }

  private static String anyOf(Random random, String words) {
    String[] each = words.split(" ");
    return each[random.nextInt(each.length)];
  }

  /** Writes a definition of A with the right sum. */
  private void write(String text) throws IOException {
    CRC32C sum = new CRC32C();
    sum.update(text.getBytes(StandardCharsets.ISO_8859_1));
    String whole = text + "crc32c %08x\n".formatted(sum.getValue());
    Files.writeString(file("A.def"), whole, StandardCharsets.ISO_8859_1);
  }
}
