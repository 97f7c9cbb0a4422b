package dev.xip.cli;

import dev.xip.image.Overlay;
import java.io.IOException;

/** Says what the replay of an image's journal changed in memory. */
final class JournalText {
  private JournalText() {}

  /** {@return the change in one line} */
  static String of(Overlay overlay) {
    return "replayed in memory, %,d blocks with %,d bytes of %,d transactions"
        .formatted(overlay.pieces(), overlay.bytes(), overlay.transactions());
  }

  /** Adds a member if something was replayed. */
  static void write(Overlay overlay, JsonWriter json) throws IOException {
    if (!overlay.isEmpty()) {
      json.name("journal")
          .beginObject()
          .member("replayedBlocks", overlay.pieces())
          .member("replayedBytes", overlay.bytes())
          .member("transactions", overlay.transactions())
          .endObject();
    }
  }
}
