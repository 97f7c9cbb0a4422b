package dev.xip.scenario;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.host.HostPaths;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.mapping.Mappable;
import dev.xip.mount.ImageSource;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.PageTableDump;
import dev.xip.vm.SpaceMaps;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A script of operations on address spaces that map files of an image, one step a line. For
 * diagnostics it shows the mappings and page tables that the steps leave. For one thread.
 *
 * <pre>
 * space NAME                            a new address space
 * map NAME LABEL PATH RIGHTS            a file of the image; RIGHTS as in rw-p or r--s
 * anon NAME LABEL PAGES RIGHTS          anonymous memory
 * read NAME LABEL OFFSET LENGTH         touches every page of the range
 * write NAME LABEL OFFSET TEXT          stores the text
 * fork NAME CHILD                       the child has the parent's labels
 * protect NAME LABEL RIGHTS             mprotect of the whole mapping
 * unmap NAME LABEL
 * exit NAME
 * </pre>
 */
public final class Scenario implements AutoCloseable {
  private final Machine machine;
  private final MemoryManager manager;
  private final FsImage image;
  private final Opener opener;

  /** What is unusual about where the image lies. */
  private final List<String> warnings;

  private final Map<String, Space> spaces = new LinkedHashMap<>();

  /** An address space with the labels of its mappings. */
  private record Space(AddressSpace space, Map<String, AddrRange> labels) {}

  /** Opens files of the image in place. */
  private interface Opener {
    InPlaceFile open(String name, Inode inode) throws IOException;
  }

  private Scenario(Machine machine, FsImage image, Opener opener, List<String> warnings) {
    this.machine = machine;
    this.manager = machine.memoryManager();
    this.image = image;
    this.opener = opener;
    this.warnings = warnings;
  }

