package dev.xip.scenario;

import dev.xip.host.HostPaths;
import dev.xip.host.HostProcess;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder with programs of this host and all that they need, each file at its own path: packed, it
 * is a root file system for them.
 */
public final class HostTree {
  private static final String PYTHON_FILES =
      "\nimport sys\nfor m in list(sys.modules.values()):"
          + "\n f=getattr(m,'__file__',None)\n if f: print(f)\n"
          + " f=getattr(m,'__cached__',None)\n if f: print(f)";

  private final Path root;

  /**
   * Makes an empty tree.
   *
   * @param root an empty folder
   */
  public HostTree(Path root) {
    this.root = root;
  }

  /** {@return the folder} */
  public Path root() {
    return root;
  }

  /**
   * {@return the path of a program of this host, of the system's own rather than one of PATH; null
   * if there is none}
   *
   * @param name its name
   */
  public static String find(String name) {
    String path = "/usr/bin:/bin:" + System.getenv().getOrDefault("PATH", "");
    return Stream.of(path.split(":"))
        .filter(folder -> folder.startsWith("/"))
        .map(folder -> Path.of(folder, name))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .map(HostPaths::text)
        .findFirst()
        .orElse(null);
  }

  /**
   * Adds a file, and the libraries of a program or a library. A link is added as what it leads to.
   *
   * @param path its absolute path
   * @throws IOException if it cannot be copied
   */
  public void add(String path) throws IOException {
    if (addFile(path)) {
      for (String line : lines(List.of("ldd", path), false)) {
        for (String word : line.split("\\s+")) {
          if (word.startsWith("/") && !word.endsWith(":")) {
            addFile(word);
          }
        }
      }
    }
  }

  /** Whether it may need libraries: it can be executed, or is a shared object. */
  private boolean addFile(String path) throws IOException {
    Path from = Path.of(path);
    Path to = root.resolve(path.substring(1)).normalize();
    if (Files.exists(to)) {
      return false;
    }
    makeFolders(to.getParent());
    Files.copy(from.toRealPath(), to);
    return Files.isExecutable(from) || path.contains(".so");
  }

  /**
   * Makes a folder below the root, and those on the way. The root is not made again: what works in
   * a folder that is removed as the JVM stops must fail rather than leave it behind.
   */
  private void makeFolders(Path folder) throws IOException {
    Path made = root;
    for (Path part : root.relativize(folder)) {
      made = made.resolve(part);
      if (!Files.isDirectory(made)) {
        Files.createDirectory(made);
      }
    }
  }

  /**
   * Adds the compiler of this host with the files that it reads to make a program.
   *
   * @param words the compiler's path, its options, and a source on this host, which is not added
   * @throws IOException if it cannot compile that, or a file cannot be copied
   */
  public void addCompiler(String... words) throws IOException {
    String gcc = words[0];
    add(gcc);
    for (String part : List.of("cc1", "as", "ld", "collect2", "lto-wrapper")) {
      String place = line(List.of(gcc, "-print-prog-name=" + part));
      String program = place.startsWith("/") ? place : find(place);
      if (program != null) {
        add(program);
      }
    }
    addNamed(words, "-M");
    addNamed(words, "-Wl,--trace", "-o", "/dev/null");
    String plugin = line(List.of(gcc, "-print-file-name=liblto_plugin.so"));
    if (plugin.startsWith("/")) {
      add(plugin);
    }
    makeFolders(root.resolve("tmp"));
  }

  /** Adds the files whose absolute paths the compiler prints, but none of a temporary folder. */
  private void addNamed(String[] words, String... more) throws IOException {
    List<String> command = new ArrayList<>(List.of(words));
    command.addAll(List.of(more));
    for (String each : lines(command, true)) {
      for (String word : each.split("[\\s()]+")) {
        Path file = Path.of(word.equals("\\") ? "" : word);
        if (file.isAbsolute() && !word.startsWith("/tmp/") && Files.isRegularFile(file)) {
          add(word);
        }
      }
    }
  }

  /**
   * Adds Python with the modules that a script imports.
   *
   * @param python its path
   * @param script the text of a script that prints nothing
   * @throws IOException if it fails, or a file cannot be copied
   */
  public void addPython(String python, String script) throws IOException {
    add(python);
    for (String file : lines(List.of(python, "-c", script + PYTHON_FILES), true)) {
      add(file);
    }
  }

  private static String line(List<String> command) throws IOException {
    List<String> lines = lines(command, true);
    return lines.isEmpty() ? "" : lines.getFirst();
  }

  private static List<String> lines(List<String> command, boolean mustSucceed) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(HostProcess.words(command))
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    try (HostProcess started = HostProcess.start(builder)) {
      byte[] output = started.process().getInputStream().readAllBytes();
      int exit = started.process().waitFor();
      if (exit != 0 && mustSucceed) {
        throw new IOException("%s: expected exit 0, found %d".formatted(command, exit));
      }
      return new String(output, StandardCharsets.UTF_8).lines().toList();
    } catch (InterruptedException e) {
      throw new IOException(command + " was interrupted", e);
    }
  }
}
