package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;

/**
 * Writes one JSON document as a stream. The caller opens and closes objects and arrays in order;
 * the writer adds commas.
 */
final class JsonWriter {
  private static final char REPLACEMENT = 0xfffd;

  private final Output out;

  /** For each open object or array, whether it has an element. */
  private final Deque<Boolean> filled = new ArrayDeque<>();

  private boolean afterName;

  JsonWriter(Output out) {
    this.out = out;
  }

  JsonWriter beginObject() throws IOException {
    return begin('{');
  }

  JsonWriter endObject() throws IOException {
    return end('}');
  }

  JsonWriter beginArray() throws IOException {
    return begin('[');
  }

  JsonWriter endArray() throws IOException {
    return end(']');
  }

  /** Starts a member of the open object. */
  JsonWriter name(String name) throws IOException {
    separate();
    quote(name);
    out.text(":");
    afterName = true;
    return this;
  }

  JsonWriter value(String value) throws IOException {
    separate();
    if (value == null) {
      out.text("null");
    } else {
      quote(value);
    }
    return this;
  }

  JsonWriter value(long value) throws IOException {
    separate();
    out.text(Long.toString(value));
    return this;
  }

  /** Writes a number; JSON has none for infinity and NaN, so those become null. */
  JsonWriter value(double value) throws IOException {
    separate();
    out.text(Double.isFinite(value) ? Double.toString(value) : "null");
    return this;
  }

  JsonWriter value(boolean value) throws IOException {
    separate();
    out.text(Boolean.toString(value));
    return this;
  }

  /** Writes a whole member. */
  JsonWriter member(String name, String value) throws IOException {
    return name(name).value(value);
  }

  /** Writes a whole member. */
  JsonWriter member(String name, long value) throws IOException {
    return name(name).value(value);
  }

  /** Writes a whole member. */
  JsonWriter member(String name, double value) throws IOException {
    return name(name).value(value);
  }

  /** Writes a whole member. */
  JsonWriter member(String name, boolean value) throws IOException {
    return name(name).value(value);
  }

  /**
   * Writes a file name or path. JSON strings are text, so a name that is not UTF-8 is written a
   * second time, in hexadecimal, as a member with {@code Hex} added to its name.
   */
  JsonWriter member(String name, FileName bytes) throws IOException {
    String text = bytes.toString();
    member(name, text);
    if (!FileName.of(text).equals(bytes)) {
      member(name + "Hex", HexFormat.of().formatHex(bytes.bytes()));
    }
    return this;
  }

  /** Writes a path of the host, as {@link #member(String, FileName)} does. */
  JsonWriter member(String name, Path path) throws IOException {
    return member(name, FileName.of(HostPaths.text(path)));
  }

  /** Ends the document with a line feed. */
  void finish() throws IOException {
    if (!filled.isEmpty()) {
      throw new IllegalStateException(filled.size() + " objects or arrays are still open");
    }
    out.text("\n");
  }

  private JsonWriter begin(char bracket) throws IOException {
    separate();
    filled.push(false);
    out.text(String.valueOf(bracket));
    return this;
  }

  private JsonWriter end(char bracket) throws IOException {
    filled.pop();
    out.text(String.valueOf(bracket));
    return this;
  }

  private void separate() throws IOException {
    if (afterName) {
      afterName = false;
    } else if (!filled.isEmpty()) {
      if (filled.pop()) {
        out.text(",");
      }
      filled.push(true);
    }
  }

  private void quote(String text) throws IOException {
    StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> quoted.append("\\\"");
        case '\\' -> quoted.append("\\\\");
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        default -> {
          boolean unpaired = Character.isSurrogate(c) && !isPaired(text, i);
          if (c < 0x20
              || c == 0x7f
              || unpaired && !FileName.isEscape(c)
              || out.isTerminal() && Printable.isObeyed(text.codePointAt(i))) {
            quoted.append("\\u%04x".formatted((int) c));
          } else {
            quoted.append(unpaired ? REPLACEMENT : c);
          }
        }
      }
    }
    out.text(quoted.append('"').toString());
  }

  /** {@return whether the surrogate at an index is part of a pair} */
  private static boolean isPaired(String text, int i) {
    return Character.isHighSurrogate(text.charAt(i))
        ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
        : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
  }
}
