package dev.xip.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs programs under strace, to record their system calls on files, or to kill them. */
public final class Strace {
  /** Reads change nothing, and a JVM makes many. */
  private static final String TRACED = "trace=!read,pread64,futex";

  private Strace() {}

  /**
   * An argument of a system call.
   *
   * @param text a string's own text, one char per byte, or what strace shows for anything else
   * @param path the path of a descriptor, or empty
   */
  public record Argument(String text, String path) {}

  /**
   * A system call.
   *
   * @param name its name
   * @param arguments its arguments
   * @param result what it returned, {@code ?} if it did not
   */
  public record Call(String name, List<Argument> arguments, String result) {
    /** {@return whether it succeeded: false if it failed or did not return} */
    public boolean succeeded() {
      return !result.startsWith("-") && !result.startsWith("?");
    }

    /**
     * {@return an argument as text: a string's own text, or what strace shows}
     *
     * @param index its index, from 0
     */
    public String text(int index) {
      return arguments.get(index).text;
    }

    /**
     * {@return the path of an argument}
     *
     * @param index the index, from 0, of a descriptor, or of a string that may be relative to the
     *     folder in the argument before
     */
    public Path path(int index) {
      Argument argument = arguments.get(index);
      if (!argument.path.isEmpty()) {
        return Path.of(argument.path);
      }
      Path base = Path.of(index > 0 ? arguments.get(index - 1).path : "");
      return base.resolve(argument.text);
    }

    /**
     * {@return the paths among its arguments that are a folder or lie in it}
     *
     * @param folder the folder
     */
    public Stream<Path> pathsIn(Path folder) {
      return arguments.stream()
          .flatMap(each -> Stream.of(each.text, each.path))
          .filter(each -> each.startsWith(folder.toString()))
          .map(Path::of);
    }

    @Override
    public String toString() {
      return arguments.stream()
          .map(each -> each.text.length() > 80 ? each.text.length() + " bytes" : each.text)
          .map(text -> text.chars().allMatch(c -> c >= ' ' && c < 0x7f) ? text : "…")
          .collect(Collectors.joining(", ", name + "(", ") = " + result));
    }
  }

  /** Skips the test if strace cannot trace on this host. */
  public static void require() throws IOException {
    Processes.Output tried = Processes.runAny("strace", "-f", "-o", "/dev/null", "true");
    Judge.needs(tried.exit() == 0, "a kernel that lets strace trace: " + tried.err().strip());
  }

  /**
   * Runs a program that must succeed.
   *
   * @param folder the folder of all paths of interest
   * @param log a folder for strace's files, not below the other
   * @param command the program and its arguments
   * @return the calls that name a path in the folder, all made by one thread
   */
  public static List<Call> record(Path folder, Path log, List<String> command) throws IOException {
    Files.createDirectories(log);
    List<String> line =
        new ArrayList<>(List.of("strace", "-ff", "-o", log.resolve("t").toString()));
    line.addAll(List.of("-y", "-xx", "-s", "1048576", "-e", TRACED));
    line.addAll(command);
    Processes.run(line.toArray(String[]::new));
    List<List<Call>> threads = new ArrayList<>();
    try (Stream<Path> files = Files.list(log)) {
      for (Path file : files.toList()) {
        List<Call> calls = calls(folder, file);
        if (!calls.isEmpty()) {
          threads.add(calls);
        }
      }
    }
    assertThat(threads).as("threads that reach %s", folder).hasSize(1);
    return threads.getFirst();
  }

  /**
   * Traces a process so that SIGKILL kills it at the entry of a system call, before the call has an
   * effect. Returns when the process is being traced.
   *
   * @param pid the process, which has one thread
   * @param paths the paths on which calls are counted
   * @param name the name of the call
   * @param count the number of the call among those of that name on those paths, from 1
   * @param log a file for strace to write
   * @return strace, which ends with the process
   */
  public static Process kill(long pid, Collection<Path> paths, String name, int count, Path log)
      throws IOException {
    List<String> line = new ArrayList<>(List.of("strace", "-p", Long.toString(pid)));
    line.addAll(List.of("-o", log.toString(), "-y", "-xx", "-s", "1048576", "-e", TRACED));
    paths.forEach(each -> line.addAll(List.of("-P", each.toString())));
    // Not with --seccomp-bpf, with which strace does not send the signal.
    line.addAll(List.of("-e", "inject=%s:signal=SIGKILL:when=%d".formatted(name, count)));
    Process strace = Processes.builder(line.toArray(String[]::new)).start();
    StringBuilder messages = new StringBuilder();
    for (String each; (each = strace.errorReader().readLine()) != null; ) {
      if (each.endsWith(" attached")) {
        return strace;
      }
      messages.append(each).append('\n');
    }
    throw new IOException("strace of process %d has ended: %s".formatted(pid, messages));
  }

  /**
   * Reads strace's output for one thread.
   *
   * @param folder the folder of all paths of interest
   * @param file the file
   * @return the calls that name a path in the folder
   */
  public static List<Call> calls(Path folder, Path file) throws IOException {
    StringBuilder wanted = new StringBuilder();
    for (byte each : folder.toString().getBytes(StandardCharsets.UTF_8)) {
      wanted.append("\\x%02x".formatted(each));
    }
    List<Call> calls = new ArrayList<>();
    for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
      if (line.contains(wanted) && !line.startsWith("execve(")) {
        calls.add(new Line(line).call());
      }
    }
    return calls;
  }

  /** A line that strace wrote. It shows each byte of a string or of a path as {@code \xHH}. */
  private static final class Line {
    private final String line;
    private int at;

    Line(String line) {
      this.line = line;
    }

    Call call() {
      at = line.indexOf('(');
      String name = line.substring(0, at++);
      List<Argument> arguments = new ArrayList<>();
      while (line.charAt(at - 1) != ')') {
        arguments.add(argument());
      }
      int result = line.indexOf("= ", at) + 2;
      int end = line.indexOf('<', result);
      return new Call(name, arguments, line.substring(result, end < 0 ? line.length() : end));
    }

    /** Reads up to a comma or the closing parenthesis and past it. */
    private Argument argument() {
      StringBuilder text = new StringBuilder();
      String path = "";
      for (int depth = 0; ; at++) {
        char c = line.charAt(at);
        if (depth == 0 && (c == ',' || c == ')')) {
          at++;
          return new Argument(text.toString().strip(), path);
        }
        depth += "{[(".indexOf(c) >= 0 ? 1 : "}])".indexOf(c) >= 0 ? -1 : 0;
        if (c == '"') {
          String string = bytesUpTo('"');
          if (depth == 0) {
            return string(string);
          }
        } else if (c == '<' && line.startsWith("\\x", at + 1)) {
          path = bytesUpTo('>');
        } else {
          text.append(c);
        }
      }
    }

    /** Keeps a string's own spaces and commas. */
    private Argument string(String text) {
      char c = line.charAt(++at);
      assertThat(c == ',' || c == ')').as("the whole of a string in " + line).isTrue();
      at++;
      return new Argument(text, "");
    }

    private String bytesUpTo(char end) {
      StringBuilder bytes = new StringBuilder();
      for (at++; line.charAt(at) != end; at += 4) {
        bytes.append((char) Integer.parseInt(line, at + 2, at + 4, 16));
      }
      return bytes.toString();
    }
  }
}
