package dev.xip.host;

import dev.xip.base.FileName;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of the host that runs for us. It does not outlive this process. */
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
   * Makes words that a program gets as the bytes that they are. The JVM passes on text, which has
   * no place for bytes that are not UTF-8; then a shell makes the words and becomes the program.
   *
   * @param words the program and its arguments, as {@link FileName#exactText} has them
   * @return what to start
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
      // The shell takes away line feeds at the end, but not those before the dot.
      script.append(".'); set -- \"$@\" \"${word%.}\"\n");
    }
    return List.of("/bin/sh", "-c", script.append("exec \"$@\"").toString(), "sh");
  }

  private static boolean isHalfPair(int c) {
    return Character.isSurrogate((char) c);
  }

  /**
   * Returns the program as the JVM knows it.
   *
   * @return the process
   */
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
      // Until it has ended it may make what others are about to remove.
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("process %d does not end".formatted(process.pid()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
