package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.host.HostFile;
import dev.xip.host.OpenFolder;
import dev.xip.image.BlockMap;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.nio.NameBytes;
import dev.xip.testing.ToldAttributes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A tree as one reader sees it: for each path the facts about the file, by name. Trees of two
 * readers are compared by the facts that both can tell.
 */
final class SeenTree {
  /** Of a larger file only the bytes in no hole are digested, and both ends. */
  private static final long DIGESTED_WHOLE = 16 << 20;

  private static final int CHUNK = 1 << 16;
  private static final String USER = "user.";
  private static final Set<String> CONTENTS = Set.of("data", "bytes");
  private static final String RIGHTS = "rights";
  private static final FileName ACCESS_LIST = FileName.of("system.posix_acl_access");
  private static final FileName DEFAULT_ACCESS_LIST = FileName.of("system.posix_acl_default");

  /** A run of bytes that are in no hole. */
  record Run(long from, long end) {}

  /** Reads bytes of a file. */
  @FunctionalInterface
  private interface Reader {
    /** Fills the array from a position on; the file does not end before. */
    void read(long position, byte[] bytes, int count) throws IOException;
  }

  final SortedMap<FileName, Map<String, Object>> files = new TreeMap<>();

  /** The inode of each path, in any form that equals itself. */
  private final Map<FileName, Object> inodes = new HashMap<>();

  /** Files whose extents are not those of their bytes. */
  private final Set<FileName> compressed = new HashSet<>();

  /** Files whose bytes are refused. */
  private final Set<FileName> unread = new HashSet<>();

  /** Facts that the reader cannot tell, though its files have them. */
  private final Set<String> untold = new HashSet<>();

  /** Directories whose names this reader does not decode as the other one does. */
  final Set<FileName> encrypted = new HashSet<>();

  /** Whether directories may say other types than inodes. */
  private boolean damaged;

  SeenTree() {}

  /** Takes facts away that this reader does not know or changes. */
  SeenTree without(String... facts) {
    untold.addAll(List.of(facts));
    return this;
  }

  /** Begins the facts of a file. */
  Map<String, Object> add(FileName path, Object inode, int mode) {
    Map<String, Object> facts = new TreeMap<>();
    facts.put("mode", Integer.toOctalString(mode));
    files.put(path, facts);
    inodes.put(path, inode);
    return facts;
  }

  /** Asserts that ours has the files of a judge, and of each what the judge can tell. */
  static void assertSame(SeenTree ours, SeenTree judge) {
    ours.nameHardLinks();
    judge.nameHardLinks();
    List<String> differences = new ArrayList<>();
    Set<FileName> paths = new TreeSet<>(ours.files.keySet());
    paths.addAll(judge.files.keySet());
    paths.removeIf(path -> judge.encrypted.stream().anyMatch(each -> isBelow(each, path)));
    for (FileName path : paths) {
      Map<String, Object> told = ours.files.get(path);
      Map<String, Object> judged = judge.files.get(path);
      if (told == null || judged == null) {
        differences.add(path.exactText() + " is there for " + (told == null ? "the judge" : "us"));
        continue;
      }
      for (Map.Entry<String, Object> fact : judged.entrySet()) {
        Object here = told.get(fact.getKey());
        boolean same =
            judge.untold.contains(fact.getKey())
                || ours.untold.contains(fact.getKey())
                || ours.compressed.contains(path) && fact.getKey().equals("data")
                || ours.unread.contains(path) && CONTENTS.contains(fact.getKey())
                || fact.getValue().equals(here);
        if (!same) {
          differences.add(
              "%s of %s: %s, we read %s"
                  .formatted(fact.getKey(), path.exactText(), fact.getValue(), here));
        }
      }
    }
    assertThat(differences).isEmpty();
  }

  /** Adds the first path of each inode. */
  private void nameHardLinks() {
    Map<Object, FileName> first = new HashMap<>();
    files.forEach(
        (path, facts) -> {
          FileName same = first.putIfAbsent(inodes.get(path), path);
          facts.put("same file as", same == null ? "" : same.exactText());
        });
  }

