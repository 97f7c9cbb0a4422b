package dev.xip.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostTreeTest {
  @TempDir Path folder;

  @Test
  void aShellRunsWithTheLibrariesOfTheTreeAlone() throws IOException {
    Judge.root();
    String shell = shell();
    HostTree tree = new HostTree(folder);
    tree.add(shell);
    assertThat(Processes.run("chroot", folder.toString(), shell, "-c", "echo here").out())
        .isEqualTo("here\n");
  }

  @Test
  void theCompilerOfTheTreeMakesAProgramWithTheFilesOfTheTreeAlone() throws IOException {
    Judge.root();
    String gcc = HostTree.find("gcc");
    Judge.needs(gcc != null, "gcc");
    HostTree tree = new HostTree(folder);
    Path source =
        Files.writeString(
            folder.resolve("hello.c"), "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n");
    tree.addCompiler(gcc, "-O2", source.toString());
    Processes.run("chroot", folder.toString(), gcc, "-O2", "hello.c", "-o", "hello");
    assertThat(Processes.run("chroot", folder.toString(), "/hello").out()).isEqualTo("hello\n");
  }

  @Test
  void pythonOfTheTreeImportsWhatTheScriptImports() throws IOException {
    Judge.root();
    String python = HostTree.find("python3");
    Judge.needs(python != null, "python3");
    HostTree tree = new HostTree(folder);
    String script = "import json, struct";
    tree.addPython(python, script);
    Processes.run("chroot", folder.toString(), python, "-c", script + "; json.dumps([1])");
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    assertThat(HostTree.find("no-such-program")).isNull();
    assertThatThrownBy(() -> new HostTree(folder).add("/no/such/file"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("/no/such/file");
  }

  @Test
  void aTreeThatWasRemovedMeanwhileIsNotMadeAgain() throws IOException {
    HostTree tree = new HostTree(Files.createDirectory(folder.resolve("tree")));
    Files.delete(tree.root());
    assertThatThrownBy(() -> tree.add(HostTree.find("true")))
        .isInstanceOf(NoSuchFileException.class);
    assertThat(tree.root()).doesNotExist();
  }

  private static String shell() {
    String dash = HostTree.find("dash");
    return dash == null ? "/bin/sh" : dash;
  }
}
