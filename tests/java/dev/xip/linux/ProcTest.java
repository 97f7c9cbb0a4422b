package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real programs read /proc and use /dev. */
class ProcTest {
  private static final List<String> PROGRAMS =
      List.of(
          "/bin/dash",
          "/bin/bash",
          "/bin/cat",
          "/bin/ls",
          "/bin/readlink",
          "/bin/sleep",
          "/bin/rm",
          "/bin/mkdir",
          "/bin/rmdir",
          "/bin/grep",
          "/usr/bin/head",
          "/usr/bin/wc",
          "/usr/bin/od",
          "/usr/bin/tr",
          "/usr/bin/awk",
          "/usr/bin/stat",
          "/usr/bin/free",
          "/bin/ps");

  @TempDir Path folder;
  private ProgramsOfTheHost root;

  @BeforeEach
  void boot() throws IOException {
    root =
        new ProgramsOfTheHost(
            folder, PROGRAMS.stream().filter(each -> Files.exists(Path.of(each))).toList());
    Files.createDirectory(root.tree().resolve("tmp"));
    root.boot();
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  private String shell(String script) throws IOException {
    ProgramResult result = root.run("/bin/bash", "-c", script);
    assertThat(root.errors()).as(result.toString()).isEmpty();
    assertThat(result.status()).as(root.output()).isZero();
    return root.output();
  }

  @Test
  void devicesAreThoseOfTheHost() throws IOException {
    root.isAsOnTheHost("/bin/bash", "-c", "head -c 5 /dev/zero | od -c; wc -c < /dev/null");
    root.isAsOnTheHost("/bin/bash", "-c", "echo x > /dev/full; echo y > /dev/zero; echo $?");
    root.isAsOnTheHost("/bin/bash", "-c", "head -c 100000 /dev/urandom | wc -c");
    root.isAsOnTheHost("/bin/bash", "-c", "stat -c '%F %t:%T' /dev/{null,zero,full,urandom,tty}");
    root.isAsOnTheHost("/bin/bash", "-c", "a=$(head -c 9 /dev/random | od); [ \"$a\" ]; echo $?");
  }

  @Test
  void descriptorsAreOpenedAgainByName() throws IOException {
    root.isAsOnTheHost(
        "/bin/bash", "-c", "cat <(echo one) <(echo two); echo three | cat /dev/stdin");
    assertThat(shell("echo out > /dev/stdout")).isEqualTo("out\n");
    root.isAsOnTheHost("/bin/bash", "-c", "cat /dev/fd/3 3<<< text; cat /dev/fd/9 2>&1 | wc -l");
    assertThat(
            shell("cd /tmp; exec 3>file 4</bin/cat; ls -l /proc/self/fd | awk '{print $1,$9,$11}'"))
        .contains("l-wx------ 3 /tmp/file\n", "lr-x------ 4 /bin/cat\n")
        .containsPattern("lr-x------ 0 host:");
    assertThat(shell("exec 3>/tmp/gone; rm /tmp/gone; readlink /proc/$$/fd/3"))
        .isEqualTo("/tmp/gone (deleted)\n");
  }

  @Test
  void aPipeIsNamedByItsInode() throws IOException {
    root.isAsOnTheHost(
        "/bin/bash",
        "-c",
        "true | { [ \"$(readlink /proc/self/fd/0)\" = \"pipe:[$(stat -L -c %i /dev/stdin)]\" ];"
            + " echo $?; }");
  }

  @Test
  void whatWasRemovedHasTheNameThatItHad() throws IOException {
    String script =
        "mkdir -p /tmp/gone; cd /tmp; exec 3<> file; rm file; readlink /proc/$$/fd/3;"
            + " cd gone; rmdir /tmp/gone; readlink /proc/$$/cwd";
    assertThat(shell(script)).isEqualTo("/tmp/file (deleted)\n/tmp/gone (deleted)\n");
  }

  @Test
  void aTaskFindsItself() throws IOException {
    assertThat(shell("readlink /proc/self/exe /proc/$$/cwd /proc/self/root; echo $$"))
        .isEqualTo("/bin/readlink\n/\n/\n2\n");
    assertThat(shell("cd /tmp; readlink /proc/self/cwd; /proc/self/exe -c 'echo ran'"))
        .isEqualTo("/tmp\nran\n");
    assertThat(
            shell(
                "A=1 tr '\\0' '\\n' < /proc/self/cmdline; A=1 cat /proc/self/environ | tr '\\0' ,"))
        .startsWith("tr\n\\0\n\\n\n")
        .contains("A=1,");
    assertThat(shell("cat /proc/$$/comm; read -r a b c d e < /proc/$$/stat; echo $a $b $c $d"))
        .isEqualTo("bash\n2 (bash) R 1\n");
    assertThat(
            shell("sleep 5 & grep -E '^(Name|State|PPid|Threads|SigIgn)' /proc/$!/status; kill $!"))
        .contains("Name:\tsleep\n", "State:\tS (sleeping)\n", "PPid:\t2\n", "Threads:\t1\n");
    assertThat(shell("ulimit -n 77; grep 'open files' /proc/self/limits"))
        .matches("Max open files +77 +77 +files +\n");
    assertThat(shell("(sleep 0.3 & exec sleep 0.1) & sleep 0.05; ls /proc | grep -c '^[0-9]'"))
        .matches("[4-7]\n");
    assertThat(shell("ls -d /proc/1234 2>/dev/null; cat /proc/self/task/*/comm"))
        .isEqualTo("cat\n");
    assertThat(shell("awk 'NF!=52{print NF}' /proc/self/stat; wc -w < /proc/self/statm"))
        .isEqualTo("7\n");
  }

  @Test
  void mappingsInPlaceAreShownAsSpecial() throws IOException {
    String maps = shell("cat /proc/self/maps");
    assertThat(maps.lines())
        .anyMatch(
            line ->
                line.matches("[0-9a-f]{8,}-[0-9a-f]+ r-xp [0-9a-f]{8} 00:01 [1-9]\\d* +/bin/cat"))
        .anyMatch(line -> line.endsWith("[stack]"))
        .anyMatch(line -> line.endsWith("[heap]"))
        .anyMatch(line -> line.contains("libc.so.6"));
    String smaps = shell("cat /proc/self/smaps");
    String text = smaps.substring(smaps.indexOf(" r-xp "));
    assertThat(text).containsPattern("Rss: +0 kB\nPss: +0 kB\nSpecial: +[1-9]\\d* kB");
    assertThat(smaps).containsPattern("\\[stack\\]\nSize: +\\d+ kB\nRss: +[1-9]");
  }

  @Test
  void nothingIsMadeInProcOrRemovedFromIt() throws IOException {
    root.isAsOnTheHost("/bin/bash", "-c", "rm -f /proc/version; (: > /proc/new) 2>&1; echo $?");
  }

  @Test
  void theMachineIsShown() throws IOException {
    String memory = shell("cat /proc/meminfo");
    assertThat(memory).contains("MemTotal:         131072 kB").containsPattern("MemMap: +[1-9]");
    assertThat(shell("grep -c ^processor /proc/cpuinfo; grep -cw avx512f /proc/cpuinfo || :"))
        .isEqualTo(Long.bitCount(Attributes.PROCESSORS) + "\n0\n");
    assertThat(shell("cat /proc/sys/kernel/{ostype,hostname,pid_max} /proc/filesystems"))
        .startsWith("Linux\nxip\n32768\n");
    assertThat(shell("cat /proc/mounts /proc/uptime /proc/loadavg /proc/version"))
        .contains("xip / tmpfs rw 0 0\n", "xip /proc proc rw 0 0\n");
    assertThat(shell("cat /proc/sys/kernel/random/{uuid,uuid,boot_id} | wc -c")).isEqualTo("111\n");
    assertThat(shell("grep -c ^cpu /proc/stat"))
        .isEqualTo(Long.bitCount(Attributes.PROCESSORS) + 1 + "\n");
    assertThat(
            shell("(echo x > /proc/version) 2>/dev/null || echo refused; ls /proc/self/ | wc -l"))
        .startsWith("refused\n");
  }
}
