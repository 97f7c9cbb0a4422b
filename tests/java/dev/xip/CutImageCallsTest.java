package dev.xip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.xip.image.CorruptImageException;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileOwnerAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An image that is cut while it is open gives a checked exception in every call that reads it. */
class CutImageCallsTest {
  private static final LinkOption NOFOLLOW = LinkOption.NOFOLLOW_LINKS;

  @TempDir Path folder;

  /** A call that reads the image. */
  @FunctionalInterface
  private interface Call {
    void run() throws Exception;
  }

  private final Map<String, Call> calls = new LinkedHashMap<>();

  private Path pack(String format) throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    Files.setAttribute(tree.resolve("hello.txt"), "user:comment", ByteBuffer.wrap(new byte[500]));
    Path image = folder.resolve("image");
    return format.equals("erofs")
        ? Images.erofs(tree, image, "-Enoinline_data")
        : Images.ext(format, tree, image, "-b", "4096");
  }

  private void attributes(FileSystem image) {
    Path file = image.getPath("/hello.txt");
    for (String each : List.of("basic:*", "posix:*", "unix:*", "owner:*", "user:*", "acl:*")) {
      calls.put(each, () -> Files.readAttributes(file, each));
    }
    calls.put("one", () -> Files.getAttribute(file, "unix:ino", NOFOLLOW));
    calls.put("basic", () -> Files.readAttributes(file, BasicFileAttributes.class));
    calls.put("posix", () -> Files.readAttributes(file, PosixFileAttributes.class, NOFOLLOW));
    calls.put(
        "if exists",
        () -> image.provider().readAttributesIfExists(file, BasicFileAttributes.class));
    calls.put(
        "basic view",
        Files.getFileAttributeView(file, BasicFileAttributeView.class)::readAttributes);
    calls.put(
        "posix view",
        Files.getFileAttributeView(file, PosixFileAttributeView.class)::readAttributes);
    calls.put(
        "owner view", Files.getFileAttributeView(file, FileOwnerAttributeView.class)::getOwner);
    calls.put("acl view", Files.getFileAttributeView(file, AclFileAttributeView.class)::getAcl);
    calls.put("acl owner", Files.getFileAttributeView(file, AclFileAttributeView.class)::getOwner);
    UserDefinedFileAttributeView user =
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
    calls.put("user view", user::list);
    calls.put("user size", () -> user.size("comment"));
    calls.put("user read", () -> user.read("comment", ByteBuffer.allocate(500)));
    calls.put("size", () -> Files.size(file));
    calls.put("time", () -> Files.getLastModifiedTime(file));
    calls.put("owner", () -> Files.getOwner(file));
    calls.put("permissions", () -> Files.getPosixFilePermissions(file));
    calls.put("access", () -> image.provider().checkAccess(file));
    calls.put("real path", () -> image.getPath("/sub/deeper/up").toRealPath());
    calls.put("link", () -> Files.readSymbolicLink(image.getPath("/link")));
    calls.put("same file", () -> Files.isSameFile(file, image.getPath("/sub/deeper/hard")));
    calls.put("store", () -> Files.getFileStore(file));
  }

  private void directories(FileSystem image) throws IOException {
    Path root = image.getPath("/");
    calls.put("directory", () -> Files.newDirectoryStream(root).forEach(each -> {}));
    calls.put("glob", () -> Files.newDirectoryStream(root, "*.txt").forEach(each -> {}));
    calls.put("list", () -> consume(Files.list(root)));
    calls.put("walk", () -> consume(Files.walk(root)));
    calls.put("find", () -> consume(Files.find(root, 9, (path, facts) -> true)));
    calls.put("visit", () -> Files.walkFileTree(root, new SimpleFileVisitor<>() {}));
  }

  private static void consume(Stream<?> stream) {
    try (stream) {
      stream.forEach(each -> {});
    }
  }

  private void contents(FileSystem image) throws IOException {
    Path file = image.getPath("/indirect");
    calls.put("all bytes", () -> Files.readAllBytes(file));
    calls.put("lines", () -> consume(Files.lines(image.getPath("/hello.txt"))));
    calls.put("mismatch", () -> Files.mismatch(file, image.getPath("/holes")));
    calls.put("copy", () -> Files.copy(file, OutputStream.nullOutputStream()));
    calls.put("copy to host", () -> Files.deleteIfExists(Files.copy(file, folder.resolve("copy"))));
    calls.put("new stream", () -> Files.newInputStream(file).read());
    calls.put("new channel", () -> Files.newByteChannel(file).read(ByteBuffer.allocate(9)));
    calls.put("new file channel", () -> FileChannel.open(file).read(ByteBuffer.allocate(9)));
    calls.put(
        "new asynchronous",
        () -> AsynchronousFileChannel.open(file).read(ByteBuffer.allocate(9), 0).get());
    InputStream one = Files.newInputStream(file);
    calls.put("stream", one::read);
    InputStream some = Files.newInputStream(file);
    calls.put("bytes of a stream", () -> some.readNBytes(100));
    SeekableByteChannel bytes = Files.newByteChannel(file);
    calls.put("channel", () -> bytes.position(0).read(ByteBuffer.allocate(9)));
    FileChannel channel = FileChannel.open(file);
    ByteBuffer[] two = {ByteBuffer.allocate(9), ByteBuffer.allocateDirect(9)};
    calls.put("file channel", () -> channel.position(0).read(two[0].clear()));
    calls.put("positional", () -> channel.read(two[1].clear(), 4096));
    calls.put(
        "scatter",
        () -> channel.position(0).read(new ByteBuffer[] {two[0].clear(), two[1].clear()}));
    calls.put(
        "transfer",
        () -> channel.transferTo(0, 100, Channels.newChannel(OutputStream.nullOutputStream())));
    calls.put("map", () -> channel.map(MapMode.READ_ONLY, 0, 100));
    calls.put("map arena", () -> channel.map(MapMode.READ_ONLY, 0, 100, Arena.ofAuto()));
    calls.put("map private", () -> channel.map(MapMode.PRIVATE, 0, 100));
    AsynchronousFileChannel asynchronous = AsynchronousFileChannel.open(file);
    calls.put("asynchronous", () -> asynchronous.read(ByteBuffer.allocate(9), 0).get());
  }

  private void frontDoor(Xip image) throws IOException {
    XipFile file = image.file("/indirect");
    calls.put("Xip.file", () -> image.file("/sub/deeper/below"));
    calls.put("verdict", file::verdict);
    calls.put("extents", file::extents);
    calls.put("extended attributes", image.file("/hello.txt")::extendedAttributes);
    calls.put("read", () -> file.read(0, MemorySegment.ofArray(new byte[100])));
    calls.put("memory", () -> image.file("/two-pages").memory());
    calls.put("Xip map", () -> file.map(Arena.ofAuto()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext2", "ext4", "erofs"})
  void everyCallThatReadsACutImageGivesTheCheckedException(String format) throws Exception {
    Path packed = pack(format);
    try (FileSystem image = FileSystems.newFileSystem(packed, getClass().getClassLoader());
        Xip xip = Xip.open(packed)) {
      attributes(image);
      directories(image);
      contents(image);
      frontDoor(xip);
      for (Map.Entry<String, Call> each : calls.entrySet()) {
        assertThat(catchThrowable(each.getValue()::run)).as(each.getKey()).isNull();
      }
      calls.put("first memory", xip.file("/indirect")::memory);
      InputStream rest = Files.newInputStream(image.getPath("/indirect"));
      calls.put("rest of a stream", () -> rest.transferTo(OutputStream.nullOutputStream()));
      try (RandomAccessFile file = new RandomAccessFile(packed.toFile(), "rw")) {
        file.setLength(0);
      }
      Map<String, Throwable> wrong = new LinkedHashMap<>();
      calls.forEach(
          (name, call) -> {
            Throwable met = catchThrowable(call::run);
            Throwable checked = met instanceof IOException || met == null ? met : met.getCause();
            if (!(checked instanceof CorruptImageException)) {
              wrong.put(name, met);
            }
          });
      assertThat(wrong).isEmpty();
    }
    assertThatThrownBy(() -> Xip.open(packed)).isInstanceOf(IOException.class);
  }
}
