package dev.xip.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A command line that the machine and the host's kernel are to answer alike. A file holds several,
 * each below a line {@code ### NAME}, or {@code ### bash: NAME} for bash in place of sh.
 *
 * @param name what it shows
 * @param shell the shell that runs it
 * @param text the command line
 */
record JudgedCommand(String name, String shell, String text) {
  private static final String MARK = "### ";
  private static final String BASH = "bash: ";

  static List<JudgedCommand> read(Path file) throws IOException {
    List<JudgedCommand> commands = new ArrayList<>();
    for (String each : ("\n" + Files.readString(file)).split("\n" + MARK)) {
      if (!each.isBlank()) {
        int end = each.indexOf('\n');
        String name = each.substring(0, end);
        String text = each.substring(end + 1).stripTrailing();
        commands.add(
            name.startsWith(BASH)
                ? new JudgedCommand(name.substring(BASH.length()), "/bin/bash", text)
                : new JudgedCommand(name, "/bin/sh", text));
      }
    }
    return commands;
  }
}
