package dev.xip;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Jvm;
import dev.xip.testing.Trees;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program on the first screen of README.md compiles as it stands, and does what it says. */
class ReadmeProgramTest {
  @TempDir Path folder;

  private static List<String> program() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("README.md"));
    int start = lines.indexOf("```java") + 1;
    return lines.subList(start, start + lines.subList(start, lines.size()).indexOf("```"));
  }

  @Test
  void itMapsAFileInTenLines() throws Exception {
    List<String> program = program();
    assertThat(program).filteredOn(line -> !line.isBlank()).hasSizeLessThanOrEqualTo(10);
    Path image = Images.ext2(Trees.small(folder.resolve("tree")));
    byte[] file = Files.readAllBytes(folder.resolve("tree/indirect"));
    compile(Files.write(folder.resolve("Program.java"), program));
    assertThat(run(image.toString(), "/indirect"))
        .isEqualTo("200001 bytes, the last: %d%n".formatted(file[file.length - 1]));
  }

  private void compile(Path source) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of("-Xlint:all", "-cp", Jvm.placeOf(Xip.class).toString(), "-d", folder.toString());
      assertThat(
              compiler
                  .getTask(messages, files, null, options, null, files.getJavaFileObjects(source))
                  .call())
          .as(messages.toString())
          .isTrue();
    }
    assertThat(messages.toString()).isEmpty();
  }

  private String run(String... args) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (URLClassLoader loader =
            new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader());
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      Class<?> program = loader.loadClass("Program");
      Constructor<?> constructor = program.getDeclaredConstructor();
      constructor.setAccessible(true);
      Method main = program.getDeclaredMethod("main", String[].class);
      main.setAccessible(true);
      main.invoke(constructor.newInstance(), (Object) args);
    } finally {
      System.setOut(before);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }
}
