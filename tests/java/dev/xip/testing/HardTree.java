package dev.xip.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A tree with every attribute that a file can have, and a comparison of two such trees. */
public final class HardTree {
  /** Shell commands that run in the folder; names and values lie on both sides of limits. */
  private static final String COMMANDS =
      """
      set -e; umask 022; TZ=UTC; export TZ
      : >"$(printf 'b\\377\\376\\001d')"; : >"$(printf 'tab\\tline\\n')"; : >./-r; : >ä
      : >"$(printf '%0255d' 0)"; mkdir lost+found sticky; mkfifo pipe; ln pipe pipe2
      echo own >own; chown 70000:4000000000 own; chmod 6755 own; ln own own2
      echo cap >cap; chown 4294967294:4294967294 cap; chmod 1640 cap
      chown 5:6 sticky; chmod 3777 sticky
      for t in '1901-12-14 00:00:00.000000001' '1969-12-31 23:59:59.999999999' \
          '2038-01-19 03:14:08.5' '2106-02-07 06:28:16.123456789' '2300-01-01 01:02:03.4' \
          '2446-05-10 22:38:55.999'; do
        n=${t%% *}; echo $n >f$n; mkdir d$n; ln -s x l$n; touch -h -d "$t" f$n d$n l$n
      done
      ln -s target short; ln short short2; ln short short3
      ln -s "$(printf '%04000d' 0)" long; ln long long2
      truncate -s 10M hole; truncate -s 5000000 sparse
      printf x | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
      printf x | dd of=deep bs=1 seek=1005600000 status=none
      head -c 3000000 /dev/zero >zeros; head -c 9000001 /dev/urandom >large; ln large large2
      setfattr -n user.a -v b own; setfattr -n user.empty own
      setfattr -n user.long -v "$(printf '%03000d' 0)" own
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        setfattr -n user.n$i -v value$i sparse
      done
      setfattr -n user.ümlaut -v 0x00ff0a zeros
      setfacl -m u:1234:rwx,g:77:r,u:70000:w large; setfacl -d -m u:9:rwx,g:8:r sticky
      setfacl -m u:3:rx sticky; setcap cap_net_raw,cap_sys_admin+ep cap
      setfattr -h -n security.selinux -v system_u:object_r:bin_t:s0 short
      setfattr -h -n trusted.x -v link long; setfattr -n trusted.x -v pipe pipe
      setfattr -n trusted.root -v root .; setfattr -n security.selinux -v label .
      setfacl -m u:11:rwx .; chmod 2751 .; chown 12:13 .
      """;

  private static final String DEVICES =
      """
      set -e; umask 022
      mknod null c 1 3; ln null null2; mknod wide c 4095 1048575; mknod block b 8 300
      mknod whiteout c 0 0; setfattr -n security.selinux -v device_t null
      """;

  private static final String LIST =
      """
      TZ=UTC; export TZ
      find . -type d -printf '%p|%y|%m|%U|%G|%T+|%n\\n' \
        -o -printf '%p|%y|%m|%U|%G|%T+|%n|%l|%s\\n' | LC_ALL=C sort
      find . \\( -type c -o -type b \\) -exec stat -c '%n %t %T' {} + | LC_ALL=C sort
      find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -d -m - -e hex -h
      """;

  private HardTree() {}

  /**
   * Makes the tree, or skips the test if the host cannot.
   *
   * @param tree the folder to make
   * @return the folder
   * @throws IOException if a command fails
   */
  public static Path make(Path tree) throws IOException {
    Judge.deviceNodes();
    for (String each : new String[] {"setfattr", "getfattr", "setfacl", "setcap", "rsync"}) {
      Judge.program(each);
    }
    Files.createDirectory(tree);
    Processes.Output tried =
        Processes.runAny("setfattr", "-n", "user.probe", "-v", "x", tree.toString());
    Judge.needs(tried.exit() == 0, "a file system with extended attributes for temporary files");
    Processes.run("setfattr", "-x", "user.probe", tree.toString());
    in(tree, COMMANDS + DEVICES + "TZ=UTC touch -d '1950-05-05 05:05:05.555555555' .");
    return tree;
  }

  /**
   * Asserts that find, stat, getfattr and rsync find no difference between two trees.
   *
   * @param tree a tree
   * @param other the other tree
   * @throws IOException if they cannot be read
   */
  public static void requireSame(Path tree, Path other) throws IOException {
    assertThat(in(other, LIST)).isEqualTo(in(tree, LIST));
    String[] rsync = {"rsync", "-ncaHAXi", "--delete", tree + "/", other + "/"};
    assertThat(Processes.run(rsync).out()).isEmpty();
  }

  private static String in(Path folder, String commands) throws IOException {
    return Processes.run("sh", "-c", "cd \"$0\"\n" + commands, folder.toString()).out();
  }
}
