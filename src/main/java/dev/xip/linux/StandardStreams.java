package dev.xip.linux;

import dev.xip.host.HostSignals;
import dev.xip.host.HostStream;
import dev.xip.vfs.FileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What the first program has of the host: descriptors 0 to 2, and signals. A terminal among the
 * streams controls the program's session.
 *
 * @param input standard input
 * @param output standard output
 * @param errors standard error
 * @param signals the signals that are handed on; null for none
 */
public record StandardStreams(
    HostStream input, HostStream output, HostStream errors, HostSignals signals) {
  /**
   * Opens the streams of this process.
   *
   * @param signals the signals that are handed on; null for none
   * @return the streams
   */
  public static StandardStreams ofThisProcess(HostSignals signals) {
    return new StandardStreams(
        HostStream.standard(0), HostStream.standard(1), HostStream.standard(2), signals);
  }

  /**
   * Notes how the terminal among the streams is set.
   *
   * @return sets it so again when it is closed; null if there is no terminal
   */
  public HostStream.Settings settings() {
    return Stream.of(input, output, errors)
        .map(HostStream::settings)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  /**
   * Gives the first task its descriptors. Precondition: the kernel's monitor is held.
   *
   * @return the terminals among them, the first of which controls
   */
  List<Terminal> open(Kernel kernel, Descriptors descriptors) throws FileException {
    Map<Long, Terminal> terminals = new LinkedHashMap<>();
    List<HostStream> streams = List.of(input, output, errors);
    for (int fd = 0; fd < streams.size(); fd++) {
      HostStream stream = streams.get(fd);
      int flags = stream.flags();
      if (flags >= 0) {
        HostStream.Status status = stream.status();
        Terminal terminal =
            stream.isTerminal()
                ? terminals.computeIfAbsent(
                    (long) status.major() << 32 | status.minor(),
                    number -> new Terminal(kernel, stream))
                : null;
        descriptors.put(fd, new StreamFile(kernel, stream, terminal, flags), false);
      }
    }
    return List.copyOf(terminals.values());
  }
}
