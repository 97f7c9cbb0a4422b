package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.Xip;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is loaded ahead is what a program needs that opens an image and maps a file. */
class AheadTest {
  private static final Pattern LOADED = Pattern.compile("(dev\\.xip\\.[\\w.$]+) source: ");
  private static final String FILE = "folder/file";

  @TempDir private Path dir;

  private Path ext4;

  /** The program. */
  static final class MapsFile {
    private MapsFile() {}

    public static void main(String[] arguments) throws IOException {
      try (Xip image = Xip.open(Path.of(arguments[0]));
          Arena arena = Arena.ofConfined()) {
        image.file(arguments[1]).map(arena);
      }
    }
  }

  /** The program, once it can start no thread. */
  static final class HasNoThreads {
    private HasNoThreads() {}

    public static void main(String[] arguments) throws Exception {
      // It waits until this JVM has started the thread that waits for it.
      String limit = "read end; prlimit --pid=$PPID --nproc=1";
      Process shell = Processes.builder("sh", "-c", limit).start();
      shell.getOutputStream().close();
      assertThat(shell.waitFor()).isZero();
      assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(new Thread(() -> {})::start);
      MapsFile.main(arguments);
    }
  }

  /** The program, in a class loader that tells which threads have asked it for a class. */
  static final class InALoader extends URLClassLoader {
    private final Set<String> threads = ConcurrentHashMap.newKeySet();

    private InALoader(URL[] places) {
      super(places, ClassLoader.getPlatformClassLoader());
    }

    public static void main(String[] arguments) throws Exception {
      List<URL> places = new ArrayList<>();
      for (Class<?> each : List.of(Xip.class, MapsFile.class)) {
        places.add(Jvm.placeOf(each).toUri().toURL());
      }
      try (InALoader loader = new InALoader(places.toArray(URL[]::new))) {
        Method main = loader.loadClass(MapsFile.class.getName()).getMethod("main", String[].class);
        main.setAccessible(true);
        main.invoke(null, (Object) arguments);
        System.out.print(loader.threads);
      }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      threads.add(Thread.currentThread().getName());
      return super.findClass(name);
    }
  }

  /** A program that begins to load, and waits for the end of that. */
  static final class Begins {
    private Begins() {}

    public static void main(String[] none) throws InterruptedException {
      Ahead.begin();
      for (Thread each : Thread.getAllStackTraces().keySet()) {
        if (each.getName().equals("xip-ahead")) {
          each.join();
        }
      }
    }
  }

  @BeforeEach
  void pack() throws IOException {
    Path tree = dir.resolve("tree");
    Path file = tree.resolve(FILE);
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[] {42});
    ext4 = Images.ext("ext4", tree, dir.resolve("ext4.img"), "-b", "4096");
  }

  /** What the JVM of the program tells of its classes, with so many processors. */
  private static String log(String what, int processors, Path image) throws IOException {
    List<String> command = new ArrayList<>(Jvm.command(MapsFile.class, image.toString(), FILE));
    command.addAll(1, List.of("-Xlog:" + what, "-XX:ActiveProcessorCount=" + processors));
    return Processes.run(command.toArray(String[]::new)).out();
  }

  /** The project's classes that the program loads behind {@link Ahead}, on one processor. */
  private static Set<String> needed(Path image) throws IOException {
    Set<String> classes = new LinkedHashSet<>();
    Matcher each = LOADED.matcher(log("class+load", 1, image));
    while (each.find()) {
      if (each.group(1).equals(Ahead.class.getName())) {
        classes.clear();
      } else if (!each.group(1).contains("$$")) {
        classes.add(each.group(1));
      }
    }
    return classes;
  }

  @Test
  void allThatIsNeededForOneOfTheFormatsIsLoadedAheadAndNothingElse() throws IOException {
    Judge.program("mkfs.erofs");
    Set<String> needed = new TreeSet<>(needed(ext4));
    needed.addAll(
        needed(Images.erofs(dir.resolve("tree"), dir.resolve("erofs.img"), "-Enoinline_data")));
    assertThat(Arrays.stream(Ahead.CLASSES).map(each -> "dev.xip." + each))
        .doesNotHaveDuplicates()
        .containsExactlyInAnyOrderElementsOf(needed);
  }

  @Test
  void theSecondThreadLoadsThemAll() throws IOException {
    List<String> command = new ArrayList<>(Jvm.command(Begins.class));
    command.addAll(1, List.of("-Xlog:class+load", "-XX:ActiveProcessorCount=2"));
    String log = Processes.run(command.toArray(String[]::new)).out();
    assertThat(LOADED.matcher(log).results().map(each -> each.group(1)))
        .containsAll(Arrays.stream(Ahead.CLASSES).map(each -> "dev.xip." + each).toList());
  }

  @Test
  void theSecondThreadInitialisesNothing() throws IOException {
    String log = log("class+init", 2, ext4);
    assertThat(log).contains("'dev/xip/mount/Ahead'").contains("by thread \"main\"");
    assertThat(log.lines().filter(line -> line.contains("xip-ahead"))).isEmpty();
  }

  @Test
  void anImageIsOpenedWhereNoThreadCanBeStarted() throws IOException {
    List<String> command = new ArrayList<>();
    if (Judge.isRoot()) {
      // The system does not limit root.
      command.addAll(Judge.asNobody());
      command.addAll(List.of("--inh-caps=+dac_override", "--ambient-caps=+dac_override"));
    }
    Judge.program("prlimit");
    int java = command.size();
    command.addAll(Jvm.command(HasNoThreads.class, ext4.toString(), FILE));
    command.add(java + 1, "-XX:ActiveProcessorCount=2");
    Processes.Output output = Processes.runAny(command.toArray(String[]::new));
    assertThat(output.err()).isEmpty();
    assertThat(output.exit()).isZero();
  }

  @Test
  void noClassLoaderIsAskedByTheSecondThreadButThatOfTheApplication() throws IOException {
    List<String> command = new ArrayList<>(Jvm.command(InALoader.class, ext4.toString(), FILE));
    command.add(1, "-XX:ActiveProcessorCount=2");
    assertThat(Processes.run(command.toArray(String[]::new)).out()).isEqualTo("[main]");
  }
}
