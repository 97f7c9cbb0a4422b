package dev.xip.mount;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A tree as debugfs sees it in an image of ext2, ext3 or ext4: the judge of users but root. */
final class DebugfsTree {
  /** Files that debugfs would write out with all their holes are judged by their extents. */
  private static final long DUMPED = 16 << 20;

  private static final int ROOT = 2;
  private static final int NAMED_USER = 2;
  private static final int NAMED_GROUP = 8;
  private static final int INLINE = 0x1000_0000;
  private static final int ENCRYPTED = 0x800;

  /** Parts of the format that debugfs shows among the attributes, and the kernel does not. */
  private static final Set<String> NO_ATTRIBUTES = Set.of("system.data", "c", "v");

  private static final Pattern ENTRY =
      Pattern.compile("/(\\d+)/(\\d{6})/(-?\\d+)/(-?\\d+)/([^/]*)/(\\d*)/\n");
  private static final Pattern ATTRIBUTE = Pattern.compile("(?md)^  (.+) \\((\\d+)\\)(?: = .*)?$");
  private static final Pattern BLOCKS =
      Pattern.compile("\\((\\d+)(?:-(\\d+))?(\\[u])?\\):(\\d+)(?:-\\d+)?");

  private static final Map<String, Pattern> FIELDS = new ConcurrentHashMap<>();

  private final Path image;
  private final int blockSize;
  private final SeenTree tree = new SeenTree();

  /** The paths of each inode, which all have the same facts. */
  private final Map<Integer, List<FileName>> inodes = new TreeMap<>();

  private DebugfsTree(Path image, int blockSize) {
    this.image = image;
    this.blockSize = blockSize;
  }

  /** Reads names, modes and inode numbers alone. */
  static SeenTree namesOf(Path image) throws IOException {
    DebugfsTree judge = new DebugfsTree(image, 0);
    judge.list();
    return judge.tree;
  }

  static SeenTree of(Path image, int blockSize, Path scratch) throws IOException {
    DebugfsTree judge = new DebugfsTree(image, blockSize);
    judge.list();
    List<Integer> numbers = List.copyOf(judge.inodes.keySet());
    List<String> answers = judge.ask(numbers.stream().map("stat <%d>"::formatted).toList());
    Map<Integer, Map<String, Object>> described = new TreeMap<>();
    for (int i = 0; i < numbers.size(); i++) {
      described.put(numbers.get(i), judge.described(answers.get(i)));
      if ((flags(answers.get(i)) & ENCRYPTED) != 0) {
        judge.tree.encrypted.addAll(judge.inodes.get(numbers.get(i)));
      }
    }
    judge.attributes(described, answers);
    judge.contents(described, scratch);
    described.forEach(
        (number, facts) ->
            judge.inodes.get(number).forEach(path -> judge.tree.files.get(path).putAll(facts)));
    return judge.tree;
  }

  /** Runs commands that each print an answer. */
  private List<String> ask(List<String> commands) throws IOException {
    if (commands.isEmpty()) {
      return List.of();
    }
    List<String> answers =
        Arrays.asList(Images.debugfs(image, commands).split("(?md)^debugfs: .*\n", -1));
    if (answers.size() != commands.size() + 1) {
      throw new IOException(
          "%d answers of debugfs to %d commands".formatted(answers.size() - 1, commands.size()));
    }
    return answers.subList(1, answers.size());
  }

  /** Lists level by level, all folders of a level by one process. */
  private void list() throws IOException {
    inodes.put(ROOT, List.of(FileName.of("")));
    Map<FileName, Integer> level = Map.of(FileName.of(""), ROOT);
    while (!level.isEmpty()) {
      Map<FileName, Integer> next = new TreeMap<>();
      List<FileName> folders = List.copyOf(level.keySet());
      Map<FileName, Integer> numbers = level;
      List<String> answers =
          ask(folders.stream().map(each -> "ls -l -p <%d>".formatted(numbers.get(each))).toList());
      for (int i = 0; i < folders.size(); i++) {
        addEntries(folders.get(i), answers.get(i) + "\n", next);
      }
      level = next;
    }
  }