  /** Reads an image with our own reader; every name that is listed is looked up as well. */
  static SeenTree of(FsImage image) throws IOException {
    return new SeenTree().read(image);
  }

  /** Reads an image whose directories may say another type than the inode, as damaged ones do. */
  static SeenTree ofDamaged(FsImage image) throws IOException {
    SeenTree tree = new SeenTree();
    tree.damaged = true;
    return tree.read(image);
  }

  private SeenTree read(FsImage image) throws IOException {
    TreeWalk.walk(image, image.root(), (walk, inode) -> add(image, walk.path(), inode));
    return this;
  }

  private void add(FsImage image, FileName path, Inode inode) throws IOException {
    Map<String, Object> facts = add(path, inode.number(), inode.mode());
    facts.put("owner", owner((int) inode.uid(), (int) inode.gid()));
    facts.put("links", (int) inode.links());
    facts.put("inode", inode.number());
    facts.put("sectors", inode.sectors());
    facts.put("device", inode.deviceMajor() + ":" + inode.deviceMinor());
    facts.put("modified", inode.modified());
    facts.put("accessed", inode.accessed());
    facts.put("changed", inode.changed());
    facts.put("created", inode.created() == null ? inode.modified() : inode.created());
    Map<FileName, byte[]> attributes = image.extendedAttributes(inode);
    putAttributes(facts, attributes);
    facts.put(
        RIGHTS,
        ListedRights.of(
            inode.mode(), attributes.get(ACCESS_LIST), attributes.get(DEFAULT_ACCESS_LIST)));
    facts.put("size", inode.size());
    switch (inode.type()) {
      case SYMLINK -> facts.put("target", image.readLink(inode).exactText());
      case DIRECTORY -> lookUp(image, inode);
      case REGULAR -> {
        BlockMap map = image.blockMap(inode);
        if (map.verdict() == Verdict.ENCRYPTED || map.verdict() == Verdict.VERITY) {
          unread.add(path);
          return;
        }
        FileContent content = FileContent.of(image, inode);
        List<Run> runs = runs(map, inode.size());
        if (map.verdict().isCompressed()) {
          compressed.add(path);
          runs = List.of(new Run(0, inode.size()));
        }
        facts.put("data", runs);
        facts.put(
            "bytes",
            digest(
                inode.size(),
                runs,
                (position, bytes, count) ->
                    assertThat(
                            content.read(position, MemorySegment.ofArray(bytes).asSlice(0, count)))
                        .isEqualTo(count)));
      }
      default -> {}
    }
  }

  private void lookUp(FsImage image, Inode directory) throws IOException {
    Map<FileName, Long> names = new HashMap<>();
    image.list(
        directory,
        (name, number, type) -> {
          assertThat(names.put(name, number)).as("%s before", name).isNull();
          if (!damaged) {
            assertThat(type).as("%s", name).isIn(image.inode(number).type(), FileType.UNKNOWN);
          }
          return true;
        });
    for (Map.Entry<FileName, Long> each : names.entrySet()) {
      assertThat(image.find(directory, each.getKey())).isEqualTo(each.getValue());
    }
    assertThat(image.find(directory, FileName.of("not there"))).isEqualTo(-1);
  }

  /** The parts of a file that extents cover, up to its end, neighbours merged. */
  private static List<Run> runs(BlockMap map, long size) {
    List<Run> runs = new ArrayList<>();
    for (int i = 0; i < map.extentCount() && map.extent(i).fileOffset() < size; i++) {
      long from = map.extent(i).fileOffset();
      long end = Math.min(size, map.extent(i).fileEnd());
      if (!runs.isEmpty() && runs.getLast().end() == from) {
        from = runs.removeLast().from();
      }
      runs.add(new Run(from, end));
    }
    return runs;
  }

