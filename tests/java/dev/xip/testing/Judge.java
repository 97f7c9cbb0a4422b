package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * What a test needs of the host besides what the build needs: programs that judge us, root, loop
 * devices. A test that needs what the host lacks is skipped, and the build says so at its end, with
 * the Debian package that would help.
 */
public final class Judge {
  private static final Map<String, String> PACKAGES = new HashMap<>();

  static {
    packaged("acl", "getfacl", "setfacl");
    packaged("attr", "getfattr", "setfattr");
    packaged("bash", "bash");
    packaged("binutils", "nm", "objdump", "readelf");
    packaged("bsdutils", "script");
    packaged("e2fsprogs", "chattr", "debugfs", "dumpe2fs", "e2fsck", "filefrag", "lsattr");
    packaged("e2fsprogs", "resize2fs", "tune2fs");
    packaged("erofs-utils", "dump.erofs", "fsck.erofs", "mkfs.erofs");
    packaged("gdb", "gdb");
    packaged("libcap2-bin", "getcap", "setcap");
    packaged("mount", "losetup", "mount", "umount");
    packaged("rsync", "rsync");
    packaged("strace", "strace");
    packaged("util-linux", "prlimit", "setpriv", "unshare");
  }

  private Judge() {}

  private static void packaged(String debian, String... programs) {
    for (String each : programs) {
      PACKAGES.put(each, debian);
    }
  }

  /**
   * Skips the test if a condition does not hold.
   *
   * @param holds whether the host has what the test needs
   * @param what what that is, as in "needs root"; what only root has begins with "root"
   */
  public static void needs(boolean holds, String what) {
    if (!holds) {
      Assumptions.abort("needs " + what);
    }
  }

  /**
   * Skips the test if a program is missing.
   *
   * @param name the program's name
   * @return its path
   * @throws IllegalArgumentException if this class knows no Debian package that holds it
   */
  public static Path program(String name) {
    String debian = PACKAGES.get(name);
    if (debian == null) {
      throw new IllegalArgumentException("no Debian package is known here to hold " + name);
    }
    Path found = Processes.find(name).orElse(null);
    needs(found != null, "%s (package %s)".formatted(name, debian));
    return found;
  }

  /** Says whether a program is one of those that a host may lack. */
  static boolean isOptional(String program) {
    return PACKAGES.containsKey(program);
  }

  /** Skips the test if it does not run as root. */
  public static void root() throws IOException {
    needs(isRoot(), "root");
  }

  /**
   * Says whose rights this JVM has.
   *
   * @return true if they are those of root
   * @throws IOException if the host does not say
   */
  public static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  /**
   * Skips the test if it cannot run a program as the user nobody, which takes root.
   *
   * @return what to put before the program and its arguments
   * @throws IOException if the host does not say who runs the test
   */
  public static List<String> asNobody() throws IOException {
    root();
    String setpriv = program("setpriv").toString();
    return List.of(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups");
  }

  /**
   * Skips the test if it cannot mount in a namespace of its own.
   *
   * @return what to put before the program and its arguments
   * @throws IOException if trying fails
   */
  public static List<String> inMountNamespace() throws IOException {
    program("mount");
    String unshare = program("unshare").toString();
    Processes.Output tried = Processes.runAny(unshare, "-rm", "mount", "-t", "tmpfs", "none", "/");
    needs(
        tried.exit() == 0,
        "root or a kernel that gives users mount namespaces: " + tried.err().strip());
    return List.of(unshare, "-rm");
  }

  /** Skips the test if it cannot make and open device nodes where temporary files lie. */
  public static void deviceNodes() throws IOException {
    root();
    Path folder = Files.createTempDirectory("xip-node");
    Path node = folder.resolve("null");
    try {
      boolean made = Processes.runAny("mknod", node.toString(), "c", "1", "3").exit() == 0;
      needs(made && Files.isReadable(node), "root that may make device nodes");
      Files.newInputStream(node).close();
    } finally {
      Files.deleteIfExists(node);
      Files.delete(folder);
    }
  }

  /** Skips the test if the kernel cannot be asked to mount an ext2 image. */
  public static void loopMount() throws IOException {
    root();
    program("mount");
    Processes.Output free = Processes.runAny(program("losetup").toString(), "--find");
    needs(free.exit() == 0, "root with loop devices: " + free.err().strip());
    Path folder = Files.createTempDirectory("xip-probe");
    try {
      Path image = Images.ext2(Files.createDirectory(folder.resolve("tree")));
      Images.mounted(image, "ext4", root -> {});
    } catch (IOException e) {
      needs(false, "root that may loop mount ext2: " + e.getMessage());
    } finally {
      Folders.delete(folder);
    }
  }
}
