package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.bind.BoundTree;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs work in a directory of the host, which is looked at afterwards. */
class BoundTreeTest {
  private static final String SOURCE =
      """
      #include <errno.h>
      #include <fcntl.h>
      #include <stdio.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <unistd.h>

      int main(int argc, char **argv) {
        int fd = open(argv[1], O_RDWR);
        char *a = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
        char *b = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        b[0] = '#';
        printf("%.5s %.5s\\n", a, b);
        char *c = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        printf("%d\\n", c == MAP_FAILED);
        unlink(argv[1]);
        char buf[6] = "";
        printf("%ld %s %.5s\\n", (long)pread(fd, buf, 5, 0), buf, a);
        ftruncate(fd, 2);
        printf("%ld\\n", (long)pread(fd, buf, 5, 0));
        return 0;
      }
      """;

  private static final List<String> PROGRAMS =
      List.of(
          "/bin/dash",
          "/bin/cat",
          "/bin/ls",
          "/bin/mv",
          "/bin/rm",
          "/bin/cp",
          "/bin/ln",
          "/bin/mkdir",
          "/usr/bin/mkfifo",
          "/bin/chmod",
          "/bin/touch",
          "/usr/bin/find",
          "/usr/bin/stat",
          "/usr/bin/wc");

  @TempDir Path folder;
  private Path host;
  private ProgramsOfTheHost root;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, PROGRAMS);
    Files.createDirectory(root.tree().resolve("host"));
    Files.createDirectory(root.tree().resolve("etc"));
    Files.writeString(root.tree().resolve("etc/passwd"), "the guest's\n");
    Path source = Files.writeString(folder.resolve("maps.c"), SOURCE);
    Processes.run("gcc", "-O1", "-w", "-o", root.tree().resolve("maps") + "", source + "");
    host = Files.createDirectory(folder.resolve("host"));
    Files.writeString(host.resolve("file"), "hello\n");
    root.boot();
    bind(false);
  }

  private void bind(boolean readOnly) {
    root.mount(
        (files, cache) ->
            files.mount(
                files.directory(files.root(), FileName.of("/host")),
                new BoundTree(host, readOnly, cache, "/host", 77)));
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  private String shell(String script) throws IOException {
    ProgramResult result = root.run("/bin/dash", "-c", script);
    assertThat(root.errors()).as(result.toString()).isEmpty();
    return root.output();
  }

  @Test
  void whatAProgramDoesIsDoneOnTheHost() throws IOException {
    String script =
        """
        cd /host; cat file; echo more >> file; mkdir -p a/b; echo x > a/b/new; chmod 640 a/b/new
        mv a/b/new a/moved; ln -s ../file a/link; cat a/link; ln a/moved a/second; rm -r a/b
        umask 027; echo y > private; cp file copy; : > copy; touch -d @1000 file; find . | wc -l
        pwd; cd a; pwd; stat -c '%s %A %h' moved; stat -c %Y ../file
        """;
    assertThat(shell(script))
        .isEqualTo("hello\nhello\nmore\n8\n/host\n/host/a\n2 -rw-r----- 2\n1000\n");
    assertThat(host.resolve("file")).hasContent("hello\nmore\n");
    assertThat(host.resolve("a/moved")).hasContent("x\n");
    assertThat(host.resolve("copy")).isEmptyFile();
    assertThat(host.resolve("a/b")).doesNotExist();
    assertThat(Files.readSymbolicLink(host.resolve("a/link"))).hasToString("../file");
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(host.resolve("private"))))
        .isEqualTo("rw-r-----");
    assertThat(Files.getAttribute(host.resolve("a/second"), "unix:nlink")).isEqualTo(2);
  }

  @Test
  void readOnlyMeansThatNothingIsChanged() throws IOException {
    bind(true);
    root.run(
        "/bin/dash",
        "-c",
        "cd /host; cat file; echo x > file; echo x > new; rm -f file; mkdir d; mv file other;"
            + " chmod 600 file; ln -s a b; touch file");
    assertThat(root.output()).isEqualTo("hello\n");
    assertThat(root.errors().lines())
        .hasSize(8)
        .allMatch(line -> line.contains("Read-only file system"));
    assertThat(host.resolve("file")).hasContent("hello\n");
    assertThat(host).isDirectoryNotContaining("glob:**/{new,d,other,b}");
  }

  @Test
  void aLinkOfTheHostLeadsIntoTheProgramsTree() throws IOException {
    Files.writeString(folder.resolve("secret"), "secret\n");
    Files.createSymbolicLink(host.resolve("etc"), Path.of("/etc"));
    Files.createSymbolicLink(host.resolve("up"), Path.of(".."));
    Files.createSymbolicLink(host.resolve("out"), folder.resolve("secret"));
    assertThat(shell("cat /host/etc/passwd; ls /host/up/; cat /host/../etc/passwd"))
        .startsWith("the guest's\n")
        .contains("host\n")
        .doesNotContain("secret")
        .endsWith("the guest's\n");
    root.run("/bin/dash", "-c", "cat /host/out; cat /host/../../../secret; echo x > /host/out");
    assertThat(root.output()).isEmpty();
    assertThat(folder.resolve("secret")).hasContent("secret\n");
  }

  @Test
  void filesAreMappedAsTheyWere() throws IOException {
    assertThat(shell("/maps /host/file")).isEqualTo("hello #ello\n1\n5 hello hello\n2\n");
    assertThat(host.resolve("file")).doesNotExist();
  }

  @Test
  void aProgramOfTheHostsDirectoryRuns() throws IOException {
    Files.copy(root.tree().resolve("maps"), host.resolve("tool"));
    Files.writeString(host.resolve("script"), "#!/bin/dash\necho \"script $1\"\n");
    Files.setPosixFilePermissions(
        host.resolve("script"), PosixFilePermissions.fromString("rwx------"));
    assertThat(shell("cp /host/file /copy; /host/tool /copy; /host/script it"))
        .isEqualTo("hello #ello\n0\n5 hello hello\n2\nscript it\n");
  }

  @Test
  void theHostMayChangeFilesThatAreOpen() throws Exception {
    Thread remover =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    Thread.sleep(1000);
                    Files.delete(host.resolve("file"));
                    Files.writeString(host.resolve("go"), "");
                  } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    String out =
        shell("exec 3< /host/file; while ! [ -e /host/go ]; do :; done; cat <&3; ls /host");
    remover.join();
    assertThat(out).isEqualTo("hello\ngo\n");
  }

  @Test
  void aFileIsTheSameHoweverOftenItIsOpened() throws IOException {
    Files.setPosixFilePermissions(
        Files.createDirectory(host.resolve("d")), PosixFilePermissions.fromString("rwxr-x---"));
    String script =
        """
        mkfifo /host/pipe; echo through > /host/pipe & cat /host/pipe; wait
        exec 3<> /host/file; mv /host/file /host/old; echo other > /host/file
        chmod 600 /proc/self/fd/3; stat -c %a /host/old; stat -c %a /host/file
        cd /host/d; mv /host/d /host/e; pwd -P; echo x > y; cat /host/e/y
        """;
    assertThat(shell(script)).isEqualTo("through\n600\n644\n/host/e\nx\n");
  }

  @Test
  void anotherTreeIsMountedInADirectoryOfTheHost() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("in"), "in\n");
    Files.createDirectory(host.resolve("d"));
    root.mount(
        (files, cache) -> {
          files.mount(
              files.directory(files.root(), FileName.of("/host")),
              new BoundTree(host, false, cache, "/host", 77));
          files.mount(
              files.directory(files.root(), FileName.of("/host/d")),
              new BoundTree(other, true, cache, "/host/d", 78));
        });
    root.run("/bin/dash", "-c", "cd /host/d; cat in; pwd; mv /host/d /host/e; cat /proc/mounts");
    assertThat(root.output()).startsWith("in\n/host/d\n").contains("xip /host/d bind ro");
    assertThat(root.errors()).contains("busy");
    assertThat(host.resolve("d")).isEmptyDirectory();
  }

  @Test
  void noDevicesAreMadeInADirectoryOfTheHost() throws IOException {
    root.mount(
        (files, cache) ->
            files.mount(
                files.directory(files.root(), FileName.of("/dev")),
                new BoundTree(host, false, cache, "/dev", 77)));
    assertThat(shell("cat /dev/file")).isEqualTo("hello\n");
    assertThat(host).isDirectoryNotContaining("glob:**/{null,fd,shm}");
  }

  @Test
  void setIdBitsAndDevicesAreKeptFromTheHost() throws IOException {
    assertThat(shell("cd /host; chmod 6755 file; stat -c %a file")).isEqualTo("755\n");
    assertThat(
            (int) Files.getAttribute(host.resolve("file"), "unix:mode", LinkOption.NOFOLLOW_LINKS))
        .isEqualTo(0100755);
  }

  @Test
  void aLargeDirectoryIsListedAndEmptied() throws IOException {
    Path many = Files.createDirectory(host.resolve("many"));
    for (int i = 0; i < 3000; i++) {
      Files.createFile(many.resolve("a-name-that-fills-its-directory-" + i));
    }
    assertThat(shell("ls /host/many | wc -l; rm -r /host/many; ls /host"))
        .isEqualTo("3000\nfile\n");
  }
}
