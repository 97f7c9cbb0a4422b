package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The extents of files are where dump.erofs says, and so are their inodes. */
class ErofsExtentsTest {
  private static final Pattern EXTENT =
      Pattern.compile("\\d+: +(\\d+)\\.\\. *(\\d+) \\| +\\d+ : +(\\d+)\\.\\.");

  private static final Pattern NID = Pattern.compile("NID: (\\d+) +Links: (\\d+)");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"-x1", "-Enoinline_data", "--chunksize=4096", "--chunksize=65536"})
  void extentsAreWhereDumpErofsFindsThem(String option) throws IOException {
    Judge.program("mkfs.erofs");
    Judge.program("dump.erofs");
    Path tree = Trees.small(folder.resolve("tree"));
    Path file = Images.erofs(tree, folder.resolve("image"), option);
    ErofsImage image =
        ErofsImage.open("judged.img", MemorySegment.ofArray(Files.readAllBytes(file)));
    for (String each : List.of("hello.txt", "two-pages", "indirect", "sub/deeper/hard")) {
      Inode inode = PathResolver.resolve(image, each, true);
      String dump = Processes.run("dump.erofs", "-e", "--path=/" + each, file.toString()).out();
      MatchResult nid = NID.matcher(dump).results().findFirst().orElseThrow();
      assertThat(inode.number()).as(each).isEqualTo(Long.parseLong(nid.group(1)));
      assertThat(inode.links()).as(each).isEqualTo(Long.parseLong(nid.group(2)));
      BlockMap map = image.blockMap(inode);
      List<MatchResult> extents = EXTENT.matcher(dump).results().toList();
      assertThat(extents).as(dump).isNotEmpty();
      for (MatchResult extent : extents) {
        long start = Long.parseLong(extent.group(1));
        long end = Math.min(inode.size(), Long.parseLong(extent.group(2)));
        long place = Long.parseLong(extent.group(3));
        assertThat(map.imageOffset(start)).as("%s: %s", each, dump).isEqualTo(place);
        assertThat(map.imageOffset(end - 1)).as(each).isEqualTo(place + (end - 1 - start));
      }
    }
  }
}
