package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Classes and resources come from an image: from its directories, and from jars in it. */
class ClassLoadingTest {
  private static final JavaCompiler JAVAC = ToolProvider.getSystemJavaCompiler();

  @TempDir static Path folder;
  private static Path image;

  @BeforeAll
  static void packClassesAndAJar() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path sources = Files.createDirectory(folder.resolve("sources"));
    Path inFolder = Files.createDirectories(tree.resolve("classes dir"));
    compile(sources, inFolder, "InFolder", "directory");
    Files.writeString(inFolder.resolve("some/pack/text"), "resource");
    Path page = Files.writeString(inFolder.resolve("page.html"), "<p>text");
    Files.setLastModifiedTime(page, FileTime.from(Instant.ofEpochSecond(1_199_500_000)));
    Path forJar = Files.createDirectory(folder.resolve("forJar"));
    compile(sources, forJar, "InJar", "jar");
    Path jar = Files.createDirectory(tree.resolve("lib")).resolve("a.jar");
    try (FileSystem zip = FileSystems.newFileSystem(jar, Map.of("create", "true"))) {
      Path to = Files.createDirectories(zip.getPath("some/pack")).resolve("InJar.class");
      Files.copy(forJar.resolve("some/pack/InJar.class"), to);
    }
    Files.createFile(
        Trees.child(Files.createDirectory(tree.resolve("bytes")), new byte[] {'a', -28}));
    image = Images.ext2(tree);
  }

  private static void compile(Path sources, Path classes, String name, String answer)
      throws IOException {
    Path source = sources.resolve(name + ".java");
    Files.writeString(
        source,
        """
        package some.pack;
        public class %s implements java.util.concurrent.Callable<String> {
          public String call() { return "%s"; }
        }
        """
            .formatted(name, answer));
    assertThat(JAVAC.run(null, null, null, "-d", classes.toString(), source.toString())).isZero();
  }

  private static URL url(String path) throws IOException {
    return URI.create("xip:" + image.toUri() + ":" + path).toURL();
  }

  private static Object call(URLClassLoader loader, String name) throws Exception {
    return ((Callable<?>) loader.loadClass(name).getConstructor().newInstance()).call();
  }

  @Test
  void aClassLoaderTakesClassesFromAnImageThatIsNotOpen() throws Exception {
    URL[] places = {url("/classes%20dir/"), url("/lib/a.jar")};
    try (URLClassLoader loader = new URLClassLoader(places)) {
      assertThat(call(loader, "some.pack.InFolder")).isEqualTo("directory");
      assertThat(call(loader, "some.pack.InJar")).isEqualTo("jar");
      URL resource = loader.getResource("some/pack/text");
      try (InputStream in = resource.openStream()) {
        assertThat(in).hasContent("resource");
      }
      assertThat(loader.getResource("some/pack/missing")).isNull();
      assertThatThrownBy(() -> loader.loadClass("some.pack.Missing"))
          .isInstanceOf(ClassNotFoundException.class);
    }
  }

  @Test
  void aClassLoaderTakesClassesFromAnOpenImage() throws Exception {
    try (FileSystem opened =
            FileSystems.newFileSystem(URI.create("xip:" + image.toUri()), Map.of());
        URLClassLoader loader =
            new URLClassLoader(
                new URL[] {
                  opened.getPath("classes dir").toUri().toURL(),
                  opened.getPath("lib/a.jar").toUri().toURL()
                })) {
      assertThat(call(loader, "some.pack.InFolder")).isEqualTo("directory");
      assertThat(call(loader, "some.pack.InJar")).isEqualTo("jar");
      assertThat(Path.of(loader.getResource("some/pack/text").toURI()))
          .isEqualTo(opened.getPath("/classes dir/some/pack/text"));
    }
  }

  @Test
  void aConnectionTellsLengthAndTime() throws IOException {
    URLConnection connection = url("/classes%20dir/some/pack/text").openConnection();
    assertThat(connection.getContentLengthLong()).isEqualTo(8);
    assertThat(connection.getLastModified()).isPositive();
    assertThat(connection.getInputStream()).hasContent("resource");
    assertThat(url("/classes%20dir/some/pack/").openStream()).hasContent("InFolder.class\ntext\n");
    assertThat(url("/bytes/").openStream().readAllBytes()).isEqualTo(new byte[] {'a', -28, '\n'});
    assertThatThrownBy(() -> url("/missing").openStream())
        .isInstanceOf(FileNotFoundException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"page.html", "some/pack/text", "some"})
  void aConnectionHasTheHeaderOfAConnectionToAFileOfTheHost(String path) throws IOException {
    Path host = folder.resolve("tree/classes dir").resolve(path);
    URLConnection expected = host.toUri().toURL().openConnection();
    URLConnection connection = url("/classes%20dir/" + path).openConnection();
    assertThat(connection.getHeaderFields().keySet())
        .isEqualTo(expected.getHeaderFields().keySet());
    for (String field : List.of("content-type", "Content-Length", "last-modified", "other")) {
      assertThat(connection.getHeaderField(field)).isEqualTo(expected.getHeaderField(field));
    }
    for (int i = 0; i < 4; i++) {
      assertThat(connection.getHeaderFieldKey(i)).isEqualTo(expected.getHeaderFieldKey(i));
      assertThat(connection.getHeaderField(i)).isEqualTo(expected.getHeaderField(i));
    }
  }

  @Test
  void aConnectionToNoFileHasNoHeader() throws IOException {
    assertThat(url("/missing").openConnection().getHeaderFields()).isEmpty();
  }

  /**
   * Javac itself asks the class path for files of the default file system to find annotation
   * processors and what a jar's manifest names: so they have a path of their own, and a jar is
   * opened first.
   */
  @Test
  void javacHasAnImageOnItsClassPath() throws IOException {
    Path user =
        Files.writeString(
            folder.resolve("User.java"),
            """
            class User {
              some.pack.InFolder one = new some.pack.InFolder();
              some.pack.InJar two = new some.pack.InJar();
            }
            """);
    Path out = Files.createDirectory(folder.resolve("out"));
    try (FileSystem opened = FileSystems.newFileSystem(image);
        FileSystem jar = FileSystems.newFileSystem(opened.getPath("/lib/a.jar"));
        StandardJavaFileManager files = JAVAC.getStandardFileManager(null, null, null)) {
      files.setLocationFromPaths(
          StandardLocation.CLASS_PATH, List.of(opened.getPath("/classes dir"), jar.getPath("/")));
      files.setLocationFromPaths(StandardLocation.ANNOTATION_PROCESSOR_PATH, List.of(out));
      files.setLocationFromPaths(StandardLocation.CLASS_OUTPUT, List.of(out));
      assertThat(
              JAVAC
                  .getTask(
                      null,
                      files,
                      null,
                      List.of("-proc:none"),
                      null,
                      files.getJavaFileObjects(user))
                  .call())
          .isTrue();
    }
    assertThat(out.resolve("User.class")).exists();
  }
}
