package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.testing.HardTree;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each call gives what the default provider gives on the kernel's mount of the same image: the same
 * result, or an exception of the same class or a narrower one.
 */
class ProviderJudgeTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int EXPRESSIONS = 3_000;
  private static final long LARGE = 20 << 20;
  private static final LinkOption[] FOLLOW = {};
  private static final LinkOption[] NOFOLLOW = {LinkOption.NOFOLLOW_LINKS};

  @TempDir Path folder;

  /** A file in one of the two file systems. */
  private record File(Path root, Path path) {
    /** A path below the root, as bytes. */
    static File of(Path root, FileName below) {
      if (root instanceof XipPath own) {
        FileName tidy = PathNames.tidy(below);
        return new File(root, tidy.hashCode() % 2 == 0 ? own.resolve(tidy) : byNames(own, tidy));
      }
      String uri = root.toUri().toString() + "/" + ImageUri.encoded(below);
      return new File(root, Path.of(URI.create(uri)));
    }

    /** Makes the path as a program does that goes down folder by folder. */
    private static XipPath byNames(XipPath root, FileName below) {
      XipPath at = root;
      for (FileName each : PathNames.names(below)) {
        at = at.resolve(each);
      }
      return at;
    }

    /** The bytes of a path below the root, in hex. */
    String below(Path path) {
      String uri = path.toUri().getRawSchemeSpecificPart().replaceFirst("/$", "");
      String from = root.toUri().getRawSchemeSpecificPart().replaceFirst("/$", "");
      return ImageUri.of("xip:file:/:" + uri.substring(from.length()) + "/").path() + "";
    }
  }

  /** A call of a program. */
  private interface Call {
    Object of(File file) throws IOException;
  }

  private static final Map<String, Call> CALLS = new LinkedHashMap<>();

  static {
    CALLS.put("exists", file -> Files.exists(file.path));
    CALLS.put("exists nofollow", file -> Files.exists(file.path, NOFOLLOW));
    CALLS.put("notExists", file -> Files.notExists(file.path));
    CALLS.put("isDirectory", file -> Files.isDirectory(file.path));
    CALLS.put("isRegularFile", file -> Files.isRegularFile(file.path));
    CALLS.put("isSymbolicLink", file -> Files.isSymbolicLink(file.path));
    CALLS.put("isReadable", file -> Files.isReadable(file.path));
    CALLS.put("isWritable", file -> isPlain(file) && Files.isWritable(file.path));
    CALLS.put("isExecutable", file -> Files.isExecutable(file.path));
    CALLS.put("isHidden", file -> Files.isHidden(file.path));
    CALLS.put("size", file -> Files.size(file.path));
    CALLS.put("modified", file -> Files.getLastModifiedTime(file.path));
    CALLS.put("permissions", file -> Files.getPosixFilePermissions(file.path));
    CALLS.put("basic", file -> named(file, "*", FOLLOW));
    CALLS.put("posix", file -> named(file, "posix:*", NOFOLLOW));
    CALLS.put("unix", file -> named(file, "unix:*", FOLLOW));
    CALLS.put("unix nofollow", file -> named(file, "unix:*", NOFOLLOW));
    CALLS.put("some", file -> named(file, "unix:mode,size,nlink", NOFOLLOW));
    CALLS.put("unknown view", file -> Files.readAttributes(file.path, "none:*"));
    CALLS.put("no view", file -> Files.readAttributes(file.path, ":size"));
    CALLS.put("unknown name", file -> Files.readAttributes(file.path, "basic:size,none"));
    CALLS.put("view", file -> view(file).lastModifiedTime());
    CALLS.put("link", file -> Files.readSymbolicLink(file.path).toString());
    CALLS.put("real", file -> file.below(file.path.toRealPath()));
    CALLS.put("real nofollow", file -> file.below(file.path.toRealPath(NOFOLLOW)));
    CALLS.put("list", ProviderJudgeTest::list);
    CALLS.put("same as itself", file -> Files.isSameFile(file.path, file.path.resolve(".")));
    CALLS.put("same as root", file -> Files.isSameFile(file.root, file.path));
    CALLS.put("attributes", ProviderJudgeTest::userAttributes);
    CALLS.put("bytes", ProviderJudgeTest::hash);
  }

  private static Object named(File file, String names, LinkOption... options) throws IOException {
    Map<String, Object> all = new TreeMap<>(Files.readAttributes(file.path, names, options));
    // Differ by nature: which device it is, and the names of users.
    List.of("dev", "fileKey", "owner", "group").forEach(all::remove);
    all.replaceAll((name, value) -> value + " " + value.getClass());
    return all.toString().replaceAll("class java.util.RegularEnumSet", "");
  }

  private static PosixFileAttributes view(File file) throws IOException {
    return Files.getFileAttributeView(file.path, PosixFileAttributeView.class, NOFOLLOW)
        .readAttributes();
  }

  private static Object list(File file) throws IOException {
    if (!isPlain(file)) {
      return "not opened";
    }
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(file.path)) {
      for (Path each : stream) {
        names.add(Arrays.toString(nameOf(each)));
      }
    }
    names.sort(null);
    return names;
  }

  private static byte[] nameOf(Path path) {
    return path instanceof XipPath own ? own.getFileName().bytes().bytes() : Trees.nameBytes(path);
  }

  private static boolean isPlain(File file) {
    return Files.notExists(file.path)
        || Files.isDirectory(file.path)
        || Files.isRegularFile(file.path);
  }

  private static Object userAttributes(File file) throws IOException {
    if (!isPlain(file)) {
      return "not opened";
    }
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(file.path, UserDefinedFileAttributeView.class);
    Map<String, String> all = new TreeMap<>();
    for (String each : view.list()) {
      byte[] value = (byte[]) Files.getAttribute(file.path, "user:" + each);
      all.put(each, view.size(each) + Arrays.toString(value));
    }
    return all;
  }

  private static Object hash(File file) throws IOException {
    boolean large = Files.isRegularFile(file.path) && Files.size(file.path) > LARGE;
    return isPlain(file) && !large ? Arrays.hashCode(Files.readAllBytes(file.path)) : "not opened";
  }

  /** The result of a call as text, or what it throws. */
  private static Object result(Call call, File file) {
    try {
      return String.valueOf(call.of(file));
    } catch (IOException | RuntimeException e) {
      return e;
    }
  }

  private static void requireSame(String call, File ours, File theirs) {
    Object own = result(CALLS.get(call), ours);
    Object host = result(CALLS.get(call), theirs);
    if (own.equals(host)) {
      return;
    }
    if (host instanceof Exception expected) {
      assertThat(own).as("%s of %s", call, theirs.path).isInstanceOf(expected.getClass());
    } else {
      assertThat(own).as("%s of %s", call, theirs.path).isEqualTo(host);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ext2", "ext4", "erofs"})
  void eachCallGivesWhatTheDefaultProviderGivesOnTheMount(String format) throws IOException {
    Judge.loopMount();
    System.err.println("ProviderJudgeTest: -Dxip.seed=" + SEED);
    Path tree = HardTree.make(folder.resolve("tree"));
    Trees.small(tree.resolve("small"));
    Files.delete(tree.resolve("small/sub/deeper/absolute"));
    Files.createSymbolicLink(tree.resolve("to-small"), Path.of("small/../small"));
    Files.createSymbolicLink(tree.resolve("small/to-sub"), Path.of("./sub//deeper"));
    Path image = image(format, tree);
    String driver = format.equals("erofs") ? "erofs" : "ext4";
    try (FileSystem own = FileSystems.newFileSystem(image)) {
      Images.mounted(image, driver, mount -> compare(own.getPath("/"), mount));
    }
  }

  private static Path image(String format, Path tree) throws IOException {
    Path image = tree.resolveSibling("judged.img");
    switch (format) {
      case "ext2" -> Images.ext2(tree, image, "-b", "4096");
      case "ext4" -> Images.ext("ext4", tree, image, "-b", "4096");
      default -> {
        // What mkfs.erofs 1.5 does not take, and 1 GB that it would write.
        Files.delete(tree.resolve("0".repeat(255)));
        Files.delete(tree.resolve("lost+found"));
        Files.delete(tree.resolve("deep"));
        Images.erofs(tree, image);
      }
    }
    return image;
  }

  private void compare(Path own, Path mount) throws IOException {
    Map<FileName, List<FileName>> names = new LinkedHashMap<>();
    collect(own, PathNames.EMPTY, names);
    assertThat(names).hasSizeGreaterThan(10);
    for (FileName each : all(names)) {
      CALLS.keySet().forEach(c -> requireSame(c, File.of(own, each), File.of(mount, each)));
    }
    Random random = new Random(SEED);
    String[] calls = CALLS.keySet().toArray(String[]::new);
    for (int i = 0; i < EXPRESSIONS; i++) {
      FileName expression = expression(random, names);
      String call = calls[random.nextInt(calls.length)];
      requireSame(call, File.of(own, expression), File.of(mount, expression));
    }
  }

  private static List<FileName> all(Map<FileName, List<FileName>> names) {
    List<FileName> all = new ArrayList<>(List.of(PathNames.EMPTY));
    names.forEach(
        (directory, inIt) -> inIt.forEach(name -> all.add(PathNames.resolve(directory, name))));
    return all;
  }

  /** Collects the names in each directory. */
  private static void collect(Path root, FileName at, Map<FileName, List<FileName>> names)
      throws IOException {
    List<FileName> here = new ArrayList<>();
    names.put(at, here);
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(File.of(root, at).path)) {
      for (Path each : stream) {
        here.add(((XipPath) each).getFileName().bytes());
      }
    }
    for (FileName each : here) {
      FileName below = PathNames.resolve(at, each);
      if (Files.isDirectory(File.of(root, below).path, NOFOLLOW)) {
        collect(root, below, names);
      }
    }
  }

  /** A path that goes up and down in the tree, and does not leave it. */
  private static FileName expression(Random random, Map<FileName, List<FileName>> names) {
    List<FileName> expression = new ArrayList<>();
    FileName at = PathNames.EMPTY;
    for (int i = random.nextInt(7); i > 0; i--) {
      int choice = random.nextInt(10);
      List<FileName> here = names.get(at);
      FileName next;
      if (choice == 0 && at.length() > 0) {
        next = PathNames.DOT_DOT;
        at = PathNames.normalize(PathNames.resolve(at, next));
      } else if (choice == 1) {
        next = PathNames.DOT;
      } else if (choice == 2 || here == null || here.isEmpty()) {
        next = FileName.of("n".repeat(1 + 254 * random.nextInt(3)));
        at = PathNames.resolve(at, next);
      } else {
        next = here.get(random.nextInt(here.size()));
        at = PathNames.resolve(at, next);
      }
      expression.add(next);
    }
    return PathNames.join(false, expression);
  }

  @Test
  void attributesSurviveACopyToTheDefaultFileSystem() throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    try (FileSystem own = FileSystems.newFileSystem(Images.ext2(tree))) {
      Path source = own.getPath("/indirect");
      Path copy = folder.resolve("copy");
      Files.copy(source, copy, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
      assertThat(Files.mismatch(copy, source)).isEqualTo(-1);
      assertThat(Files.getPosixFilePermissions(copy))
          .isEqualTo(Files.getPosixFilePermissions(source));
      assertThat(Files.getLastModifiedTime(copy)).isEqualTo(Files.getLastModifiedTime(source));
    }
  }
}
