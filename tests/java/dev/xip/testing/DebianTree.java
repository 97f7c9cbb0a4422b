package dev.xip.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** Debian's own programs in a folder, made by mmdebstrap from the mirror that this host uses. */
public final class DebianTree implements AutoCloseable {
  private static final List<String> PACKAGES =
      List.of(
          "dash,bash,coreutils,grep,sed,gawk,findutils,tar,gzip,xz-utils,bzip2",
          "perl,python3,sqlite3,gcc,g++,libc6-dev,make");

  /** The tree, an image of it, and what programs write in the image and under chroot. */
  private static final long BYTES = 3L << 30;

  private final Path folder;

  private DebianTree(Path folder) {
    this.folder = folder;
  }

  /** {@return the tree} */
  public Path path() {
    return folder.resolve("debian");
  }

  /**
   * Returns the one tree of this JVM, which is made for the first test that asks. The test is
   * skipped if this host cannot make it.
   *
   * @param context the test, which does not change the tree
   * @return the tree
   */
  public static DebianTree of(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(Namespace.create(DebianTree.class))
        .getOrComputeIfAbsent("tree", _ -> make(), DebianTree.class);
  }

  private static DebianTree make() {
    try {
      Judge.root();
      DebianTree made = new DebianTree(Files.createTempDirectory("xip-debian"));
      boolean whole = false;
      try {
        long free = Files.getFileStore(made.folder).getUsableSpace();
        Judge.needs(free >= BYTES, "3 GiB in %s: found %d MiB".formatted(made.folder, free >> 20));
        String packages = "--include=" + String.join(",", PACKAGES);
        mmdebstrap(made.path(), "--quiet", "--variant=essential", packages);
        whole = true;
        return made;
      } finally {
        if (!whole) {
          made.close();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Runs mmdebstrap with the mirror that this host uses. The test is skipped if this host cannot.
   *
   * @param target the folder or image to make
   * @param options its options
   * @throws IOException if it cannot be run
   */
  public static void mmdebstrap(Path target, String... options) throws IOException {
    Judge.root();
    String suite = suite();
    // If it fails to make an image it sends SIGHUP to its process group.
    List<String> command = new ArrayList<>(List.of("setsid", "--wait"));
    command.add(Judge.program("mmdebstrap").toString());
    command.addAll(List.of(options));
    command.addAll(List.of(suite, target.toString(), mirror(suite)));
    Processes.Output made = Processes.runAny(command.toArray(String[]::new));
    Judge.needs(
        made.exit() == 0, "Debian's packages over the network: mmdebstrap: " + made.err().strip());
  }

  @Override
  public void close() throws IOException {
    Folders.delete(folder);
  }

  /**
   * Downloads a package's source, as its authors have published it, to the tree's folder /usr/src.
   * The test is skipped if this host cannot.
   *
   * @param binary a package in the tree; the source is that of the same version
   * @throws IOException if it cannot be written
   */
  public void addSource(String binary) throws IOException {
    String[] source =
        Processes.run(
                "chroot",
                path().toString(),
                "dpkg-query",
                "--show",
                "--showformat=${source:Package} ${source:Version}",
                binary)
            .out()
            .split(" ");
    source(source[0], source[1], path().resolve("usr/src"));
  }

  /**
   * Downloads the source of a package that this host has, as its authors have published it. The
   * test is skipped if this host cannot.
   *
   * @param binary the package
   * @param folder the folder to write it to
   * @return the archive
   * @throws IOException if it cannot be written
   */
  public static Path sourceOfHost(String binary, Path folder) throws IOException {
    suite();
    Processes.Output asked =
        Processes.runAny(
            "dpkg-query", "--show", "--showformat=${source:Package} ${source:Version}", binary);
    Judge.needs(asked.exit() == 0, "the package " + binary);
    String[] source = asked.out().split(" ");
    return source(source[0], source[1], folder);
  }

  private static Path source(String name, String debianVersion, Path folder) throws IOException {
    String version = debianVersion.replaceFirst("^[0-9]+:", "");
    String pool = "%spool/main/%s/%s/".formatted(mirror(suite()), name.substring(0, 1), name);
    Path description = folder.resolve(name + ".dsc");
    download("%s%s_%s.dsc".formatted(pool, name, version), description);
    String[] archive =
        Files.readString(description)
            .lines()
            .dropWhile(line -> !line.startsWith("Checksums-Sha256:"))
            .filter(line -> line.matches(".*\\.orig\\.tar\\.[a-z0-9]+"))
            .findFirst()
            .orElseThrow()
            .strip()
            .split(" ");
    Path to = folder.resolve(archive[2]);
    download(pool + archive[2], to, "SHA256:" + archive[0]);
    return to;
  }

  private static void download(String url, Path to, String... hash) throws IOException {
    List<String> command = new ArrayList<>(List.of("/usr/lib/apt/apt-helper", "download-file"));
    command.addAll(List.of(url, to.toString()));
    command.addAll(List.of(hash));
    Processes.Output done = Processes.runAny(command.toArray(String[]::new));
    Judge.needs(done.exit() == 0, "%s over the network: %s".formatted(url, done.err().strip()));
  }

  private static String suite() throws IOException {
    Properties release = new Properties();
    try (var reader = Files.newBufferedReader(Path.of("/etc/os-release"))) {
      release.load(reader);
    }
    Judge.needs("debian".equals(release.getProperty("ID")), "a Debian host");
    return release.getProperty("VERSION_CODENAME");
  }

  /** The first source of the suite that apt knows. */
  private static String mirror(String suite) throws IOException {
    String found =
        Processes.run("apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)")
            .out()
            .lines()
            .filter(line -> line.startsWith(suite + " main "))
            .findFirst()
            .orElse(null);
    Judge.needs(found != null, "a source of %s in /etc/apt".formatted(suite));
    return found.substring(found.lastIndexOf(' ') + 1);
  }
}
