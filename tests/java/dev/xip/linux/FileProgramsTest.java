package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that change files do what they do under chroot on a copy of the same tree. */
class FileProgramsTest {
  @TempDir private Path folder;
  private ProgramsOfTheHost root;

  @BeforeEach
  void makeTree() throws IOException {
    root =
        new ProgramsOfTheHost(
            folder,
            List.of(
                "/bin/dash",
                "/bin/cp",
                "/bin/mv",
                "/bin/rm",
                "/bin/mkdir",
                "/bin/cat",
                "/bin/ls",
                "/bin/ln",
                "/bin/sed",
                "/bin/tar",
                "/bin/chmod",
                "/usr/bin/find",
                "/usr/bin/sort",
                "/usr/bin/xargs",
                "/usr/bin/touch",
                "/usr/bin/cmp",
                "/usr/bin/wc",
                "/usr/bin/env"));
    Path work = root.tree().resolve("files");
    Files.createDirectories(work.resolve("a/b/c"));
    Files.createDirectory(root.tree().resolve("tmp"));
    Files.writeString(work.resolve("a/one"), "first line\nsecond line\n".repeat(1000));
    Files.writeString(work.resolve("a/b/two"), "two\n");
    Files.createLink(work.resolve("a/b/hard"), work.resolve("a/one"));
    Files.createSymbolicLink(work.resolve("a/soft"), Path.of("b/two"));
    Processes.run("chmod", "-R", "u=rwX,go=rX", work.toString());
    root.boot();
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  private void isAsUnderChroot(String script) throws IOException {
    root.isAsUnderChroot(
        "umask 22; cd /files; " + script + "; cd /; ls -1R /files; cat /files/*/* 2>&1 | wc -c");
  }

  @Test
  void copiesKeepLinksAndModes() throws IOException {
    isAsUnderChroot(
        "chmod 751 a/b; cp -a a z; cmp a/one z/one; ls -l z/b | wc -l; ls -n z/soft >&2");
  }

  @Test
  void editedAndMovedFilesReplaceThoseOfTheImage() throws IOException {
    isAsUnderChroot("sed -i s/first/last/ a/one; mv a/one a/b/c/; cat a/b/c/one a/b/hard | wc");
  }

  @Test
  void anArchiveGivesTheSameTree() throws IOException {
    isAsUnderChroot("tar cf /tmp/x.tar a; mkdir n; tar xf /tmp/x.tar -C n; rm -r a; mv n/a q");
  }

  @Test
  void aLargeDirectoryIsRemoved() throws IOException {
    isAsUnderChroot(
        "mkdir l; cd l; i=0; while [ $i -lt 300 ]; do : > file$i; i=$((i+1)); done; cd ..;"
            + " ls l | wc -l; rm -r l a/b");
  }

  @Test
  void aProgramThatWasWrittenRuns() throws IOException {
    isAsUnderChroot(
        "cp /bin/wc w; ./w -c a/one; printf '#!/bin/dash\\n"
            + "echo script $1\\n"
            + "' > s; chmod +x s; ./s x; cat < a/one > t; rm w; ./w");
  }

  @Test
  void aFileThatIsOpenStaysWithoutAName() throws IOException {
    isAsUnderChroot("exec 3<>a/one; rm a/one a/b/hard; cat <&3 | wc -l; echo more >&3; ls a");
    assertThat(root.errors()).isEmpty();
  }
}