  private void addEntries(FileName folder, String listing, Map<FileName, Integer> folders) {
    for (MatchResult entry : ENTRY.matcher(listing).results().toList()) {
      int inode = Integer.parseInt(entry.group(1));
      byte[] name = entry.group(5).getBytes(StandardCharsets.ISO_8859_1);
      int mode = Integer.parseInt(entry.group(2), 8);
      if (folder.length() == 0 && entry.group(5).equals(".")) {
        tree.add(FileName.of(""), ROOT, mode);
      }
      if (inode == 0 || entry.group(5).equals(".") || entry.group(5).equals("..")) {
        continue;
      }
      FileName path = SeenTree.below(folder, FileName.of(name));
      tree.add(path, inode, mode);
      inodes.computeIfAbsent(inode, _ -> new ArrayList<>()).add(path);
      if (FileType.ofMode(mode) == FileType.DIRECTORY) {
        folders.put(path, inode);
      }
    }
  }

  private Map<String, Object> described(String stat) {
    Map<String, Object> facts = new TreeMap<>();
    facts.put(
        "owner",
        SeenTree.owner(
            Integer.parseInt(field(stat, "^User: +(-?\\d+)")),
            Integer.parseInt(field(stat, "Group: +(-?\\d+)"))));
    facts.put("links", Integer.parseInt(field(stat, "^Links: (\\d+)")));
    facts.put("inode", Long.parseLong(field(stat, "^Inode: (\\d+)")));
    facts.put("sectors", Long.parseLong(field(stat, "Blockcount: (\\d+)")));
    facts.put("size", Long.parseLong(field(stat, "Size: (\\d+)")));
    facts.put("modified", time(stat, "mtime"));
    facts.put("accessed", time(stat, "atime"));
    facts.put("changed", time(stat, "ctime"));
    facts.put("created", time(stat, "crtime") == null ? time(stat, "mtime") : time(stat, "crtime"));
    String device = field(stat, "Device major/minor number: (\\d+:\\d+)");
    facts.put("device", device == null ? "0:0" : device.replaceAll("\\b0+(?=\\d)", ""));
    if ((flags(stat) & ENCRYPTED) != 0) {
      return facts;
    }
    if (field(stat, "^Fast link dest: \"(.*)\"") != null) {
      facts.put("target", field(stat, "^Fast link dest: \"(.*)\""));
    }
    if (field(stat, "Type: (regular) ") != null) {
      facts.put("data", runs(stat, (long) facts.get("size")));
    }
    return facts;
  }

  private static Instant time(String stat, String name) {
    String seconds = field(stat, "^ ?" + name + ": 0x([0-9a-f]+)");
    if (seconds == null) {
      return null;
    }
    String field = field(stat, "^ ?" + name + ": 0x[0-9a-f]+:([0-9a-f]+)");
    long extra = field == null ? 0 : Long.parseLong(field, 16);
    long epoch = (extra & 3) << 32;
    return Instant.ofEpochSecond(Integer.parseUnsignedInt(seconds, 16) + epoch, extra >> 2);
  }

  private static int flags(String stat) {
    return Integer.parseUnsignedInt(field(stat, "Flags: 0x([0-9a-f]+)"), 16);
  }

  /** The bytes that blocks hold which were written; those of inline data. */
  private List<SeenTree.Run> runs(String stat, long size) {
    List<SeenTree.Run> runs = new ArrayList<>();
    if ((flags(stat) & INLINE) != 0) {
      long inside = Long.parseLong(field(stat, "^Size of inline data: (\\d+)"));
      return size == 0 ? runs : List.of(new SeenTree.Run(0, Math.min(size, inside)));
    }
    for (MatchResult each : BLOCKS.matcher(stat).results().toList()) {
      long from = Long.parseLong(each.group(1)) * blockSize;
      long last = each.group(2) == null ? from : Long.parseLong(each.group(2)) * blockSize;
      long end = Math.min(size, last + blockSize);
      if (each.group(3) == null && from < size) {
        if (!runs.isEmpty() && runs.getLast().end() == from) {
          from = runs.removeLast().from();
        }
        runs.add(new SeenTree.Run(from, end));
      }
    }
    return runs;
  }

