package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.CorruptImageException;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.ProviderNotFoundException;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How file systems of images are found, opened, named and closed. */
class XipFileSystemProviderTest {
  @TempDir static Path folder;
  private static Path image;

  @BeforeAll
  static void packATree() throws IOException {
    image = Images.ext2(Trees.small(folder.resolve("tree")));
  }

  private static URI uri(String text) {
    return URI.create(text);
  }

  private static URI uri(Path image) {
    return uri("xip:" + image.toUri());
  }

  @Test
  void theProviderIsInstalled() {
    assertThat(FileSystemProvider.installedProviders())
        .filteredOn(each -> each.getScheme().equals("xip"))
        .hasSize(1);
  }

  @Test
  void aPathOpensAnImageByItsMagicNumber() throws IOException {
    try (FileSystem opened = FileSystems.newFileSystem(image)) {
      assertThat(opened).isInstanceOf(XipFileSystem.class);
      assertThat(opened.isOpen()).isTrue();
      assertThat(opened.isReadOnly()).isTrue();
      assertThat(opened.getSeparator()).isEqualTo("/");
      assertThat(opened.getRootDirectories()).containsExactly(opened.getPath("/"));
      assertThat(Files.readString(opened.getPath("hello.txt"))).isEqualTo("hello\n");
    }
  }

  @Test
  void nullIsNoAttributeOfAFileToBeMade() throws IOException {
    FileAttribute<?>[] attributes = {null};
    try (FileSystem opened = FileSystems.newFileSystem(image)) {
      Path file = opened.getPath("hello.txt");
      assertThatNullPointerException()
          .isThrownBy(() -> Files.newByteChannel(file, Set.of(), attributes));
      assertThatNullPointerException()
          .isThrownBy(() -> AsynchronousFileChannel.open(file, Set.of(), null, attributes));
    }
  }