  /**
   * Boots a machine with an image at a physical address.
   *
   * @param image where the image lies, which is only read
   * @return the scenario, before its first step
   * @throws IOException if the image cannot be mapped or read
   */
  public static Scenario on(ImageSource image) throws IOException {
    MachineConfig config = MachineConfig.DEFAULT.withWindow(ImageRegion.windowFor(image));
    Machine machine = Machine.boot(config);
    try {
      ImageRegion region = ImageRegion.map(image, machine.memory());
      return new Scenario(machine, region.image(), region::open, region.warnings());
    } catch (IOException | RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  /**
   * Boots a machine with an image in adjacent segments.
   *
   * @param segments their names
   * @param store where the segments are
   * @return the scenario, before its first step
   * @throws IOException if the segments cannot be loaded, or hold no image that is read
   */
  public static Scenario on(List<SegmentName> segments, SegmentStore store) throws IOException {
    Machine machine = Machine.boot(MachineConfig.DEFAULT, store);
    try {
      Mount mount = machine.mount(segments.toArray(SegmentName[]::new));
      return new Scenario(machine, mount.image(), mount::open, List.of());
    } catch (IOException | RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  /** {@return what is unusual about where the image lies but does not keep it from being read} */
  public List<String> warnings() {
    return warnings;
  }

  /**
   * Returns steps that show every kind of entry: they map the largest file of the image shared and
   * private, touch and write it, fork, and write again.
   *
   * @return the steps, as {@link #run} takes them
   * @throws IOException if the image has no file with bytes, or none whose path a step can hold
   */
  public List<String> example() throws IOException {
    String path = largestFile();
    long touched = Math.min(file(path).size(), 4 * Pages.SIZE);
    return """
    # A process maps the largest file of the image, touches and changes it, and forks.
    space parent
    map parent text %1$s r-xp
    map parent data %1$s rw-p
    map parent shared %1$s r--s
    anon parent heap 4 rw-p
    read parent text 0 %2$d
    read parent shared 0 %2$d
    read parent heap 0 1
    write parent data 0 copied-on-write
    write parent heap 4096 hello
    fork parent child
    write child data 0 the-child's-own
    read child text 0 1
    """
        .formatted(path, touched)
        .lines()
        .toList();
  }

  /**
   * Performs steps.
   *
   * @param lines one step each; empty lines and those that begin with # are skipped
   * @throws IOException with the line number, if a step is malformed or fails; the steps before it
   *     remain in effect
   */
  public void run(List<String> lines) throws IOException {
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      try {
        perform(line.split("\\s+"));
      } catch (IOException | IllegalArgumentException e) {
        throw new IOException("line %d, %s: %s".formatted(i + 1, line, e.getMessage()), e);
      }
    }
  }

  private void perform(String... words) throws IOException {
    switch (words[0]) {
      case "space" -> add(named(words, 2), manager.newAddressSpace(words[1]), Map.of());
      case "map" -> map(words, file(named(words, 5)[3]));
      case "anon" -> map(words, null);
      case "read" -> read(named(words, 5));
      case "write" -> write(named(words, 5));
      case "fork" -> {
        Space parent = space(named(words, 3));
        add(new String[] {"space", words[2]}, parent.space.fork(words[2]), parent.labels);
      }
      case "protect" -> space(words).space.protect(range(named(words, 4)), access(words[3]));
      case "unmap" -> {
        space(words).space.unmap(range(named(words, 3)));
        space(words).labels.remove(words[2]);
      }
      case "exit" -> {
        space(named(words, 2)).space.close();
        spaces.remove(words[1]);
      }
      default -> throw new IllegalArgumentException("expected a step, found " + words[0]);
    }
  }

  private static String[] named(String[] words, int count) {
    if (words.length != count) {
      throw new IllegalArgumentException(
          "expected %d words after %s, found %d".formatted(count - 1, words[0], words.length - 1));
    }
    return words;
  }

  private void add(String[] words, AddressSpace space, Map<String, AddrRange> labels) {
    if (spaces.putIfAbsent(words[1], new Space(space, new HashMap<>(labels))) != null) {
      space.close();
      throw new IllegalArgumentException(
          "expected a new name, found " + words[1] + ", which is in use");
    }
  }

  private Space space(String[] words) {
    Space space = words.length > 1 ? spaces.get(words[1]) : null;
    if (space == null) {
      throw new IllegalArgumentException("expected the name of an address space");
    }
    return space;
  }

  private AddrRange range(String[] words) {
    AddrRange range = space(words).labels.get(words[2]);
    if (range == null) {
      throw new IllegalArgumentException("expected the label of a mapping, found " + words[2]);
    }
    return range;
  }

  private Mappable file(String path) throws IOException {
    return opener.open(path, PathResolver.resolve(image, path, true));
  }

  private void map(String[] words, Mappable file) throws IOException {
    Space space = space(named(words, 5));
    String rights = words[4];
    boolean shared = rights.endsWith("s");
    MapRequest request;
    if (file == null) {
      request = MapRequest.anonymous(number(words[3]) << Pages.SHIFT, access(rights));
    } else {
      request =
          shared
              ? MapRequest.shared(file, access(rights))
              : MapRequest.privately(file, access(rights));
    }
    space.labels.put(words[2], space.space.map(request));
  }

  private static Access access(String rights) {
    if (!rights.matches("[r-][w-][x-][ps]?")) {
      throw new IllegalArgumentException("expected rights such as rw-p, found " + rights);
    }
    return new Access(rights.charAt(0) == 'r', rights.charAt(1) == 'w', rights.charAt(2) == 'x');
  }

  private static long number(String text) {
    try {
      return Long.decode(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("expected a number, found " + text, e);
    }
  }

  private void read(String[] words) throws IOException {
    AddressReader reader = new AddressReader(space(words).space);
    long start = range(words).start() + number(words[3]);
    for (long offset = 0; offset < number(words[4]); offset += Pages.SIZE) {
      reader.getByte(start + offset);
    }
  }

  private void write(String[] words) throws IOException {
    byte[] text = words[4].getBytes(StandardCharsets.UTF_8);
    new AddressWriter(space(words).space)
        .copy(MemorySegment.ofArray(text), 0, range(words).start() + number(words[3]), text.length);
  }

  /**
   * Prints the mappings of every address space as /proc/PID/smaps does.
   *
   * @return a heading and the mappings for each space, in the order of creation
   */
  public String maps() {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, Space> each : spaces.entrySet()) {
      text.append("== %s%n".formatted(each.getKey()));
      text.append(SpaceMaps.smaps(each.getValue().space));
    }
    return text.toString();
  }

  /**
   * Prints the page table of every address space.
   *
   * @return a heading and the entries for each space, in the order of creation
   */
  public String pageTables() {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<String, Space> each : spaces.entrySet()) {
      text.append("== %s%n".formatted(each.getKey()));
      text.append(PageTableDump.of(each.getValue().space));
    }
    return text.toString();
  }

  private String largestFile() throws IOException {
    List<String> largest = new ArrayList<>();
    long[] size = {0};
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          if (inode.type() == FileType.REGULAR && inode.size() > size[0]) {
            String path = walk.path().exactText();
            if (path.chars().noneMatch(Character::isWhitespace)) { // it is one word of a step
              size[0] = inode.size();
              largest.clear();
              largest.add("/" + path);
            }
          }
        });
    if (largest.isEmpty()) {
      throw new IOException(
          image.name() + ": expected a file with bytes and no blank in its path, found none");
    }
    return largest.getFirst();
  }

  /**
   * Reads the steps of a file.
   *
   * @param script a text file in UTF-8; names in it may hold other bytes
   * @return its lines, with those bytes as {@link FileName#exactText} has them
   * @throws IOException if it cannot be read
   */
  public static List<String> script(Path script) throws IOException {
    if (Files.isDirectory(script)) {
      // The JDK's message lacks the file name.
      throw new FileSystemException(HostPaths.text(script), null, "Is a directory");
    }
    return FileName.of(Files.readAllBytes(script)).exactText().lines().toList();
  }

  /**
   * Closes all address spaces and releases the window.
   *
   * @throws SegmentException if a segment cannot be unloaded
   */
  @Override
  public void close() throws SegmentException {
    spaces.values().forEach(each -> each.space.close());
    machine.close();
  }
}