  /**
   * Reads a mounted tree by the JDK, getfattr and getfacl; what they cannot tell, by system calls.
   */
  static SeenTree of(Path root) throws IOException {
    SeenTree tree = new SeenTree();
    try (OpenFolder folder = OpenFolder.open(root)) {
      tree.add(FileName.of(""), root);
      tree.addAll(folder, root, FileName.of(""));
    }
    tree.putAttributes(root);
    ToldAttributes.rights(root).forEach((path, told) -> tree.files.get(path).put(RIGHTS, told));
    return tree;
  }

  /** Replaces the attributes of all files by those that getfattr tells of the same tree. */
  SeenTree putAttributes(Path root) throws IOException {
    Map<FileName, SortedMap<FileName, String>> told = ToldAttributes.attributes(root);
    files.forEach((path, facts) -> putHex(facts, told.getOrDefault(path, new TreeMap<>())));
    return this;
  }

  private void addAll(OpenFolder folder, Path path, FileName above) throws IOException {
    for (FileName name : folder.names()) {
      Path here = Trees.child(path, name.bytes());
      FileName below = below(above, name);
      Map<String, Object> facts = add(below, here);
      if (Files.isSymbolicLink(here)) {
        facts.put("target", folder.readLink(name).exactText());
      } else if (Files.isDirectory(here, LinkOption.NOFOLLOW_LINKS)) {
        try (OpenFolder deeper = folder.folder(name)) {
          addAll(deeper, here, below);
        }
      } else if (Files.isRegularFile(here, LinkOption.NOFOLLOW_LINKS)) {
        addContents(facts, folder, name, here);
      }
    }
  }

  /**
   * Reads an image through its java.nio file system, which does not tell all attributes nor holes.
   *
   * @param root the root directory
   * @param known the same image; its holes say what of a large file is digested
   */
  static SeenTree of(Path root, SeenTree known) throws IOException {
    SeenTree tree = new SeenTree().without("attributes", "data", "sectors");
    tree.addProvided(root, FileName.of(""), known);
    return tree;
  }

  private void addProvided(Path path, FileName name, SeenTree known) throws IOException {
    BasicFileAttributes basic =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    Map<String, Object> facts = add(name, path);
    inodes.put(name, basic.fileKey());
    UserDefinedFileAttributeView view =
        Files.getFileAttributeView(
            path, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    Map<FileName, byte[]> attributes = new TreeMap<>();
    for (String each : view.list()) {
      ByteBuffer value = ByteBuffer.allocate(view.size(each));
      view.read(each, value);
      attributes.put(FileName.of(USER + each), value.array());
    }
    putAttributes(facts, attributes);
    facts.put(
        RIGHTS,
        ListedRights.of(
            Files.getFileAttributeView(path, AclFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .getAcl()));
    if (basic.isSymbolicLink()) {
      facts.put("target", NameBytes.of(Files.readSymbolicLink(path)).exactText());
    } else if (basic.isRegularFile()) {
      try (FileChannel channel = FileChannel.open(path)) {
        facts.put("bytes", digest(basic.size(), known.runs(name), reader(channel)));
      }
    } else if (basic.isDirectory()) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
        for (Path each : children) {
          addProvided(each, below(name, NameBytes.of(each.getFileName())), known);
        }
      }
    }
  }

  @SuppressWarnings("unchecked")
  private List<Run> runs(FileName path) {
    return (List<Run>) files.get(path).get("data");
  }

  private static Reader reader(FileChannel channel) {
    return (position, bytes, count) -> {
      ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
      while (buffer.hasRemaining()) {
        int read = channel.read(buffer, position + buffer.position());
        assertThat(read).as("bytes at %d", position).isPositive();
      }
    };
  }

  private static boolean isBelow(FileName above, FileName path) {
    byte[] begin = below(above, FileName.of("")).bytes();
    return path.length() > begin.length
        && Arrays.equals(begin, 0, begin.length, path.bytes(), 0, begin.length);
  }

