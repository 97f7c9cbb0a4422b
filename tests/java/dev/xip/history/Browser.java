package dev.xip.history;

import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Opens pages in a headless Chromium; without one the test is skipped. */
final class Browser {
  private Browser() {}

  /**
   * What the browser saw.
   *
   * @param dom the page after loading
   * @param console the lines of its console
   */
  record Seen(String dom, List<String> console) {}

  static Seen open(Path page) throws IOException {
    Processes.Output output =
        Processes.run(
            Judge.program("chromium").toString(),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            // Without it the browser gives up when its renderer in software fails to start.
            "--disable-software-rasterizer",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--user-data-dir=" + page.resolveSibling("profile"),
            "--dump-dom",
            page.toUri().toString());
    return new Seen(
        output.text(), output.err().lines().filter(line -> line.contains(":CONSOLE")).toList());
  }
}
