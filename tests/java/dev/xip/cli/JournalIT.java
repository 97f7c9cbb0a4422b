package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An image whose journal needs recovery is read as it will be after it, or as it is. */
class JournalIT {
  private static final String OLD = "old".repeat(3000);
  private static final String NEW = "new".repeat(3000);
  private static final String WARNING = "the journal is not replayed: newer changes are missing";

  @TempDir static Path folder;

  private static Path image;
  private static byte[] before;

  /** Journals the first block of a file, which debugfs then leaves in the journal. */
  @BeforeAll
  static void makeImage() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("changed"), OLD);
    Files.writeString(tree.resolve("same"), OLD);
    image = folder.resolve("dirty.img");
    Images.ext("ext3", tree, image, "-b", "4096");
    Images.journal(image, "/changed", NEW.substring(0, 4096).getBytes(StandardCharsets.UTF_8));
    before = Files.readAllBytes(image);
  }

  @AfterAll
  static void theImageIsNotWritten() throws IOException {
    assertThat(Files.readAllBytes(image)).isEqualTo(before);
  }

  private static final String RECOVERED = NEW.substring(0, 4096) + OLD.substring(4096);

  @Test
  void catPrintsWhatTheJournalHolds() throws Exception {
    assertThat(Xip.run("cat", image, "/changed", "/same").isDone().out())
        .isEqualTo(RECOVERED + OLD);
  }

  @Test
  void catWithoutRecoveryPrintsWhatTheImageHoldsAndWarns() throws Exception {
    Xip.Result result = Xip.run("cat", "--no-recovery", image, "/changed");
    assertThat(result.out()).isEqualTo(OLD);
    assertThat(result.err()).isEqualTo("xip: %s: %s\n".formatted(image, WARNING));
    assertThat(result.exit()).isZero();
  }

  @Test
  void copiesHaveWhatTheJournalHolds() throws Exception {
    Path copy = folder.resolve("copy");
    Xip.run("cp", "-r", image, "/", copy).isDoneButForOwners();
    assertThat(copy.resolve("changed")).hasContent(RECOVERED);
    assertThat(copy.resolve("same")).hasContent(OLD);
    Path old = folder.resolve("old");
    assertThat(Xip.run("cp", "--no-recovery", image, "/changed", old).err()).contains(WARNING);
    assertThat(old).hasContent(OLD);
  }

  @Test
  void checkSaysWhichFileIsJournaledAndHowManyBytesAre() throws Exception {
    assertThat(Xip.run("check", "--all", image).isDone().out())
        .containsPattern("(?m)^journaled +8.8K  .* /changed$")
        .containsPattern("(?m)^in place +8.8K .* /same$")
        .contains("journal: replayed in memory, 1 blocks with 4,096 bytes of 1 transactions\n")
        .contains("\njournaled, by copy: 1 files with 8.8K\n");
    JsonNode json = Xip.run("check", "--json", image).isDone().json();
    assertThat(json.at("/journal/replayedBytes").asInt()).isEqualTo(4096);
    assertThat(json.at("/journal/transactions").asInt()).isEqualTo(1);
    assertThat(json.at("/sums/journaled/files").asInt()).isEqualTo(1);
    assertThat(Xip.run("check", "--no-recovery", image).out()).doesNotContain("journal");
  }

  @Test
  void statSaysThatTheJournalWasReplayed() throws Exception {
    assertThat(Xip.run("stat", image, "/changed").isDone().out())
        .contains(" verdict  journaled\n")
        .contains(" journal  replayed in memory, 1 blocks");
    JsonNode json = Xip.run("stat", "--json", image, "/changed").isDone().json();
    assertThat(json.at("/journal/replayedBlocks").asInt()).isEqualTo(1);
    Xip.Result old = Xip.run("stat", "--no-recovery", image, "/changed");
    assertThat(old.out()).contains(" verdict  in place\n").doesNotContain("journal");
    assertThat(old.err()).contains(WARNING);
  }

  @Test
  void whatUsesTheBytesInPlaceNamesWhatWouldWork() throws Exception {
    String line =
        "xip: %s: cannot be used in place: 1 blocks are still in the journal (e2fsck -fy on a copy"
            + " of the image writes them to their places)\n";
    assertThat(Xip.run("maps", image).err()).isEqualTo(line.formatted(image));
    assertThat(Xip.run("demo", "--image", image).err()).endsWith(line.formatted(image));
  }

  @Test
  void anImageInASegmentIsReplayedInMemoryToo() throws Exception {
    Path store = folder.resolve("store");
    Xip.run("segment", "define", "D", "--from", image, "--at", "0x100000000", "--store", store)
        .isDone();
    assertThat(Xip.run("cat", "--store", store, "segment:D", "/changed").isDone().out())
        .isEqualTo(RECOVERED);
    assertThat(Xip.run("cat", "--no-recovery", "--store", store, "segment:D", "/changed").out())
        .isEqualTo(OLD);
    assertThat(Xip.run("run", "--store", store, "segment:D", "/changed").err())
        .contains("1 blocks are still in the journal", "e2fsck -fy on a copy");
  }
}