  static FileName below(FileName above, FileName name) {
    if (above.length() == 0) {
      return name;
    }
    ByteBuffer path = ByteBuffer.allocate(above.length() + 1 + name.length());
    return FileName.of(path.put(above.bytes()).put((byte) '/').put(name.bytes()).array());
  }

  private Map<String, Object> add(FileName path, Path file) throws IOException {
    Map<String, Object> theirs = Files.readAttributes(file, "unix:*", LinkOption.NOFOLLOW_LINKS);
    Map<String, Object> facts = add(path, theirs.get("ino"), (int) theirs.get("mode"));
    facts.put("owner", owner((int) theirs.get("uid"), (int) theirs.get("gid")));
    facts.put("links", theirs.get("nlink"));
    facts.put("inode", theirs.get("ino"));
    long rdev = (long) theirs.get("rdev");
    facts.put("device", (rdev >> 8 & 0xfff) + ":" + (rdev & 0xff | rdev >> 12 & 0xfff00));
    facts.put("modified", ((FileTime) theirs.get("lastModifiedTime")).toInstant());
    facts.put("accessed", ((FileTime) theirs.get("lastAccessTime")).toInstant());
    facts.put("changed", ((FileTime) theirs.get("ctime")).toInstant());
    facts.put("created", ((FileTime) theirs.get("creationTime")).toInstant());
    facts.put("size", theirs.get("size"));
    return facts;
  }

  private static void addContents(
      Map<String, Object> facts, OpenFolder folder, FileName name, Path path) throws IOException {
    long size = (long) facts.get("size");
    List<Run> runs = new ArrayList<>();
    // Before anything is read: pages in the cache count as data.
    try (HostFile file = folder.openReadOnly(name)) {
      for (long at = file.nextData(0); at >= 0 && at < size; ) {
        long end = file.nextHole(at);
        runs.add(new Run(at, end));
        at = file.nextData(end);
      }
    }
    facts.put("data", runs);
    try (FileChannel channel = FileChannel.open(path)) {
      facts.put("bytes", digest(size, runs, reader(channel)));
    }
  }

  static String owner(int uid, int gid) {
    return Integer.toUnsignedString(uid) + ":" + Integer.toUnsignedString(gid);
  }

  /** Adds attributes by name, as hex, and those of users, which are all that java.nio tells. */
  static void putAttributes(Map<String, Object> facts, Map<FileName, byte[]> attributes) {
    Map<FileName, String> hex = new TreeMap<>();
    attributes.forEach((name, value) -> hex.put(name, HexFormat.of().formatHex(value)));
    putHex(facts, hex);
  }

  private static void putHex(Map<String, Object> facts, Map<FileName, String> attributes) {
    Map<String, String> all = new TreeMap<>();
    Map<String, String> users = new TreeMap<>();
    attributes.forEach(
        (name, value) -> {
          all.put(name.exactText(), value);
          if (name.exactText().startsWith(USER)) {
            users.put(name.exactText(), value);
          }
        });
    facts.put("attributes", all);
    facts.put("user attributes", users);
  }

  /** The SHA-256 of a file's bytes. */
  private static String digest(long size, List<Run> runs, Reader reader) throws IOException {
    MessageDigest digest = sha256();
    List<Run> parts = new ArrayList<>(runs);
    if (size <= DIGESTED_WHOLE) {
      parts = List.of(new Run(0, size));
    } else {
      parts.add(new Run(0, CHUNK));
      parts.add(new Run(size - CHUNK, size));
    }
    byte[] bytes = new byte[CHUNK];
    for (Run part : parts) {
      for (long at = part.from(); at < part.end(); at += CHUNK) {
        int count = (int) Math.min(CHUNK, part.end() - at);
        reader.read(at, bytes, count);
        digest.update(bytes, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** {@return the digest of a whole small file, as {@link #of} gives it} */
  static String digest(byte[] bytes) {
    return HexFormat.of().formatHex(sha256().digest(bytes));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