  private void attributes(Map<Integer, Map<String, Object>> described, List<String> stats)
      throws IOException {
    List<String> commands = new ArrayList<>();
    List<Map<FileName, byte[]>> targets = new ArrayList<>();
    List<FileName> names = new ArrayList<>();
    int next = 0;
    for (int number : described.keySet()) {
      Map<FileName, byte[]> attributes = new TreeMap<>();
      String stat = stats.get(next++);
      int list = stat.indexOf("Extended attributes:\n");
      Matcher each = ATTRIBUTE.matcher(list < 0 ? "" : stat.substring(list));
      while (each.find()) {
        FileName name = attributeName(each.group(1));
        if (!NO_ATTRIBUTES.contains(name.toString())) {
          commands.add("ea_get -x <%d> %s".formatted(number, name));
          targets.add(attributes);
          names.add(name);
        }
      }
      described.get(number).put("attributes", attributes);
    }
    List<String> answers = ask(commands);
    for (int i = 0; i < commands.size(); i++) {
      String value = answers.get(i).replaceFirst("(?s)^.*? \\(\\d+\\)(?: = )?", "");
      byte[] bytes = bytes(value);
      if (names.get(i).toString().startsWith("system.posix_acl_")) {
        markUnused(bytes);
      }
      targets.get(i).put(names.get(i), bytes);
    }
    described
        .values()
        .forEach(
            facts -> {
              @SuppressWarnings("unchecked")
              Map<FileName, byte[]> attributes = (Map<FileName, byte[]>) facts.get("attributes");
              SeenTree.putAttributes(facts, attributes);
            });
  }

  /** In entries of no named user or group debugfs shows the id 0, system calls -1. */
  private static void markUnused(byte[] list) {
    ByteBuffer entries = ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 4; at < list.length; at += 8) {
      int tag = entries.getShort(at);
      if (tag != NAMED_USER && tag != NAMED_GROUP) {
        entries.putInt(at + 4, -1);
      }
    }
  }

  /** A name with other characters than ASCII is printed as hexadecimal numbers. */
  private static FileName attributeName(String printed) {
    return printed.matches("(?:[0-9a-f]{2} )+")
        ? FileName.of(bytes(printed))
        : FileName.of(printed);
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
  }

  private void contents(Map<Integer, Map<String, Object>> described, Path scratch)
      throws IOException {
    List<String> commands = new ArrayList<>();
    Map<Integer, Path> dumped = new TreeMap<>();
    described.forEach(
        (number, facts) -> {
          Object mode = tree.files.get(inodes.get(number).getFirst()).get("mode");
          boolean link =
              mode.toString().startsWith("12")
                  && !facts.containsKey("target")
                  && !tree.encrypted.contains(inodes.get(number).getFirst());
          if (link || facts.containsKey("data") && (long) facts.get("size") <= DUMPED) {
            Path file = scratch.resolve("inode" + number);
            commands.add("dump <%d> \"%s\"".formatted(number, file));
            dumped.put(number, file);
          }
        });
    ask(commands);
    for (Map.Entry<Integer, Path> each : dumped.entrySet()) {
      Map<String, Object> facts = described.get(each.getKey());
      // Of inline data debugfs writes the whole space.
      byte[] bytes =
          Arrays.copyOf(
              Files.readAllBytes(each.getValue()), Math.toIntExact((long) facts.get("size")));
      Files.delete(each.getValue());
      if (facts.containsKey("data")) {
        facts.put("bytes", SeenTree.digest(bytes));
      } else {
        facts.put("target", FileName.of(bytes).exactText());
      }
    }
  }

  private static Pattern compiled(String pattern) {
    return Pattern.compile("(?md)" + pattern);
  }

  private static String field(String stat, String pattern) {
    Matcher matcher = FIELDS.computeIfAbsent(pattern, DebugfsTree::compiled).matcher(stat);
    return matcher.find() ? matcher.group(1) : null;
  }
}
