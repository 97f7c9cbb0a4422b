package dev.xip.testing;

import dev.xip.base.FileName;
import dev.xip.host.OpenFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * A small tree with every kind of file, name, attribute, time and layout: for images that are made
 * by the dozen.
 */
public final class EveryKind {
  /** The size of the file {@code huge}, which has some bytes behind 2 GiB and behind 4 GiB. */
  public static final long HUGE = 5L << 30;

  private static final int SOCKET = 0140644;
  private static final int CROWD = 700;
  private static final int PIECES = 400;

  /** Needs neither root nor more than 900 bytes of extended attributes for each file. */
  private static final String SHAPES =
      """
      set -e; umask 022; TZ=UTC; export TZ
      : >"$(printf 'b\\377\\376\\001d')"; : >"$(printf 'tab\\tline\\n')"; : >./-r; : >ä; : >'a b'
      : >"$(printf '%0255d' 1)"; : >"$(printf '%0254d' 3)"
      mkdir "$(printf '%0255d' 2)" nothing sticky a-b 語
      mkdir -p d/e/e/p/e/r/a/n/d/d/e/e/p/e/r; mkfifo pipe; ln pipe pipe2
      for n in 0 1 59 60 61 63 64 65 150 1000 1023 1024 1025 4095 4096 4097 16384 65535 65537 200001
      do head -c $n /dev/urandom >size$n; done
      seq 1 20000 >text; seq 1 300 >text-small; head -c 300000 /dev/zero >zeros
      cat text-small size4097 text-small size65537 zeros size1 >mixture
      truncate -s 3000000 sparse hole; for at in 5 70000 1500000 2999999; do
        printf x | dd of=sparse bs=1 seek=$at conv=notrunc status=none; done
      truncate -s 5G huge; for at in 2200000000 4500000000; do
        printf x | dd of=huge bs=1 seek=$at conv=notrunc status=none; done
      for n in 1 58 59 60 61 100 155 156 200 1000; do ln -s "$(printf "%0${n}d" 0)" link$n; done
      ln -s text short; ln short short2; ln -s . self; ln -s not/there dangling
      echo own >own; chmod 6755 own; ln own own2; ln own d/own; chmod 3777 sticky; chmod 400 size0
      for t in '1901-12-14 00:00:00.000000001' '1969-12-31 23:59:59.999999999' '1970-01-01' \
          '2038-01-19 03:14:08.5' '2106-02-07 06:28:16.123456789' '2300-01-01 01:02:03.4' \
          '2446-05-10 22:38:55.999'; do
        n=${t%% *}; echo $n >f$n; mkdir d$n; ln -s x l$n; touch -h -d "$t" f$n d$n l$n
      done
      setfattr -n user.a -v b own; setfattr -n user.empty own; setfattr -n user.dir -v d nothing
      for i in 1 2 3 4 5 6 7 8 9 10 11 12; do setfattr -n user.n$i -v value$i sparse; done
      setfattr -n user.ümlaut -v 0x00ff0a zeros
      for each in size1 size60 size4096 text; do setfattr -n user.shared -v of-several $each; done
      setfacl -m u:1234:rwx,g:77:r,u:70000:w size4095; setfacl -m u:3:rx sticky
      setfacl -m u:5:rwx,g:6:rwx,m::rx size1025
      setfacl -d -m u:9:rwx,g:8:r sticky
      """;

  private static final String OF_ROOT =
      """
      set -e
      echo who >who; chown 70000:4000000000 who; chmod 6755 who
      echo cap >cap; chown 4294967294:65536 cap; chmod 1640 cap
      chown 5:6 sticky; chmod 3777 sticky; chown -h 7:8 short; chmod 0 size0
      mknod null c 1 3; ln null null2; mknod wide c 4095 1048575; mknod block b 8 300
      mknod whiteout c 0 0; setfattr -n security.selinux -v device_t null
      setcap cap_net_raw,cap_sys_admin+ep cap
      echo cap >cap3; setcap -n 1000 cap_chown+ep cap3
      setfattr -h -n security.selinux -v system_u:object_r:bin_t:s0 short
      setfattr -h -n trusted.x -v link link1000; setfattr -n trusted.x -v pipe pipe
      setfattr -n trusted.overlay.opaque -v y nothing; setfattr -n security.selinux -v label .
      chmod 2751 .; chown 12:13 .
      """;

  /** For formats and blocks that hold them. */
  private static final String LARGE =
      """
      set -e
      ln -s "$(printf '%04000d' 0)" link4000; ln -s "$(printf '%04095d' 0)" link4095
      setfattr -n user.long -v "$(printf '%03000d' 0)" size60
      setfattr -n user.long -v "$(printf '%03000d' 0)" size61
      """;

  private EveryKind() {}

  /**
   * Makes a tree whose links and attributes fit blocks of 1 KiB; as root with owners, devices and
   * attributes that other users may not set.
   *
   * @param tree the folder to make
   * @return the folder
   * @throws IOException if a command fails; a host that cannot skips the test
   */
  public static Path small(Path tree) throws IOException {
    for (String each : new String[] {"setfattr", "setfacl"}) {
      Judge.program(each);
    }
    Files.createDirectory(tree);
    Processes.Output tried =
        Processes.runAny("setfattr", "-n", "user.probe", "-v", "x", tree.toString());
    Judge.needs(tried.exit() == 0, "a file system with extended attributes for temporary files");
    Processes.run("setfattr", "-x", "user.probe", tree.toString());
    in(tree, SHAPES);
    Random random = new Random(1);
    for (int i = 0; i < PIECES; i++) {
      Trees.write(tree.resolve("pieces"), i * 12288L, 4096, random);
    }
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < CROWD; i++) {
      Files.createLink(crowd.resolve("%d%0200d".formatted(i, 0)), tree.resolve("text-small"));
    }
    try (OpenFolder folder = OpenFolder.open(tree)) {
      folder.node(FileName.of("socket"), SOCKET, 0);
    }
    if (Judge.isRoot()) {
      Judge.deviceNodes();
      Judge.program("setcap");
      in(tree, OF_ROOT);
    }
    return tree;
  }

  /**
   * Adds links and attributes that fit blocks of 4 KiB.
   *
   * @param tree a tree that {@link #small} has made
   * @param copy the folder to make, a copy with more
   * @return the folder
   * @throws IOException if a command fails
   */
  public static Path large(Path tree, Path copy) throws IOException {
    Processes.run("cp", "-a", tree.toString(), copy.toString());
    in(copy, LARGE);
    return copy;
  }

  private static void in(Path folder, String commands) throws IOException {
    Processes.run("sh", "-c", "cd \"$0\"\n" + commands, folder.toString());
  }
}