  @Test
  void anInterruptedThreadReadsFilesButThroughNoFileChannel() throws IOException {
    try (FileSystem opened = FileSystems.newFileSystem(image)) {
      Path file = opened.getPath("hello.txt");
      Thread.currentThread().interrupt();
      try {
        assertThat(Files.readAllBytes(file)).hasSize(6);
        assertThat(Files.readString(file)).isEqualTo("hello\n");
        assertThat(Files.readAllLines(file)).containsExactly("hello");
        assertThat(Files.mismatch(file, file.toAbsolutePath())).isEqualTo(-1);
        assertThat(Files.copy(file, OutputStream.nullOutputStream())).isEqualTo(6);
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
      try (FileChannel channel = FileChannel.open(file)) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(channel::size).isInstanceOf(ClosedByInterruptException.class);
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
    }
  }

  @Test
  void anotherFileIsLeftToOtherProviders() throws IOException {
    FileSystemProvider provider = new XipFileSystemProvider();
    Path zip = folder.resolve("a.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      out.putNextEntry(new ZipEntry("entry"));
    }
    Path noise = Files.write(folder.resolve("noise"), new byte[5000]);
    Path empty = Files.createFile(folder.resolve("empty"));

    for (Path each : new Path[] {zip, noise, empty, folder}) {
      assertThatThrownBy(() -> provider.newFileSystem(each, Map.of()))
          .isInstanceOf(UnsupportedOperationException.class);
    }
    assertThatThrownBy(() -> FileSystems.newFileSystem(noise))
        .isInstanceOf(ProviderNotFoundException.class);
    try (FileSystem opened = FileSystems.newFileSystem(zip)) {
      assertThat(opened.getPath("entry")).exists();
      Path inZip = opened.getPath("entry");
      assertThatThrownBy(() -> provider.newFileSystem(inZip, Map.of()))
          .isInstanceOf(UnsupportedOperationException.class);
    }
    assertThatThrownBy(() -> provider.newFileSystem(folder.resolve("missing"), Map.of()))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void aDamagedImageIsRefusedByName() throws IOException {
    byte[] bytes = Files.readAllBytes(image);
    bytes[1024 + 0x60] = (byte) 0xff;
    Path damaged = Files.write(folder.resolve("damaged.img"), bytes);
    assertThatThrownBy(() -> FileSystems.newFileSystem(damaged))
        .isInstanceOf(CorruptImageException.class);
  }

  @Test
  void aUriNamesOneFileSystemUntilItIsClosed() throws IOException {
    assertThatThrownBy(() -> FileSystems.getFileSystem(uri(image)))
        .isInstanceOf(FileSystemNotFoundException.class);
    assertThatThrownBy(() -> Path.of(uri(uri(image) + ":/hello.txt")))
        .isInstanceOf(FileSystemNotFoundException.class);

    FileSystem opened = FileSystems.newFileSystem(uri(image), Map.of());
    try (opened) {
      assertThatThrownBy(() -> FileSystems.newFileSystem(uri(uri(image) + ":/sub"), Map.of()))
          .isInstanceOf(FileSystemAlreadyExistsException.class);
      assertThat(FileSystems.getFileSystem(uri(image))).isSameAs(opened);
      assertThat(FileSystems.getFileSystem(uri("XIP:" + image.toUri()))).isSameAs(opened);
      assertThat(Path.of(uri(uri(image) + ":/hello.txt"))).isEqualTo(opened.getPath("/hello.txt"));
    }
    opened.close();

    assertThatThrownBy(() -> FileSystems.getFileSystem(uri(image)))
        .isInstanceOf(FileSystemNotFoundException.class);
    FileSystems.newFileSystem(uri(image), Map.of()).close();
  }

  @Test
  void aRealPathWithLinksNamesTheSameFile() throws IOException {
    Path tree = Files.createDirectories(folder.resolve("links/a/b")).getParent().getParent();
    Files.createSymbolicLink(tree.resolve("link"), Path.of("a/b"));
    try (FileSystem opened = FileSystems.newFileSystem(Images.ext2(tree))) {
      for (String name :
          new String[] {
            "/link/..", "/link/../..", "/link/../b/..", "/link/../b/../..", "/a/b/.."
          }) {
        Path path = opened.getPath(name);
        Path real = path.toRealPath(LinkOption.NOFOLLOW_LINKS);
        assertThat(Files.isSameFile(real, path)).as(name + " is " + real).isTrue();
      }
      assertThat(opened.getPath("/link/../b/../..").toRealPath(LinkOption.NOFOLLOW_LINKS))
          .isEqualTo(opened.getPath("/link/../.."));
    }
  }

  @Test
  void aWalkOfADirectoryInsideItselfEndsInDamage() throws IOException {
    Path tree = Files.createDirectories(folder.resolve("loop/a/b")).getParent().getParent();
    Path packed = Images.ext2(tree);
    Images.debugfsWrite(packed, "ln /a /a/b/again");
    try (FileSystem opened = FileSystems.newFileSystem(packed)) {
      for (String start : new String[] {"/", "/a", "/a/b/again"}) {
        List<String> seen = new ArrayList<>();
        assertThatThrownBy(
                () -> {
                  try (Stream<Path> walk = Files.walk(opened.getPath(start))) {
                    walk.limit(1000).forEach(each -> seen.add(each.toString()));
                  }
                })
            .hasCauseInstanceOf(CorruptImageException.class)
            .hasMessageContaining("inside itself");
        assertThat(seen).hasSizeLessThan(10);
      }
    }
  }

  @Test
  void aWalkEndsWhereThePathIsTooLong() throws IOException {
    Path packed = folder.resolve("deep.img");
    Files.copy(image, packed);
    String name = "n".repeat(99);
    Path commands = folder.resolve("commands");
    Files.writeString(commands, "mkdir %s\ncd %s\n".formatted(name, name).repeat(60));
    Processes.run("debugfs", "-w", "-f", commands.toString(), packed.toString());
    try (FileSystem opened = FileSystems.newFileSystem(packed)) {
      List<Path> seen = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                try (Stream<Path> walk = Files.walk(opened.getPath("/"))) {
                  walk.filter(each -> each.endsWith(name)).forEach(seen::add);
                }
              })
          .hasCauseInstanceOf(FileSystemException.class)
          .hasMessageEndingWith("File name too long");
      // They have 4000 bytes with their slashes, and 4095 is the most.
      assertThat(seen).hasSize(40);
    }
  }

  @Test
  void aLinkMayLeadToADirectoryThatItIsIn() throws IOException {
    Path tree = Files.createDirectories(folder.resolve("up/a/b")).getParent().getParent();
    Files.createSymbolicLink(tree.resolve("a/b/link"), Path.of("/"));
    try (FileSystem opened = FileSystems.newFileSystem(Images.ext2(tree))) {
      Path place = opened.getPath("/");
      for (String name : new String[] {"a", "b", "link", "a", "b", "link"}) {
        assertThat(Files.isDirectory(place)).isTrue();
        place = listed(place, name);
      }
      assertThat(place).isEqualTo(opened.getPath("/a/b/link/a/b/link"));
    }
  }

