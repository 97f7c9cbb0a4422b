package dev.xip.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Standard error. A message that cannot be written is lost. */
final class Errors {
  private static final boolean TERMINAL = Output.isTerminal(2);
  private static final FileOutputStream FILE = new FileOutputStream(FileDescriptor.err);

  private Errors() {}

  /**
   * Prints one line that begins with the command's name, in one write.
   *
   * @param text the message; control characters in it are escaped
   */
  static void line(String text) {
    print(shown("xip: " + text));
  }

  /** Prints the stack trace of a failure and of its causes. */
  static void trace(Throwable failure) {
    StringBuilder text = new StringBuilder();
    append("", failure, Collections.newSetFromMap(new IdentityHashMap<>()), text);
    print(text.toString());
  }

  private static void append(
      String before, Throwable failure, Set<Throwable> printed, StringBuilder text) {
    if (!printed.add(failure)) {
      return;
    }
    text.append(shown(before + failure));
    for (StackTraceElement each : failure.getStackTrace()) {
      text.append("\tat ").append(shown(each.toString()));
    }
    for (Throwable each : failure.getSuppressed()) {
      append("Suppressed: ", each, printed, text);
    }
    if (failure.getCause() != null) {
      append("Caused by: ", failure.getCause(), printed, text);
    }
  }

  private static String shown(String line) {
    return (TERMINAL ? Printable.onTerminal(line) : Printable.onOneLine(line)) + "\n";
  }

  private static void print(String text) {
    try {
      FILE.write(Printable.bytes(text));
    } catch (IOException e) {
      // Only the exit code can still report the failure.
    }
  }
}
