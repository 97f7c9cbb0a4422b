package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * Requirements of tests on the host, in addition to those of the build: programs that check our
 * results, root, loop devices. A test whose requirement is missing is skipped, and the build
 * reports it at its end with the Debian package to install.
 */
public final class Judge {
  private static final Map<String, String> PACKAGES = new HashMap<>();

  static {
    packaged("acl", "getfacl", "setfacl");
    packaged("attr", "getfattr", "setfattr");
    packaged("bash", "bash");
    packaged("binutils", "nm", "objdump", "readelf");
    packaged("bsdutils", "script");
    packaged("busybox-static", "busybox");
    packaged("chromium", "chromium");
    packaged("clang", "clang");
    packaged("e2fsprogs", "chattr", "debugfs", "dumpe2fs", "e2fsck", "filefrag", "lsattr");
    packaged("e2fsprogs", "resize2fs", "tune2fs");
    packaged("erofs-utils", "dump.erofs", "fsck.erofs", "mkfs.erofs");
    packaged("g++", "g++");
    packaged("gdb", "gdb");
    packaged("genext2fs", "genext2fs");
    packaged("groff-base", "groff");
    packaged("libcap2-bin", "getcap", "setcap");
    packaged("mmdebstrap", "mmdebstrap");
    packaged("pkgconf", "pkg-config");
    packaged("mount", "losetup", "mount", "umount");
    packaged("util-linux", "blkid", "partx", "wipefs");
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
   * @param holds whether the host meets the requirement
   * @param what the requirement, as in "needs root"; those that only root meets begin with "root"
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
   * @throws IllegalArgumentException if this class does not know its Debian package
   */
  public static Path program(String name) {
    String debian = PACKAGES.get(name);
    if (debian == null) {
      throw new IllegalArgumentException(name + ": no Debian package is known to contain it");
    }
    Path found = Processes.find(name).orElse(null);
    needs(found != null, "%s (package %s)".formatted(name, debian));
    return found;
  }

  /** {@return whether a program is one of those that a host may lack} */
  static boolean isOptional(String program) {
    return PACKAGES.containsKey(program);
  }

  /** Skips the test if it does not run as root. */
  public static void root() throws IOException {
    needs(isRoot(), "root");
  }

  /**
   * {@return whether this JVM runs as root}
   *
   * @throws IOException if that cannot be read
   */
  public static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  /**
   * Skips the test if it cannot run a program as the user nobody, which requires root.
   *
   * @return the words before the program and its arguments
   * @throws IOException if the user of this JVM cannot be read
   */
  public static List<String> asNobody() throws IOException {
    root();
    String setpriv = program("setpriv").toString();
    return List.of(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups");
  }

  /**
   * Skips the test if it cannot mount in a namespace of its own.
   *
   * @return the words before the program and its arguments
   * @throws IOException if the attempt fails
   */
  public static List<String> inMountNamespace() throws IOException {
    program("mount");
    String unshare = program("unshare").toString();
    String how = isRoot() ? "-m" : "-rm";
    Processes.Output tried = Processes.runAny(unshare, how, "mount", "-t", "tmpfs", "none", "/");
    needs(
        tried.exit() == 0,
        "root or a kernel that gives users mount namespaces: " + tried.err().strip());
    return List.of(unshare, how);
  }

  /** Skips the test if this host cannot run virtual processors. */
  public static void kvm() throws IOException {
    Path device = Path.of("/dev/kvm");
    needs(
        System.getProperty("os.arch").equals("amd64") && Files.exists(device),
        "%s on x86-64 (modprobe kvm_intel or kvm_amd)".formatted(device));
    needs(
        Files.isReadable(device) && Files.isWritable(device),
        "root, or the group kvm, to open " + device);
  }

  /** Skips the test if it cannot make and open device nodes in the folder for temporary files. */
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

  /** Skips the test if the kernel cannot mount an ext2 image. */
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
