package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.base.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class DefinitionFileTest {
  private static final Path FILE = Path.of("/store/MIXED.def");
  private static final SegmentDefinition MIXED =
      new SegmentDefinition(
          new SegmentName("MIXED"),
          List.of(
              new SegmentPart(SegmentType.EW, 0x100000, 0x1007ff),
              new SegmentPart(SegmentType.EN, 0x100800, 0x1008ff)));
  private static final byte[] TEXT = DefinitionFile.format(MIXED, 12);

  /** Makes a text that another program might have written, with the right sum. */
  static byte[] summed(String lines) {
    CRC32C sum = new CRC32C();
    sum.update(lines.getBytes(StandardCharsets.US_ASCII));
    return (lines + "crc32c %08x\n".formatted(sum.getValue())).getBytes(StandardCharsets.US_ASCII);
  }

  /** A whole definition with a gap between parts, a shared part beside another, or seven parts. */
  static byte[] unsupported(SegmentName name, int which) {
    String parts =
        switch (which) {
          case 0 -> "part 100000-100000 EW\npart 100002-100002 EW\n";
          case 1 -> "part 100000-100000 EW\npart 100001-100001 SW\n";
          default -> "part 100000-100000 EW\n".repeat(7);
        };
    return summed(
        "xip segment 1\nname %s\nversion 1\n%sdata %s.1.data 8192\n".formatted(name, parts, name));
  }

  @Test
  void theTextIsWhatTheReadmeShows() {
    assertThat(new String(TEXT, StandardCharsets.US_ASCII))
        .isEqualTo(
            """
            xip segment 1
            name MIXED
            version 12
            part 100000-1007ff EW
            part 100800-1008ff EN
            data MIXED.12.data 9437184
            crc32c 628ad167
            """);
  }

  @Test
  void aDefinitionSurvivesTheRoundTrip() throws SegmentException {
    assertThat(DefinitionFile.parse(FILE, "MIXED", TEXT))
        .isEqualTo(new StoredSegment(MIXED, 12, Path.of("/store/MIXED.12.data")));
  }

  @Test
  void aTextCutAtAnyByteIsDamageInThisFile() {
    for (int length = 0; length < TEXT.length; length++) {
      damaged(Arrays.copyOf(TEXT, length));
    }
  }

  @Test
  void anyBitThatFlipsIsDamageInThisFile() {
    for (int bit = 0; bit < TEXT.length * 8; bit++) {
      byte[] flipped = TEXT.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      damaged(flipped);
    }
  }

  @Test
  void anyByteThatIsDoubledOrAddedIsDamageInThisFile() {
    for (int at = 0; at <= TEXT.length; at++) {
      byte[] longer = Arrays.copyOf(TEXT, TEXT.length + 1);
      System.arraycopy(TEXT, at, longer, at + 1, TEXT.length - at);
      longer[at] = at < TEXT.length ? TEXT[at] : (byte) '\n';
      damaged(longer);
    }
  }

  @Test
  void damageNamesPlaceExpectedAndFound() {
    byte[] flipped = TEXT.clone();
    flipped[0] = 'X';
    refused(
        () -> DefinitionFile.parse(FILE, "MIXED", flipped),
        Errno.EIO,
        "segment MIXED: definition: /store/MIXED.def: at byte 0x0: "
            + "expected line 1 to be \"xip segment 1\", found \"Xip segment 1\"");
  }

  @Test
  void aFormOfAnotherVersionIsRefusedByItsFirstLine() {
    refused(
        () -> DefinitionFile.parse(FILE, "MIXED", summed("xip segment 2\nname MIXED\n")),
        Errno.EIO,
        "expected line 1 to be \"xip segment 1\", found \"xip segment 2\"");
  }

  @Test
  void tamperingThatForgetsTheSumIsFoundByTheSum() {
    String tampered = new String(TEXT, StandardCharsets.US_ASCII).replace("1007ff EW", "1006ff EW");
    refused(
        () -> DefinitionFile.parse(FILE, "MIXED", tampered.getBytes(StandardCharsets.US_ASCII)),
        Errno.EIO,
        "expected line 7 to be \"crc32c");
  }

  @Test
  void aWholeTextUnderAnotherNameIsRefused() {
    refused(
        () -> DefinitionFile.parse(Path.of("/store/OTHER.def"), "OTHER", TEXT),
        Errno.EIO,
        "expected line 2 to be \"name OTHER\", found \"name MIXED\"");
  }

  @Test
  void aLengthThatIsNotThatOfThePartsIsRefused() {
    refused(
        () ->
            DefinitionFile.parse(
                Path.of("/store/A.def"),
                "A",
                summed("xip segment 1\nname A\nversion 1\npart 0-0 SR\ndata A.1.data 4097\n")),
        Errno.EIO,
        "line 5 to be \"data A.1.data 4096\", found \"data A.1.data 4097\"");
  }

  @Test
  void aDataFileOutsideTheStoreIsRefused() {
    refused(
        () ->
            DefinitionFile.parse(
                Path.of("/store/A.def"),
                "A",
                summed("xip segment 1\nname A\nversion 1\npart 0-0 SR\ndata ../A.1.data 4096\n")),
        Errno.EIO,
        "line 5 to be \"data FILE LENGTH\"");
  }

  @Test
  void linesAfterTheDataAreRefused() {
    refused(
        () ->
            DefinitionFile.parse(
                Path.of("/store/A.def"),
                "A",
                summed("xip segment 1\nname A\nversion 1\npart 0-0 SR\ndata A.1.data 4096\nx\n")),
        Errno.EIO,
        "expected line 6 to be \"crc32c NUMBER\", found \"x\"");
  }

  @Test
  void partsThatBreakARuleAreRefusedWithTheRulesCode() {
    refused(
        () ->
            DefinitionFile.parse(
                Path.of("/store/A.def"),
                "A",
                summed(
                    "xip segment 1\nname A\nversion 1\npart 0-0 SR\npart 1-1 SR\n"
                        + "data A.1.data 8192\n")),
        Errno.EOPNOTSUPP,
        "only EW and EN among several parts");
  }

  @Test
  void aFileTooLongIsRefusedWithoutReadingItAll() {
    byte[] longer = Arrays.copyOf(TEXT, 1 << 20);
    refused(() -> DefinitionFile.parse(FILE, "MIXED", longer), Errno.EIO, "at byte 0x400");
  }

  private static void damaged(byte[] bytes) {
    Assertions.assertThatThrownBy(() -> DefinitionFile.parse(FILE, "MIXED", bytes))
        .isInstanceOfSatisfying(
            SegmentException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EIO))
        .hasMessageContaining("/store/MIXED.def: at byte 0x")
        .hasMessageContaining("expected line ")
        .hasCauseInstanceOf(MalformedDataException.class);
  }
}
