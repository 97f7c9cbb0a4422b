package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of the host are bytes: those that are not UTF-8 work wherever a path can be given. */
class HostPathIT {
  @TempDir Path folder;

  @BeforeEach
  void pack() throws Exception {
    bash("mkdir d; echo text >d/f; echo at >d/@f; \"$X\" pack d i").isDone();
  }

  private Xip.Result bash(String script) throws Exception {
    // The test's own JVM cannot name or remove what is made here.
    return Shell.bash(folder, script + "; rc=$?; rm -rf $'o\\xff'; exit $rc");
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8", "POSIX", "none-such"})
  void theImageMayHaveAnyName(String locale) throws Exception {
    String script = "mkdir $'o\\xff'; mv i $'o\\xff/\\xfe\\xe4.img'; LC_ALL=" + locale;
    assertThat(bash(script + " \"$X\" cat $'o\\xff/\\xfe\\xe4.img' /f").isDone().out())
        .isEqualTo("text\n");
  }

  @Test
  void messagesOfAnImageHaveItsBytes() throws Exception {
    assertThat(bash("mkdir $'o\\xff'; cp i $'o\\xff'; \"$X\" check $'o\\xff/i'").isDone().out())
        .contains("o\u00ff/i: ext2");
    assertThat(
            bash("mkdir $'o\\xff'; cp i $'o\\xff'; \"$X\" ls --json $'o\\xff/i'")
                .isDone()
                .json()
                .get("imageHex")
                .asText())
        .isEqualTo("6fff2f69");
  }

  @Test
  void theImageThatIsMadeMayHaveAnyName() throws Exception {
    String make =
        "mkdir $'o\\xff'; cp -r d $'o\\xff/\\xfd'; \"$X\" pack $'o\\xff/\\xfd' $'o\\xff/i'";
    assertThat(bash(make).isDone().out()).startsWith("o\u00ff/i: ext2");
    assertThat(bash(make + " --json").isDone().json().get("imageHex").asText())
        .isEqualTo("6fff2f69");
    assertThat(bash(make + " >/dev/null; \"$X\" cat $'o\\xff/i' /f").isDone().out())
        .isEqualTo("text\n");
  }

  @Test
  void theStoreMayHaveAnyName() throws Exception {
    String define = "\"$X\" segment define A --from i --store $'o\\xff/s'";
    assertThat(bash(define + " && \"$X\" segment list --store $'o\\xff/s'").isDone().out())
        .contains("A        SR");
    assertThat(
            bash("export XIP_STORE=$'o\\xff'; \"$X\" segment define B --size 4K && ls $'o\\xff'")
                .isDone()
                .out())
        .contains("B.def");
  }

  @Test
  void contentsAndScriptsMayHaveAnyName() throws Exception {
    assertThat(
            bash("mkdir $'o\\xff'; cp i $'o\\xff/\\xfd'; \"$X\" segment define A --from"
                    + " $'o\\xff/\\xfd'")
                .isDone()
                .out())
        .startsWith("A: SR");
    assertThat(
            bash("mkdir $'o\\xff'; echo space one >$'o\\xff/\\xfd'; \"$X\" maps i $'o\\xff/\\xfd'")
                .isDone()
                .out())
        .contains("one");
  }

  @Test
  void aScriptMayNameAnyFileOfTheImage() throws Exception {
    bash("cp d/f d/$'\\xfc'; \"$X\" pack d j; printf 'space a\\nmap a x /\\xfc r--s\\n' >script");
    assertThat(bash("\"$X\" maps j script").isDone().out()).contains("/\u00fc\n");
  }

  @Test
  void theWorkingFolderMayHaveAnyName() throws Exception {
    String script =
        """
        mkdir $'o\\xff'; cd $'o\\xff'; cp ../i .
        "$X" cat i /f; "$X" cat ../i /f
        "$X" segment define A --from i --store s >/dev/null; "$X" cat segment:A /f --store s
        """;
    assertThat(bash(script + "cd ..").isDone().out()).isEqualTo("text\n".repeat(3));
  }

  @Test
  void theWorkFolderOfTheDemoMayHaveAnyName() throws Exception {
    String script =
        "mkdir $'o\\xff' $'o\\xff/w'; cp -r d $'o\\xff/d'; "
            + "\"$X\" demo --image i --work $'o\\xff/w' --json | head -c 1; ls -A $'o\\xff/w'";
    assertThat(bash(script).isDone().out()).isEqualTo("{");
  }

  @Test
  void theCommandOfALoadGetsItsBytes() throws Exception {
    assertThat(
            bash("\"$X\" segment define A --size 4K >a; \"$X\" segment load A -- printf '%s|'"
                    + " $'b\\xff\\n"
                    + "' 'c d' $'\\xe4'")
                .isDone()
                .out())
        .isEqualTo("b\u00ff\n|c d|\u00e4|");
  }

  @Test
  void theEnvironmentNamesTheUsersFolderAndTheOneForTemporaryFiles() throws Exception {
    String unset = "unset XIP_STORE XDG_DATA_HOME; ";
    for (String name : new String[] {"h", "$'o\\xff'"}) {
      String define =
          "HOME=$PWD/%s \"$X\" segment define A --size 4K; ls %s/.local/share/xip/segments";
      assertThat(bash(unset + define.formatted(name, name)).isDone().out()).contains("A.def");
      assertThat(bash("TMPDIR=$PWD/%s/none \"$X\" demo --dir d".formatted(name)).failsWithOneLine())
          .contains("No such file or directory");
    }
    assertThat(
            bash("mkdir $'o\\xff'; TMPDIR=$'o\\xff' \"$X\" demo --image i >/dev/null; ls $'o\\xff'")
                .isDone()
                .out())
        .isEmpty();
  }

  @Test
  void anArgumentThatBeginsWithAnAtSignIsAName() throws Exception {
    Files.writeString(folder.resolve("f"), "/other");
    assertThat(bash("\"$X\" cat i @f").isDone().out()).isEqualTo("at\n");
    assertThat(bash("\"$X\" cat --store s i @f").isDone().out()).isEqualTo("at\n");
    assertThat(bash("cp i @i; \"$X\" ls @i @f").isDone().out()).isEqualTo("@f\n");
  }

  @Test
  void aTrailingSlashRequiresAFolder() throws Exception {
    assertThat(bash("\"$X\" cat i/ /f").failsWithOneLine()).contains("i/", "Not a directory");
    bash("\"$X\" segment define A --from i/").failsWithOneLine();
    bash("\"$X\" maps i d/f/").failsWithOneLine();
    assertThat(bash("\"$X\" maps i d").failsWithOneLine()).isEqualTo("xip: d: Is a directory\n");
    bash("\"$X\" segment define A --size 4K --store s/").isDone();
    assertThat(folder.resolve("s/A.def")).exists();
  }
}
