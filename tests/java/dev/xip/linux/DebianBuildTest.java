package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * "I have booted a distribution and built a kernel with gcc and glibc on the XIP file system" was
 * said on 17 January 2008. Here Debian's gcc and make, run out of a segment, build packages from
 * source, and the host's kernel runs the same files under chroot at the same path.
 */
@ExtendWith(DebianMachine.Shared.class)
class DebianBuildTest {
  /** The name of an object file in an archive. */
  private static final Pattern OBJECT = Pattern.compile("\\.l?o\0+0000644\0");

  /** Unpacks the source $0, builds it by $1, tries the result by $2 and writes all files made. */
  private static final String BUILD =
      """
      mkdir /tmp/build && cd /tmp/build && tar xf /usr/src/$0_*.orig.tar.* && cd * || exit 1
      touch .before; sleep 0.02; eval "$1" >.log 2>&1 || { cat .log >&2; exit 2; }
      eval "$2" >&2 || exit 3
      find . -newer .before -type f ! -name '.*' ! -name '*.log' | sort | tar cf - --mtime=@0 -T -
      """;

  @Test
  void makeBuildsTheSameFilesOfBzip2(DebianMachine debian) throws IOException {
    buildsTheSameFiles(
        debian,
        "bzip2",
        "make -j2",
        "seq 100000 >in; ./bzip2 -k in && ./bzip2 -dc in.bz2 | cmp - in && md5sum in.bz2",
        9);
  }

  @Test
  void configureAndMakeBuildTheSameFilesOfZlib(DebianMachine debian) throws IOException {
    buildsTheSameFiles(
        debian,
        "zlib",
        "CFLAGS=-O2 ./configure && make -j2",
        "make -s test && seq 100000 >in; ./minigzip <in | gzip -dc | cmp - in && nm -D libz.so |"
            + " wc",
        30);
  }

  private static void buildsTheSameFiles(
      DebianMachine debian, String source, String build, String attempt, int objects)
      throws IOException {
    String[] words = {"/bin/sh", "-c", BUILD, source, build, attempt};
    DebianMachine.Result host = debian.judge(words);
    assertThat(host.status()).as(host.errors()).isZero();
    assertThat(OBJECT.matcher(host.output()).results().count()).isGreaterThanOrEqualTo(objects);
    DebianMachine.Result here = debian.run(null, words);
    assertThat(here.errors())
        .as("what the programs say that were built; %s", debian.killed())
        .isEqualTo(host.errors());
    assertThat(here.output().equals(host.output())).as("whether all files are equal").isTrue();
    assertThat(here.status()).isZero();
  }
}
