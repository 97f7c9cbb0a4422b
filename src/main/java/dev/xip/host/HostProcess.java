package dev.xip.host;

import dev.xip.base.FileName;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A child process that does not outlive this one. */
public final class HostProcess implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 10;

  private final Process process;
  private final Leftovers.Leftover leftover = this::end;

  private HostProcess(Process process) {
    this.process = process;
  }

  /**
   * Starts a program.
   *
   * @param builder the program, with words as {@link #words} makes them
   * @return the running program, to be closed
   * @throws IOException if it cannot be started
   */
  public static HostProcess start(ProcessBuilder builder) throws IOException {
    return Leftovers.step(
        () -> {
          HostProcess started = new HostProcess(builder.start());
          Leftovers.add(started.leftover);
          return started;
        });
  }

  /**
   * Makes a command line whose program receives its arguments byte for byte. The JVM passes
   * arguments as text, which cannot hold bytes that are not UTF-8; if there are any, a shell
   * decodes the arguments and execs the program.
   *
   * @param words the program and its arguments, as {@link FileName#exactText} has them
   * @return the command line to start
   */
  public static List<String> words(List<String> words) {
    if (words.stream().noneMatch(word -> word.chars().anyMatch(HostProcess::isHalfPair))) {
      return words;
    }
    StringBuilder script = new StringBuilder();
    for (String word : words) {
      script.append("word=$(printf '");
      for (byte b : FileName.of(word).bytes()) {
        script.append("\\%03o".formatted(b & 0xff));
      }
      // The shell strips line feeds at the end, but not those before the dot.
      script.append(".'); set -- \"$@\" \"${word%.}\"\n");
    }
    return List.of("/bin/sh", "-c", script.append("exec \"$@\"").toString(), "sh");
  }

  private static boolean isHalfPair(int c) {
    return Character.isSurrogate((char) c);
  }

  /** {@return the JVM's object for the child process} */
  public Process process() {
    return process;
  }

  /** Ends the program, if it runs still. */
  @Override
  public void close() throws IOException {
    Leftovers.step(
        () -> {
          Leftovers.forget(leftover);
          end();
          return null;
        });
  }

  private void end() throws IOException {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    try {
      // Until it has ended it may create files that are about to be removed.
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("process %d does not end".formatted(process.pid()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