  private static Path listed(Path directory, String name) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(each -> each.endsWith(name)).findFirst().orElseThrow();
    }
  }

  @Test
  void urisOfAnImageWithAStrangeNameComeBack() throws IOException {
    Path strange = Files.createDirectory(folder.resolve("x!")).resolve("a b%20c!:ä;é?#.img");
    Files.copy(image, strange);
    try (FileSystem opened =
        FileSystems.newFileSystem(
            uri("xip:" + strange.toUri().toString().replace("!:", "!%3A")), Map.of())) {
      for (String name : new String[] {"/", "/sub", "/x y/%41", "/a!/b", "/q?#", "/日本", "/c:/d"}) {
        Path path = opened.getPath(name);
        assertThat(Path.of(path.toUri())).isEqualTo(path);
        assertThat(path.toUri().toString()).matches("[!-~]*").doesNotContain("!/");
      }
      assertThat(opened.getPath("sub").toUri().toString()).endsWith(":/sub/");
      assertThat(opened.getPath("/hello.txt").toUri().toString()).endsWith(":/hello.txt");
    }
  }

  @Test
  void aUriOfAnotherFormIsRefused() {
    FileSystemProvider provider = new XipFileSystemProvider();
    String file = image.toUri().toString();
    for (String each :
        new String[] {
          file,
          "xip:/a.img",
          "xip:http://host/a.img:/",
          "xip:file://host/a.img:/",
          "xip:file:a.img",
          "xip:" + file + ":/a#b",
          "xip:file::",
          "xip:" + file + ":",
          "xip:" + file + "::/",
          "xip:" + file + ":/%00"
        }) {
      assertThatThrownBy(() -> provider.newFileSystem(uri(each), Map.of()))
          .as(each)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> provider.getPath(uri("xip:" + file)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** A disk whose first partition is the image, at 1 MiB. */
  private static Path disk() throws IOException {
    byte[] bytes = Files.readAllBytes(image);
    ByteBuffer disk = ByteBuffer.allocate((1 << 20) + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
    disk.put(446 + 4, (byte) 0x83).putInt(446 + 8, 2048).putInt(446 + 12, bytes.length / 512);
    disk.putShort(510, (short) 0xaa55).put(1 << 20, bytes);
    return Files.write(folder.resolve("a:disk.img"), disk.array());
  }

  @Test
  void anImageInADiskIsNamedByEnvironmentAndByUri() throws IOException {
    Path disk = disk();
    String file = "xip:" + disk.toUri().toString().replace("a:disk", "a%3Adisk");
    Map<String, Map<String, ?>> environments =
        Map.of(
            file + ":1:/hello.txt", Map.of("partition", 1),
            file + ":offset=1048576:/hello.txt", Map.of("offset", 1 << 20),
            file + ":offset=0:1:/hello.txt", Map.of("offset", "0", "partition", "1"));
    for (String uri : environments.keySet()) {
      try (FileSystem named = FileSystems.newFileSystem(uri(uri), Map.of());
          FileSystem opened = FileSystems.newFileSystem(disk, environments.get(uri))) {
        Path path = opened.getPath("hello.txt");
        assertThat(Files.readString(path)).isEqualTo("hello\n");
        assertThat(path.toUri()).isEqualTo(uri(uri));
        assertThat(Path.of(uri(uri))).isEqualTo(named.getPath("/hello.txt"));
        assertThat(Files.isSameFile(path, named.getPath("hello.txt"))).isTrue();
      }
    }
    assertThatThrownBy(() -> FileSystems.newFileSystem(disk, Map.of("partition", 2)))
        .isInstanceOf(FileSystemException.class);
    assertThatThrownBy(() -> FileSystems.newFileSystem(disk, Map.of("partition", "none")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> FileSystems.newFileSystem(disk, Map.of("offset", "none")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> FileSystems.newFileSystem(image, Map.of("recovery", "some")))
        .isInstanceOf(IllegalArgumentException.class);
    FileSystems.newFileSystem(image, Map.of("recovery", "none")).close();
  }

  @Test
  void aDiskWithAnImageIsNotLeftToOtherProvidersWithoutAWord() throws IOException {
    Path disk = disk();
    assertThatThrownBy(() -> FileSystems.newFileSystem(disk))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("disk with partitions (MBR: 1 (ext2")
        .hasMessageContaining("Map.of(\"partition\", 1)");
    byte[] bytes = Files.readAllBytes(disk);
    Arrays.fill(bytes, 1 << 20, bytes.length, (byte) 0);
    Path foreign = Files.write(folder.resolve("foreign.img"), bytes);
    assertThatThrownBy(() -> FileSystems.newFileSystem(foreign))
        .isInstanceOf(ProviderNotFoundException.class);
  }

  @Test
  void aFileWithTheNameOfAnImageIsRefusedWithAdvice() throws IOException {
    byte[] gzip = {0x1f, (byte) 0x8b, 8, 0};
    for (String name : new String[] {"a.ext2", "a\nb.ext3", "a.ext4", "a.erofs"}) {
      Path named = Files.write(folder.resolve(name), gzip);
      assertThatThrownBy(() -> FileSystems.newFileSystem(named))
          .isInstanceOf(CorruptImageException.class)
          .hasMessageContaining("gzip -dc");
    }
    for (String name : new String[] {"a.img", "ext4", "a.ext5"}) {
      Path other = Files.write(folder.resolve(name), gzip);
      assertThatThrownBy(() -> FileSystems.newFileSystem(other))
          .isInstanceOf(ProviderNotFoundException.class);
    }
    Path directory = Files.createDirectory(folder.resolve("directory.ext4"));
    assertThatThrownBy(() -> FileSystems.newFileSystem(directory))
        .isInstanceOf(ProviderNotFoundException.class);
    Path withoutSize = Path.of("/proc/self/mem");
    assertThatThrownBy(() -> FileSystems.newFileSystem(withoutSize))
        .isInstanceOf(ProviderNotFoundException.class);
  }

  @Test
  void aWrongValueOfTheEnvironmentIsRefusedByName() {
    Map<String, String> refusals =
        Map.of(
            "offset=-1", "offset -1 is negative",
            "offset=1e3", "offset=1e3: expected a number",
            "size=0", "size 0: expected at least 1",
            "recovery=false", "recovery=false: expected in_memory or none");
    refusals.forEach(
        (option, message) -> {
          int equals = option.indexOf('=');
          Map<String, ?> environment =
              Map.of(option.substring(0, equals), option.substring(equals + 1));
          assertThatThrownBy(() -> FileSystems.newFileSystem(image, environment))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining(message);
        });
    for (String format : new String[] {"", "e", "ext", "extra", "EROFS"}) {
      assertThatThrownBy(() -> FileSystems.newFileSystem(image, Map.of("format", format)))
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("expected the format ext2, ext3, ext4 or erofs");
    }
  }

  @Test
  void aNumberOfTheEnvironmentIsDecimalWhateverItsZeros() throws IOException {
    Path shifted = folder.resolve("shifted.img");
    Files.write(shifted, new byte[10]);
    Files.write(shifted, Files.readAllBytes(image), StandardOpenOption.APPEND);
    for (Object offset : new Object[] {10, 10L, "10", "010", "0xa", "0x0A"}) {
      FileSystems.newFileSystem(shifted, Map.of("offset", offset)).close();
    }
  }

  @Test
  void refusalsNameThePathThatTheCallerGave() throws IOException {
    Path small = Images.ext2(folder.resolve("tree"), folder.resolve("small.img"), "-b", "1024");
    try (FileSystem opened = FileSystems.newFileSystem(small);
        FileChannel channel = FileChannel.open(opened.getPath("hello.txt"))) {
      assertThatThrownBy(() -> channel.map(FileChannel.MapMode.READ_ONLY, 0, 1))
          .isInstanceOf(FileSystemException.class)
          .hasMessageStartingWith("hello.txt: inode ")
          .hasMessageContaining("cannot be mapped");
      String name = "x".repeat(256);
      assertThatThrownBy(() -> Files.size(opened.getPath(name)))
          .isInstanceOf(FileSystemException.class)
          .hasMessage(name + ": File name too long");
    }
  }

  @Test
  void directoryStreamsEndWithTheirFileSystem() throws IOException {
    FileSystem opened = FileSystems.newFileSystem(image);
    DirectoryStream<Path> begun = Files.newDirectoryStream(opened.getPath("/"));
    Iterator<Path> files = begun.iterator();
    assertThat(files.hasNext()).isTrue();
    files.next();
    DirectoryStream<Path> other = Files.newDirectoryStream(opened.getPath("/"));
    opened.close();
    assertThatThrownBy(files::hasNext).isInstanceOf(ClosedFileSystemException.class);
    assertThatThrownBy(other::iterator).isInstanceOf(ClosedFileSystemException.class);
  }

  @Test
  void twoFileSystemsOnOneImageCloseIndependently() throws IOException {
    FileSystem one = FileSystems.newFileSystem(image);
    try (FileSystem two = FileSystems.newFileSystem(image)) {
      assertThat(Files.isSameFile(one.getPath("hello.txt"), two.getPath("sub/deeper/hard")))
          .isTrue();
      one.close();
      one.close();
      assertThat(two.isOpen()).isTrue();
      assertThat(Files.readString(two.getPath("hello.txt"))).isEqualTo("hello\n");
    }
    assertThat(one.isOpen()).isFalse();
    Path path = one.getPath("/hello.txt");
    assertThatThrownBy(() -> Files.size(path)).isInstanceOf(ClosedFileSystemException.class);
    assertThatThrownBy(() -> Files.exists(path)).isInstanceOf(ClosedFileSystemException.class);
    assertThatThrownBy(() -> Files.list(path)).isInstanceOf(ClosedFileSystemException.class);
    assertThatThrownBy(() -> path.toRealPath()).isInstanceOf(ClosedFileSystemException.class);
    assertThatThrownBy(() -> Files.newByteChannel(path))
        .isInstanceOf(ClosedFileSystemException.class);
    assertThat(path.toUri().toString()).endsWith(":/hello.txt");
  }

  @Test
  void anotherClassLoaderFindsTheProviderToo() throws Exception {
    URL[] classPath = new URL[1];
    classPath[0] = XipFileSystemProvider.class.getProtectionDomain().getCodeSource().getLocation();
    try (URLClassLoader loader =
        new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
      FileSystemProvider other =
          (FileSystemProvider)
              loader
                  .loadClass(XipFileSystemProvider.class.getName())
                  .getConstructor()
                  .newInstance();
      try (FileSystem opened = other.newFileSystem(image, Map.of())) {
        assertThat(opened).isNotInstanceOf(XipFileSystem.class);
        assertThat(Files.readAllBytes(opened.getPath("hello.txt")))
            .isEqualTo("hello\n".getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  @Test
  void theStoreTellsSizeAndViews() throws IOException {
    try (FileSystem opened = FileSystems.newFileSystem(image)) {
      var store = Files.getFileStore(opened.getPath("hello.txt"));
      assertThat(opened.getFileStores()).containsExactly(store);
      assertThat(store.getTotalSpace()).isEqualTo(Files.size(image));
      assertThat(store.getUnallocatedSpace()).isBetween(1L, store.getTotalSpace());
      assertThat(store.getUsableSpace()).isZero();
      assertThat(store.getBlockSize()).isEqualTo(4096);
      assertThat(store.isReadOnly()).isTrue();
      assertThat(store.type()).isEqualTo("ext2");
      assertThat(store.getAttribute("totalSpace")).isEqualTo(store.getTotalSpace());
      assertThatThrownBy(() -> store.getAttribute("other"))
          .isInstanceOf(UnsupportedOperationException.class);
      for (String view : opened.supportedFileAttributeViews()) {
        assertThat(store.supportsFileAttributeView(view)).isTrue();
      }
      assertThat(store.supportsFileAttributeView("dos")).isFalse();
      assertThatThrownBy(() -> Files.getFileStore(opened.getPath("missing")))
          .isInstanceOf(NoSuchFileException.class);
    }
  }

  @Test
  void noMoreIsUnallocatedThanThereIs() throws IOException {
    byte[] bytes = Files.readAllBytes(image);
    Arrays.fill(bytes, 1024 + 0x0c, 1024 + 0x10, (byte) 0xff);
    Path more = Files.write(folder.resolve("more.img"), bytes);
    try (FileSystem opened = FileSystems.newFileSystem(more)) {
      var store = Files.getFileStore(opened.getPath("/"));
      assertThat(store.getUnallocatedSpace()).isEqualTo(store.getTotalSpace());
    }
  }
}
