package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.scenario.HostTree;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shell at a terminal works under {@code xip run} as under chroot. */
class TerminalIT {
  /**
   * Runs a command on a new terminal of 33 rows and 101 columns. Pairs of arguments follow: the
   * output to wait for, and what to type then, {@code !size} for another window, {@code !kill N}
   * for a signal to the command. Prints the output, and at last the status and whether the settings
   * of the terminal are those of the beginning.
   */
  private static final String DRIVER =
      """
      import fcntl, os, pty, select, signal, struct, sys, termios, time
      end = sys.argv.index('--')
      steps = sys.argv[1:end]
      pid, fd = pty.fork()
      if pid == 0:
          for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
              signal.signal(each, signal.SIG_DFL)
          os.environ['TERM'] = 'dumb'
          time.sleep(0.3)
          os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
      def size(rows, columns):
          fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
      size(33, 101)
      before = termios.tcgetattr(fd)
      seen = b''
      def more(seconds):
          global seen
          if not select.select([fd], [], [], seconds)[0]:
              return False
          try:
              some = os.read(fd, 65536)
          except OSError:
              some = b''
          seen += some
          sys.stdout.buffer.write(some)
          return some != b''
      def wait(text):
          global seen
          last = time.time() + 60
          while text not in seen:
              if time.time() > last or not more(1) and os.waitid(
                      os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                  print('MISSING', text)
                  return False
          seen = seen[seen.index(text) + len(text):]
          time.sleep(0.2)
          return True
      for i in range(0, len(steps), 2):
          if not wait(steps[i].encode()):
              break
          what = steps[i + 1].split(' ')
          if what[0] == '!size':
              size(40, 120)
          elif what[0] == '!kill':
              os.kill(pid, int(what[1]))
          else:
              os.write(fd, steps[i + 1].encode())
      last = time.time() + 60
      after, ended = None, (0, 0)
      while time.time() < last and ended[0] == 0:
          more(0.1)
          ended = os.waitpid(pid, os.WNOHANG)
      while more(0.1):
          pass
      if ended[0] == 0:
          os.kill(pid, signal.SIGKILL)
          print('STILL RUNNING')
      print('\\nstatus', os.waitstatus_to_exitcode(ended[1]),
            'restored', termios.tcgetattr(fd) == before)
      """;

  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  @TempDir Path folder;
  private Path driver;
  private Path tree;
  private Path image;

  @BeforeEach
  void pack() throws Exception {
    Judge.kvm();
    Judge.root();
    Judge.needs(HostTree.find("python3") != null, "python3");
    tree = Files.createDirectory(folder.resolve("tree"));
    HostTree programs = new HostTree(tree);
    for (String each : List.of("bash", "dash", "sleep", "stty", "cat")) {
      programs.add(HostTree.find(each));
    }
    Files.createDirectories(tree.resolve("dev"));
    image = Images.ext2(tree);
    driver = Files.writeString(folder.resolve("driver.py"), DRIVER);
  }

  private String drive(List<String> command, String... steps) throws IOException {
    List<String> words = new ArrayList<>(List.of("python3", driver.toString()));
    words.addAll(List.of(steps));
    words.add("--");
    words.addAll(command);
    return Processes.run(words.toArray(String[]::new))
        .out()
        .replace("\r", "")
        .replaceAll("(?m)^\\[1] [0-9]+$", "[1] PID");
  }

  private String run(List<String> program, String... steps) throws IOException {
    List<String> words = new ArrayList<>(List.of(Xip.launcher().toString(), "run"));
    words.add(image.toString());
    words.addAll(program);
    return drive(words, steps);
  }

  private String isAsUnderChroot(List<String> program, String... steps) throws IOException {
    List<String> words = new ArrayList<>(List.of("env", "-i", "PATH=" + PATH, "HOME=/", "chroot"));
    words.add(tree.toString());
    words.addAll(program);
    String ours = run(program, steps);
    assertThat(ours).isEqualTo(drive(words, steps)).doesNotContain("MISSING", "RUNNING");
    return ours;
  }

  private static List<String> dash() throws IOException {
    return List.of(HostTree.find("dash"), "-i");
  }

  private static List<String> bash() throws IOException {
    return List.of(HostTree.find("bash"), "--norc", "--noprofile", "-i");
  }

  @Test
  void aShellEditsAndIsInterrupted() throws Exception {
    assertThat(
            isAsUnderChroot(
                dash(),
                "# ",
                "echo ab\u007fc; stty size\r",
                "101",
                "cat\r",
                "cat",
                "line\r",
                "line\r\nline",
                "\u0004",
                "# ",
                "sleep 60\r",
                "sleep 60",
                "\u0003",
                "# ",
                "echo status $?\r",
                "130",
                "exit 3\r"))
        .contains("33 101", "status 130", "status 3 restored True");
  }

  @Test
  void jobsStopAndGoOn() throws Exception {
    isAsUnderChroot(
        bash(),
        "# ",
        "sleep 60\r",
        "sleep 60",
        "\u001a",
        "Stopped",
        "jobs\r",
        "# ",
        "bg\r",
        "# ",
        "fg\r",
        "fg",
        "\u0003",
        "# ",
        "echo status $?\r",
        "status 130",
        // The shell tells of it before the prompt, or after, if cat has not tried to read by then.
        "cat & sleep 1\r",
        "Stopped",
        "exit 4\r",
        "stopped jobs",
        "exit 4\r");
  }

  @Test
  void aNewSizeReachesTheForeground() throws Exception {
    String script = "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.1; done";
    assertThat(isAsUnderChroot(List.of(HostTree.find("bash"), "-c", script), "ready", "!size"))
        .contains("40 120", "status 5");
  }

  @Test
  void settingsAreBackWhateverTheEnd() throws Exception {
    String stty = "stty raw -echo; echo ready; ";
    for (String end : List.of("exit 1", "kill -9 $$")) {
      assertThat(run(List.of(HostTree.find("dash"), "-c", stty + end)))
          .contains("ready")
          .contains("restored True");
    }
    assertThat(
            run(
                List.of(HostTree.find("dash"), "-c", stty + "while :; do sleep 1; done"),
                "ready",
                "!kill 15"))
        .contains("status 143 restored True");
    assertThat(
            run(
                List.of(
                    HostTree.find("dash"),
                    "-c",
                    "trap 'echo got' TERM INT HUP; " + stty + "while :; do sleep 0.1; done"),
                "ready",
                "!kill 15",
                "got",
                "!kill 2",
                "got",
                "!kill 1"))
        .contains("status 137 restored True");
  }

  @Test
  void aProgramWithoutJobControlStopsWithXip() throws Exception {
    String command =
        "'%s' run '%s' %s -c 'echo begun; sleep 3; echo woke; exit 6'"
            .formatted(Xip.launcher(), image, HostTree.find("dash"));
    assertThat(
            drive(
                List.of("bash", "--norc", "--noprofile", "-i"),
                "# ",
                "PS1='% '\r",
                "% ",
                command + "\r",
                "\nbegun",
                "\u001a",
                "Stopped",
                "fg\r",
                "\nwoke",
                "echo status $?\r",
                "status 6",
                "exit 0\r"))
        .contains("status 0 restored True");
  }
}
