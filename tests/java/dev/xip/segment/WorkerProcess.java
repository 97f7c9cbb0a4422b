package dev.xip.segment;

import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A running {@link SegmentWorker} and the pipes to it. */
final class WorkerProcess implements AutoCloseable {
  private final Process process;
  private final DataOutputStream calls;
  private final DataInputStream answers;

  /**
   * Starts a worker.
   *
   * @param dataBytes how much private memory the system is to give it, in bytes
   */
  WorkerProcess(Path store, long windowBytes, long ramBytes, long dataBytes) throws IOException {
    process =
        Processes.builder(
                "prlimit",
                "--data=" + dataBytes,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx32m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                // Two entries are searched faster than those of all tests.
                Jvm.placeOf(SegmentLoader.class)
                    + File.pathSeparator
                    + Jvm.placeOf(SegmentWorker.class),
                SegmentWorker.class.getName(),
                store.toString(),
                Long.toString(windowBytes),
                Long.toString(ramBytes))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    calls = new DataOutputStream(new BufferedOutputStream(process.getOutputStream()));
    answers = new DataInputStream(new BufferedInputStream(process.getInputStream()));
  }

  long pid() {
    return process.pid();
  }

  /** Makes a call and waits for its answer: "ok" and the result, or a code and a message. */
  List<String> ask(String... call) throws IOException {
    tell(call);
    return SegmentWorker.readFrame(answers);
  }

  /** Makes a call and does not wait. */
  void tell(String... call) throws IOException {
    SegmentWorker.writeFrame(calls, List.of(call));
  }

  /** Ends it by SIGKILL, whatever it is doing. Its files are closed when this returns. */
  @Override
  public void close() throws IOException {
    try {
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
