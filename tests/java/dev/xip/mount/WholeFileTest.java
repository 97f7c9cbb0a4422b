package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.file.WholeFile;
import dev.xip.host.MappingBudget;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.PathResolver;
import dev.xip.testing.Fragments;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole file is contiguous memory without a copy, wherever its extents lie. */
class WholeFileTest {
  private static final int PAGE = 4096;

  @TempDir Path folder;
  private Path tree;
  private Path packed;
  private OpenImage mount;

  @BeforeEach
  void packATree() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    Random random = new Random(8);
    for (int pages : new int[] {1, 3, 4}) {
      Trees.write(tree.resolve("in" + pages), 0, 300 * PAGE - 5, random);
    }
    Trees.write(tree.resolve("sparse"), 7 * PAGE + 1, 40 * PAGE, random);
    Trees.write(tree.resolve("sparse"), 90 * PAGE - 3, 30 * PAGE, random);
    Files.createFile(tree.resolve("all-hole"));
    Processes.run("truncate", "-s", "1234567", tree.resolve("all-hole").toString());
    Trees.write(tree.resolve("many"), 0, 1100 * PAGE, random);
    packed = Images.ext2(tree);
    Fragments.scatter(packed, "in1", 1, 1);
    Fragments.scatter(packed, "in3", 3, 2);
    Fragments.scatter(packed, "in4", 4, 3);
    Fragments.scatter(packed, "sparse", 2, 4);
    Fragments.scatter(packed, "many", 1, 5);
    mount = OpenImage.open(packed);
  }

  @AfterEach
  void unmount() throws IOException {
    mount.close();
  }

  private WholeFile open(String path) throws IOException {
    return mount.whole(inode(path));
  }

  private byte[] original(String path) throws IOException {
    return Files.readAllBytes(tree.resolve(path));
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  private long extents(String path) throws IOException {
    return mount.image().blockMap(inode(path)).extentCount();
  }

  @Test
  void theScatteredImageIsSound() throws IOException {
    Processes.run("e2fsck", "-fn", packed.toString());
    assertThat(extents("in1")).isGreaterThan(250);
    assertThat(extents("in4")).isBetween(60L, 90L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"in1", "in3", "in4", "sparse", "all-hole", "hello.txt", "empty", "holes", "many"})
  void theMemoryIsTheFileByteForByte(String path) throws IOException {
    try (WholeFile file = open(path)) {
      assertThat(file.memory().isReadOnly()).isTrue();
      assertThat(bytes(file.memory())).isEqualTo(original(path));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"in1", "in3", "sparse", "all-hole", "hello.txt", "empty"})
  void anyPartCanBeReadThroughIt(String path) throws IOException {
    byte[] expected = original(path);
    Random random = new Random(11);
    try (WholeFile file = open(path)) {
      for (int i = 0; i < 200; i++) {
        int from = random.nextInt(expected.length + 1);
        byte[] read = new byte[random.nextInt(20_000)];
        int count = (int) file.read(from, MemorySegment.ofArray(read));
        assertThat(count).isEqualTo(Math.min(read.length, expected.length - from));
        assertThat(Arrays.equals(read, 0, count, expected, from, from + count)).isTrue();
      }
    }
  }

  @Test
  void aFileInOneExtentIsASliceOfTheImage() throws IOException {
    long before = MappingBudget.taken();
    try (WholeFile file = open("hello.txt")) {
      MemorySegment image = mount.image().memory();
      assertThat(image.asOverlappingSlice(file.memory())).isPresent();
      assertThat(MappingBudget.taken()).isEqualTo(before);
    }
  }

  @Test
  void aViewShowsThePagesOfTheImageFile() throws IOException {
    try (WholeFile file = open("in1")) {
      byte[] changed = new byte[PAGE];
      Arrays.fill(changed, (byte) 0x5a);
      long at = mount.image().blockMap(inode("in1")).imageOffset(17 * PAGE);
      try (FileChannel channel = FileChannel.open(packed, StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.wrap(changed), at);
      }
      assertThat(bytes(file.memory().asSlice(17 * PAGE, PAGE))).isEqualTo(changed);
    }
  }

  private Inode inode(String path) throws IOException {
    return PathResolver.resolve(mount.image(), path, true);
  }

  @Test
  void theImageMayHaveLostItsNameBefore() throws IOException {
    byte[] expected = original("in3");
    Files.delete(packed);
    try (WholeFile file = open("in3")) {
      assertThat(bytes(file.memory())).isEqualTo(expected);
    }
  }

  @Test
  void closingGivesTheMappingsBack() throws IOException {
    long before = MappingBudget.taken();
    WholeFile file = open("sparse");
    MemorySegment memory = file.memory();
    // A hole in front, a hole in the middle.
    assertThat(MappingBudget.taken() - before).isEqualTo(extents("sparse") + 2);
    file.close();
    file.close();
    assertThat(MappingBudget.taken()).isEqualTo(before);
    assertThatIllegalStateException().isThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0));
    assertThatIllegalStateException()
        .isThrownBy(() -> file.read(0, MemorySegment.ofArray(new byte[1])));
  }

  @Test
  void closingTheImageClosesItsViews() throws IOException {
    long before = MappingBudget.taken();
    WholeFile file = open("in1");
    MemorySegment memory = file.memory();
    mount.close();
    assertThat(MappingBudget.taken()).isEqualTo(before);
    assertThatIllegalStateException().isThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0));
    file.close();
    assertThat(MappingBudget.taken()).isEqualTo(before);
  }

  private static boolean isOnePiece(WholeFile file) {
    try {
      file.memory();
      return true;
    } catch (IOException refused) {
      return false;
    }
  }

  @Test
  void pastTheBudgetAViewIsRefusedAndTheFileStillRead() throws IOException {
    long before = MappingBudget.taken();
    List<WholeFile> files = new ArrayList<>();
    try {
      WholeFile last;
      do {
        last = open("many");
        files.add(last);
      } while (isOnePiece(last));
      assertThat(MappingBudget.taken()).isLessThanOrEqualTo(MappingBudget.limit());
      assertThat(MappingBudget.limit() - MappingBudget.taken()).isLessThan(extents("many"));
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(last::memory)
          .withMessageContaining("no piece of memory, but can be read")
          .withMessageContaining("ENOMEM")
          .withMessageContaining("a view of " + extents("many") + " mappings")
          .withMessageContaining("of at most " + MappingBudget.limit());
      byte[] read = new byte[(int) last.size()];
      assertThat(last.read(0, MemorySegment.ofArray(read))).isEqualTo(read.length);
      assertThat(read).isEqualTo(original("many"));
      files.removeFirst().close();
      files.add(open("many"));
      assertThat(isOnePiece(files.getLast())).isTrue();
    } finally {
      files.forEach(WholeFile::close);
    }
    assertThat(MappingBudget.taken()).isEqualTo(before);
  }

  @Test
  void aCutImageIsACheckedException() throws IOException {
    try (WholeFile file = open("in1")) {
      byte[] read = new byte[300 * PAGE];
      for (int i = 0; i < 20_000; i++) {
        file.read(i % 250 * PAGE, MemorySegment.ofArray(read).asSlice(0, 100));
      }
      try (FileChannel channel = FileChannel.open(packed, StandardOpenOption.WRITE)) {
        channel.truncate(PAGE);
      }
      for (int i = 0; i < 3; i++) {
        assertThatExceptionOfType(CorruptImageException.class)
            .isThrownBy(() -> file.read(0, MemorySegment.ofArray(read)))
            .withMessageContaining("truncated while in use");
        assertThatExceptionOfType(CorruptImageException.class)
            .isThrownBy(
                () ->
                    MemoryFaults.guarded(
                        packed.toString(),
                        mount.image().memory().byteSize(),
                        () -> file.memory().get(ValueLayout.JAVA_LONG, 200 * PAGE)));
      }
    }
  }

  @Test
  void anImageThatIsCutBeforeTheViewIsMadeIsOneToo() throws IOException {
    FileContent content = FileContent.of(mount.image(), inode("in1"));
    try (WholeFile file =
        WholeFile.open(
            mount.image(),
            inode("in1"),
            (bytes, runs) -> {
              try (FileChannel channel = FileChannel.open(packed, StandardOpenOption.WRITE)) {
                channel.truncate(PAGE);
              }
              return new ImageViews(mount.image(), mount.image().memory(), new long[0])
                  .rewire(bytes, runs);
            })) {
      byte[] read = new byte[10];
      assertThatExceptionOfType(CorruptImageException.class)
          .isThrownBy(() -> file.read(5000, MemorySegment.ofArray(read)));
      assertThatExceptionOfType(CorruptImageException.class)
          .isThrownBy(() -> content.read(5000, MemorySegment.ofArray(read)));
    }
  }

  @Test
  void aDirectoryHasNoBytes() {
    assertThatExceptionOfType(FileSystemException.class)
        .isThrownBy(() -> open("sub"))
        .withMessageContaining("not a regular file");
  }
}
