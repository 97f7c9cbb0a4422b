package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Paths of an image are computed with as those of the default file system are. */
class PathAlgebraTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int PAIRS = 10_000;
  private static final String[] PARTS = {
    "", "/", "//", ".", "..", "/.", "/..", "a", "b", "/a", "/b", "ab", "...", ".a", "..b", " ", "ä"
  };

  @TempDir static Path folder;
  private static FileSystem image;

  @BeforeAll
  static void openAnImage() throws IOException {
    Path packed = Images.ext2(Files.createDirectory(folder.resolve("tree")));
    image = FileSystems.newFileSystem(packed);
  }

  @AfterAll
  static void close() throws IOException {
    image.close();
  }

  /** What a computation with two paths gives, as text. */
  private record Computation(String name, BiFunction<Path, Path, Object> of) {
    Object result(Path one, Path two) {
      try {
        return of.apply(one, two);
      } catch (IllegalArgumentException e) {
        return "IllegalArgumentException";
      }
    }
  }

  private static final List<Computation> COMPUTATIONS =
      List.of(
          new Computation("toString", (p, q) -> p.toString()),
          new Computation("normalize", (p, q) -> p.normalize().toString()),
          new Computation("relativize", (p, q) -> p.relativize(q).toString()),
          new Computation("resolve", (p, q) -> p.resolve(q).toString()),
          new Computation("resolveText", (p, q) -> p.resolve(q.toString()).toString()),
          new Computation("resolveSibling", (p, q) -> p.resolveSibling(q).toString()),
          new Computation("startsWith", Path::startsWith),
          new Computation("endsWith", Path::endsWith),
          new Computation("equals", Path::equals),
          new Computation("compareTo", (p, q) -> Integer.signum(p.compareTo(q))),
          new Computation("getRoot", (p, q) -> String.valueOf(p.getRoot())),
          new Computation("getParent", (p, q) -> String.valueOf(p.getParent())),
          new Computation("getFileName", (p, q) -> String.valueOf(p.getFileName())),
          new Computation("getNameCount", (p, q) -> p.getNameCount()),
          new Computation("isAbsolute", (p, q) -> p.isAbsolute()),
          new Computation("iterator", (p, q) -> names(p)),
          new Computation("subpaths", PathAlgebraTest::subpaths));

  private static String names(Path path) {
    StringBuilder names = new StringBuilder();
    path.forEach(each -> names.append(each).append('|'));
    return names.toString();
  }

  private static String subpaths(Path path, Path other) {
    List<String> all = new ArrayList<>();
    for (int from = 0; from < path.getNameCount(); from++) {
      all.add(path.getName(from).toString());
      for (int to = from + 1; to <= path.getNameCount(); to++) {
        all.add(path.subpath(from, to).toString());
      }
    }
    return all + path.subpath(0, other.getNameCount()).toString();
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(7); i > 0; i--) {
      text.append(PARTS[random.nextInt(PARTS.length)]);
    }
    return text.toString();
  }

  @Test
  void eachComputationGivesWhatTheDefaultFileSystemGives() {
    System.err.println("PathAlgebraTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    FileSystem host = FileSystems.getDefault();
    for (int i = 0; i < PAIRS; i++) {
      String one = text(random);
      String two = text(random);
      for (Computation each : COMPUTATIONS) {
        Object own = each.result(image.getPath(one), image.getPath(two));
        Object expected = each.result(host.getPath(one), host.getPath(two));
        if (!own.equals(expected)) {
          assertThat(own).as("%s of <%s> and <%s>", each.name, one, two).isEqualTo(expected);
        }
      }
      // Not compared: that of the default file system has a NUL at its end after "/" and "a", "/".
      assertThat(image.getPath(one).resolve(one, two))
          .isEqualTo(image.getPath(one).resolve(one).resolve(two));
      assertThat(image.getPath(one, two, one))
          .asString()
          .isEqualTo(host.getPath(one, two, one).toString());
    }
  }

  @Test
  void aRelativePathStartsFromTheRoot() {
    assertThat(image.getPath("a/b").toAbsolutePath()).isEqualTo(image.getPath("/a/b"));
    assertThat(image.getPath("").toAbsolutePath()).isEqualTo(image.getPath("/"));
  }

  @Test
  void aNameThatIsNotUtf8KeepsItsBytesInTextAndUri() {
    byte[] bytes = {'/', (byte) 0xff, 'a', (byte) 0xc3, '/', (byte) 0xe4, (byte) 0xb8, '!'};
    XipPath path = ((XipFileSystem) image).path(FileName.of(bytes));

    XipPath again = (XipPath) image.getPath(path.toString());

    assertThat(again).isEqualTo(path);
    assertThat(again.bytes().bytes()).isEqualTo(bytes);
    assertThat(ImageUri.of(path.toUri()).path().bytes()).isEqualTo(bytes);
  }

  @Test
  void eachByteSequenceKeepsItsBytesInTextAndUri() {
    Random random = new Random(SEED);
    for (int i = 0; i < 5_000; i++) {
      byte[] bytes = new byte[1 + random.nextInt(12)];
      random.nextBytes(bytes);
      for (int at = 0; at < bytes.length; at++) {
        bytes[at] = bytes[at] == 0 ? (byte) 0x80 : bytes[at];
      }
      bytes[0] = '/';
      XipPath path = ((XipFileSystem) image).path(PathNames.tidy(FileName.of(bytes)));
      assertThat(image.getPath(path.toString())).as("-Dxip.seed=%d", SEED).isEqualTo(path);
      assertThat(ImageUri.of(path.toUri()).path())
          .as("-Dxip.seed=%d", SEED)
          .isEqualTo(path.bytes());
    }
  }

  @Test
  void nulAndALoneSurrogateAreRefused() {
    assertThatThrownBy(() -> image.getPath("a\0b")).isInstanceOf(InvalidPathException.class);
    assertThatThrownBy(() -> image.getPath("a\ud800")).isInstanceOf(InvalidPathException.class);
    assertThatThrownBy(() -> image.getPath("\udc00")).isInstanceOf(InvalidPathException.class);
    assertThat(image.getPath("\ud83e\udd8a")).hasToString("🦊");
    assertThat(((XipPath) image.getPath("\udcff")).bytes().bytes()).containsExactly(0xff);
  }

  @Test
  void pathsOfAnotherProviderAreRefused() {
    Path own = image.getPath("/a");
    Path host = Path.of("/a");
    assertThatThrownBy(() -> own.resolve(host)).isInstanceOf(ProviderMismatchException.class);
    assertThatThrownBy(() -> own.relativize(host)).isInstanceOf(ProviderMismatchException.class);
    assertThatThrownBy(() -> own.compareTo(host)).isInstanceOf(ClassCastException.class);
    assertThat(own.startsWith(host)).isFalse();
    assertThat(own.endsWith(host)).isFalse();
    assertThat(own.equals(host)).isFalse();
  }

  @Test
  void aPathIsNoFileAndIsNotWatched() {
    assertThatThrownBy(() -> image.getPath("/").toFile())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> image.newWatchService())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(
            () -> {
              try (var watcher = FileSystems.getDefault().newWatchService()) {
                image.getPath("/").register(watcher);
              }
            })
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void aMatcherComparesTheTextOfPaths() {
    FileSystem host = FileSystems.getDefault();
    for (String pattern :
        new String[] {
          "glob:*.txt", "glob:**", "glob:/a/{b,c}?", "glob:[a-c]*", "GLOB:\\*", "regex:/a/[^x]+"
        }) {
      for (String path : new String[] {"/a/b1", "b.txt", "/a/x", "*", "ä.txt", ""}) {
        assertThat(image.getPathMatcher(pattern).matches(image.getPath(path)))
            .as("%s %s", pattern, path)
            .isEqualTo(host.getPathMatcher(pattern).matches(host.getPath(path)));
      }
    }
    assertThat(image.getPathMatcher("glob:a?").matches(image.getPath("a\udcff"))).isTrue();
    assertThatThrownBy(() -> image.getPathMatcher("*"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> image.getPathMatcher("sql:*"))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void pathsOfTwoFileSystemsDiffer() throws IOException {
    try (FileSystem other = FileSystems.newFileSystem(folder.resolve("tree.img"))) {
      Path one = image.getPath("/a");
      Path two = other.getPath("/a");
      assertThat(one).isNotEqualTo(two);
      assertThat(one.compareTo(two)).isNotZero().isEqualTo(-two.compareTo(one));
      assertThat(one.startsWith(two)).isFalse();
      assertThatThrownBy(() -> one.relativize(two)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void utf8TextIsTakenAsIs() {
    assertThat(((XipPath) image.getPath("日本/ä")).bytes().bytes())
        .isEqualTo("日本/ä".getBytes(StandardCharsets.UTF_8));
  }
}
