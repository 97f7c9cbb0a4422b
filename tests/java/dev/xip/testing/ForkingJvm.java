package dev.xip.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A JVM that forks processes that work and may be killed, hundreds of them in seconds. Such a
 * process has only the thread that forked: without compiler threads the JVM only interprets, and
 * without collector threads the work must end before the young generation is full.
 */
public final class ForkingJvm implements AutoCloseable {
  private final Process process;
  private final BufferedReader in;
  private final PrintStream out;

  /** The work of a process. Implementations have a constructor without arguments. */
  public interface Work {
    /** Loads classes in the JVM before it forks, so that not each process must. */
    void warmUp() throws IOException;

    /** Does the work in a forked process. */
    void run(List<String> args) throws IOException;
  }

  private ForkingJvm(Process process) {
    this.process = process;
    this.in = process.inputReader(StandardCharsets.UTF_8);
    this.out = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
  }

  /**
   * Starts a JVM and waits until it can fork.
   *
   * @param work the class of the work
   * @return the JVM
   */
  public static ForkingJvm start(Class<? extends Work> work) throws IOException {
    List<String> command = Jvm.command(ForkingJvm.class, work.getName());
    command.addAll(command.indexOf("-cp"), List.of("-Xint", "-Xms256m", "-Xmx256m", "-Xmn200m"));
    ForkingJvm jvm =
        new ForkingJvm(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    jvm.answer();
    return jvm;
  }

  /**
   * Forks a process.
   *
   * @param args the arguments of the work, without tabs and line ends
   * @return its process id
   */
  public synchronized long fork(Object... args) throws IOException {
    List<String> words = new ArrayList<>(List.of("fork"));
    for (Object each : args) {
      words.add(each.toString());
    }
    out.println(String.join("\t", words));
    return answer();
  }

  /**
   * Waits until a process has ended.
   *
   * @param pid its process id
   * @return the signal that killed it, or 0 if it exited
   * @throws IOException if it failed
   */
  public synchronized int waitFor(long pid) throws IOException {
    out.println("wait\t" + pid);
    int status = (int) answer();
    if (status >> 8 != 0) {
      throw new IOException("process %d failed with exit code %d".formatted(pid, status >> 8));
    }
    return status & 0x7f;
  }

  private long answer() throws IOException {
    String line = in.readLine();
    if (line == null) {
      throw new IOException("%s has ended".formatted(process));
    }
    return Long.parseLong(line);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  /**
   * Runs the JVM that forks.
   *
   * @param args the name of the class with the work
   */
  public static void main(String[] args) throws Throwable {
    Constructor<?> constructor = Class.forName(args[0]).getDeclaredConstructor();
    constructor.setAccessible(true);
    Work work = (Work) constructor.newInstance();
    MethodHandle fork = function("fork", FunctionDescriptor.of(ValueLayout.JAVA_INT));
    MethodHandle waitpid =
        function(
            "waitpid",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    MethodHandle exit = function("_exit", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));
    MemorySegment status = Arena.global().allocate(ValueLayout.JAVA_INT);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    work.warmUp();
    System.out.println(0);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      List<String> words = List.of(line.split("\t"));
      if (words.getFirst().equals("wait")) {
        int _ = (int) waitpid.invokeExact(Integer.parseInt(words.getLast()), status, 0);
        System.out.println(status.get(ValueLayout.JAVA_INT, 0));
        continue;
      }
      int pid = (int) fork.invokeExact();
      if (pid == 0) {
        int code = run(work, words.subList(1, words.size()));
        exit.invokeExact(code); // the JVM cannot shut down without its threads
      }
      System.out.println(pid);
    }
  }

  private static int run(Work work, List<String> args) {
    try {
      work.run(args);
      return 0;
    } catch (IOException | RuntimeException | Error e) {
      e.printStackTrace();
      return 1;
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle function(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type);
  }
}
