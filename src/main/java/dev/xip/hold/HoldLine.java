package dev.xip.hold;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.LocalSocket;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** One line of the hold protocol, as it is received. */
final class HoldLine {
  /** The longest line, in bytes without its end. */
  static final int MAX_BYTES = 4096;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private boolean complete;
  private boolean ended;

  /** Receives the part of the line that is available. */
  void receive(LocalSocket from) throws HostException {
    while (!complete && !ended && bytes.size() <= MAX_BYTES) {
      byte[] one; // byte by byte, so that the next line stays where it is
      try {
        one = from.receive(1);
      } catch (HostException e) {
        switch (e.errno()) {
          case EAGAIN -> {
            return;
          }
          case ECONNRESET -> one = new byte[0];
          default -> throw e;
        }
      }
      ended = one.length == 0;
      complete = !ended && one[0] == '\n';
      if (!ended && !complete) {
        bytes.write(one[0]);
      }
    }
  }

  /** Whether all of it was received. */
  boolean isComplete() {
    return complete;
  }

  /** Whether the other side ended before the end of the line. */
  boolean isEnded() {
    return ended;
  }

  boolean isTooLong() {
    return bytes.size() > MAX_BYTES;
  }

  /** The line without its end; null if it is not UTF-8. */
  String text() {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /**
   * Escapes control characters in text of the peer or of the store, to show it or send it as a
   * line.
   */
  static String shown(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (Character.getType(c)) {
                case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED ->
                    shown.append("\\u%04x".formatted(c));
                default -> shown.appendCodePoint(c);
              }
            });
    return shown.toString();
  }

  /** Sends a line. The connection has room for it unless the peer has not received many before. */
  static void send(LocalSocket to, String line) throws IOException {
    byte[] all = (line + "\n").getBytes(StandardCharsets.UTF_8);
    if (to.send(all) < all.length) {
      throw new IOException("%s: no room for an answer".formatted(to));
    }
  }

  /** Cuts a line to the longest that the peer accepts. */
  static String cut(String line) {
    byte[] all = line.getBytes(StandardCharsets.UTF_8);
    if (all.length <= MAX_BYTES) {
      return line;
    }
    int end = MAX_BYTES - 3;
    while ((all[end] & 0xc0) == 0x80) { // not inside a character
      end--;
    }
    return new String(all, 0, end, StandardCharsets.UTF_8) + "...";
  }

  /** Whether a failed accept lacked descriptors or memory, which may be temporary. */
  static boolean isOutOfResources(HostException e) {
    return e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE || e.errno() == Errno.ENOMEM;
  }
}
