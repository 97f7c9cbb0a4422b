package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program with any byte of its headers damaged is refused or runs; the machine goes on. */
class DamagedProgramTest {
  private static final int HEADER_BYTES = 64;
  private static final int HEADERS = 2;
  private static final int CODE = HEADER_BYTES + HEADERS * 56;
  private static final long START = 0x40_0000;

  /** exit(7). */
  private static final byte[] EXIT = {
    (byte) 0xb8, 60, 0, 0, 0, (byte) 0xbf, 7, 0, 0, 0, 0x0f, 0x05
  };

  private static final int[] DAMAGE = {0x00, 0xff, 0x40, 0x01};

  @TempDir Path folder;
  private ProgramsOfTheHost root;

  @BeforeEach
  void makeTree() throws IOException {
    root = new ProgramsOfTheHost(folder, List.of());
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  private static byte[] program() {
    ByteBuffer bytes = ByteBuffer.allocate(CODE + EXIT.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    bytes.putShort((short) 2).putShort((short) 62).putInt(1);
    bytes.putLong(START + CODE).putLong(HEADER_BYTES).putLong(0).putInt(0);
    bytes.putShort((short) HEADER_BYTES).putShort((short) 56).putShort((short) HEADERS);
    bytes.position(HEADER_BYTES);
    bytes.putInt(1).putInt(5).putLong(0).putLong(START).putLong(START);
    bytes.putLong(bytes.capacity()).putLong(bytes.capacity()).putLong(0x1000);
    bytes.putInt(1).putInt(6).putLong(0).putLong(2 * START).putLong(2 * START);
    bytes.putLong(bytes.capacity()).putLong(0x3000).putLong(0x1000);
    return bytes.put(EXIT).array();
  }

  private void write(String name, byte[] bytes) throws IOException {
    Path file = Files.write(root.tree().resolve(name), bytes);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static String name(int at, int value) {
    return "p%d-%x".formatted(at, value);
  }

  @Test
  void everyByteOfTheHeadersMayBeDamaged() throws IOException {
    byte[] whole = program();
    write("whole", whole);
    for (int at = 0; at < CODE; at++) {
      for (int value : DAMAGE) {
        byte[] damaged = whole.clone();
        damaged[at] = (byte) value;
        write(name(at, value), damaged);
      }
    }
    root.boot();
    int refused = 0;
    int ended = 0;
    for (int at = 0; at < CODE; at++) {
      for (int value : DAMAGE) {
        try {
          root.run("/" + name(at, value));
          ended++;
        } catch (CannotExecuteException e) {
          assertThat(e.isMissing()).isFalse();
          refused++;
        }
      }
    }
    assertThat(refused).isPositive();
    assertThat(ended).isPositive();
    assertThat(root.run("/whole").status()).isEqualTo(7);
  }

  @Test
  void whatIsNoProgramForThisMachineIsRefused() throws IOException {
    byte[] foreign = program();
    foreign[18] = (byte) 183;
    byte[] narrow = program();
    narrow[4] = 1;
    write("foreign", foreign);
    write("narrow", narrow);
    write("empty", new byte[0]);
    write("text", "echo text\n".getBytes());
    write("lost", "#!/none\n".getBytes());
    write("loop", "#!/loop\n".getBytes());
    root.boot();
    assertThat(refusal("/foreign")).contains("ENOEXEC", "x86-64", "AARCH64");
    assertThat(refusal("/narrow")).contains("ENOEXEC", "class");
    assertThat(refusal("/empty")).contains("ENOEXEC");
    assertThat(refusal("/text")).contains("ENOEXEC");
    assertThat(refusal("/lost")).contains("/none");
    assertThat(refusal("/loop")).contains("ELOOP");
  }

  /** The same program with a PT_INTERP in place of its second segment. */
  private static byte[] withInterpreter(String path) {
    byte[] whole = program();
    byte[] name = (path + "\0").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer bytes =
        ByteBuffer.allocate(whole.length + name.length).order(ByteOrder.LITTLE_ENDIAN);
    int header = HEADER_BYTES + 56;
    bytes.put(whole).put(name).putInt(header, 3).putLong(header + 8, whole.length);
    return bytes.putLong(header + 32, name.length).putLong(header + 40, name.length).array();
  }

  @Test
  void anInterpreterIsAProgramForTheSameMachine() throws IOException {
    byte[] foreign = program();
    foreign[18] = (byte) 183;
    foreign[16] = 3;
    write("foreign", foreign);
    for (String each : List.of("none", "foreign", "text", "tmp")) {
      write("of-" + each, withInterpreter("/" + each));
    }
    write("text", "no program".repeat(20).getBytes(StandardCharsets.US_ASCII));
    root.boot();
    assertThat(refusal("/of-none")).contains("/none");
    assertThat(refusal("/of-foreign")).contains("ELIBBAD", "AARCH64");
    assertThat(refusal("/of-text")).contains("ELIBBAD", "/text");
    assertThat(refusal("/of-tmp")).contains("a directory");
    assertThatThrownBy(() -> root.run("/of-none"))
        .isInstanceOfSatisfying(
            CannotExecuteException.class, e -> assertThat(e.isMissing()).isTrue());
  }

  private String refusal(String program) {
    try {
      return "ran: " + root.run(program);
    } catch (IOException e) {
      return e.getMessage();
    }
  }
}
