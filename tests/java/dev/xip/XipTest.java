package dev.xip;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.image.FileType;
import dev.xip.image.Verdict;
import dev.xip.testing.Fragments;
import dev.xip.testing.Images;
import dev.xip.testing.ProcMaps;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The front door: files of an image as memory, and what is known about them. */
class XipTest {
  @TempDir Path folder;
  private Path tree;
  private Path packed;

  @BeforeEach
  void pack() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    packed = Images.ext2(tree);
    Fragments.scatter(packed, "indirect", 2, 7);
  }

  @Test
  void aFileIsMemoryUntilTheImageIsClosed() throws IOException {
    MemorySegment memory;
    try (Xip image = Xip.open(packed)) {
      XipFile file = image.file("/indirect");
      memory = file.memory();
      assertThat(memory.toArray(JAVA_BYTE)).isEqualTo(Files.readAllBytes(tree.resolve("indirect")));
      assertThat(file.memory()).isSameAs(memory);
      assertThat(file.verdict()).isEqualTo(Verdict.IN_PLACE);
      assertThat(file.extents().size()).isGreaterThan(10);
      assertThat(ProcMaps.fileOffset(memory.address(), packed))
          .isEqualTo(file.extents().getFirst().imageOffset());
      assertThat(image.info().blockSize()).isEqualTo(4096);
    }
    assertThatIllegalStateException().isThrownBy(() -> memory.get(JAVA_BYTE, 0));
    assertThat(ProcMaps.containing(packed.toString())).isEmpty();
  }

  @Test
  void mappedMemoryLivesAsLongAsItsArena() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory;
      try (Xip image = Xip.open(packed)) {
        memory = image.file("sub/deeper/up").map(arena);
      }
      assertThat(memory.toArray(JAVA_BYTE)).isEqualTo("hello\n".getBytes());
    }
    assertThat(ProcMaps.containing(packed.toString())).isEmpty();
  }

  @Test
  void anyPartIsCopied() throws IOException {
    try (Xip image = Xip.open(packed)) {
      byte[] part = new byte[10];
      assertThat(image.file("hello.txt").read(2, MemorySegment.ofArray(part))).isEqualTo(4);
      assertThat(new String(part, 0, 4)).isEqualTo("llo\n");
    }
  }

  @Test
  void aDirectoryHasAttributesAndNoMemory() throws IOException {
    try (Xip image = Xip.open(packed)) {
      XipFile directory = image.file("/sub");
      assertThat(directory.inode().type()).isEqualTo(FileType.DIRECTORY);
      assertThat(directory.extendedAttributes()).isEmpty();
      assertThatExceptionOfType(FileSystemException.class)
          .isThrownBy(directory::memory)
          .withMessageContaining("not a regular file");
      assertThatExceptionOfType(NoSuchFileException.class).isThrownBy(() -> image.file("nothing"));
    }
  }

  @Test
  void aRefusalNamesThePathThatTheCallerGave() throws IOException {
    try (Xip image = Xip.open(packed);
        Arena arena = Arena.ofConfined()) {
      XipFile directory = image.file("/sub/../sub");
      for (ThrowingCallable each :
          new ThrowingCallable[] {
            directory::memory,
            () -> directory.map(arena),
            () -> directory.read(0, MemorySegment.NULL)
          }) {
        assertThatExceptionOfType(FileSystemException.class)
            .isThrownBy(each)
            .withMessageStartingWith(packed + ":/sub/../sub: inode ")
            .withMessageContaining("not a regular file");
      }
    }
  }

  @Test
  void aFileThatIsNotInPlaceIsRefusedAsMemoryByNameAndRead() throws IOException {
    Path small = Images.ext2(tree, folder.resolve("small.img"), "-b", "1024");
    try (Xip image = Xip.open(small)) {
      XipFile file = image.file("/indirect");
      for (int i = 0; i < 2; i++) {
        assertThatExceptionOfType(FileSystemException.class)
            .isThrownBy(file::memory)
            .withMessageStartingWith(small + ":/indirect: ")
            .withMessageContaining("block size below page size");
      }
      byte[] read = new byte[(int) file.inode().size()];
      assertThat(file.read(0, MemorySegment.ofArray(read))).isEqualTo(read.length);
      assertThat(read).isEqualTo(Files.readAllBytes(tree.resolve("indirect")));
    }
  }

  @Test
  void aFileOfAnotherFileSystemIsRefusedWithAdvice() throws IOException {
    Path zip = folder.resolve("a.zip");
    try (FileSystem made = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
      Files.copy(packed, made.getPath("/image"));
    }
    try (FileSystem opened = FileSystems.newFileSystem(zip)) {
      assertThatExceptionOfType(FileSystemException.class)
          .isThrownBy(() -> Xip.open(opened.getPath("/image")))
          .withMessage("/image: lies in %s, not on the host: copy it out".formatted(zip));
    }
  }

  @Test
  void anImageLiesWhereTheOptionsSay() throws IOException {
    Path disk = folder.resolve("disk.img");
    byte[] image = Files.readAllBytes(packed);
    byte[] bytes = new byte[8192 + image.length + 512];
    System.arraycopy(image, 0, bytes, 8192, image.length);
    Files.write(disk, bytes);
    Map<String, ?> place = Map.of("offset", 8192, "size", Integer.toString(image.length));
    try (Xip open = Xip.open(disk, place)) {
      assertThat(open.file("hello.txt").memory().toArray(JAVA_BYTE))
          .isEqualTo("hello\n".getBytes());
    }
  }

  @Test
  void anOptionThatIsNotKnownIsNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Xip.open(packed, Map.of("offest", 8192)))
        .withMessage("option offest: expected one of partition, offset, size, format, recovery");
  }
}
