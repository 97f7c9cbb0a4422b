package dev.xip.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Standard error. What cannot be written there is lost, for there is no other place. */
final class Errors {
  private static final boolean TERMINAL = Output.isTerminal(2);
  private static final FileOutputStream FILE = new FileOutputStream(FileDescriptor.err);

  private Errors() {}

  /**
   * Prints one line that begins with the command's name, in one write.
   *
   * @param text what to say, with anything in it
   */
  static void line(String text) {
    print(shown("xip: " + text));
  }

  /** Prints where a failure comes from, and what caused it. */
  static void trace(Throwable failure) {
    StringBuilder text = new StringBuilder();
    append("", failure, Collections.newSetFromMap(new IdentityHashMap<>()), text);
    print(text.toString());
  }

  private static void append(
      String before, Throwable failure, Set<Throwable> told, StringBuilder text) {
    if (!told.add(failure)) {
      return;
    }
    text.append(shown(before + failure));
    for (StackTraceElement each : failure.getStackTrace()) {
      text.append("\tat ").append(shown(each.toString()));
    }
    for (Throwable each : failure.getSuppressed()) {
      append("Suppressed: ", each, told, text);
    }
    if (failure.getCause() != null) {
      append("Caused by: ", failure.getCause(), told, text);
    }
  }

  private static String shown(String line) {
    return (TERMINAL ? Printable.onTerminal(line) : Printable.onOneLine(line)) + "\n";
  }

  private static void print(String text) {
    try {
      FILE.write(Printable.bytes(text));
    } catch (IOException e) {
      // The exit code is all that is left to tell.
    }
  }
}
