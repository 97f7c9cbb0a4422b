package dev.xip.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Compares an image as our reader sees it with its tree as the kernel mounts it. */
public final class MountedTree {
  private final FsImage image;
  private final Path root;

  /** How many files are refused because they are compressed with another algorithm than LZ4. */
  private int refused;

  private MountedTree(FsImage image, Path root) {
    this.image = image;
    this.root = root;
  }

  /**
   * Asserts that names, attributes, link targets, extended attributes and bytes are the same.
   *
   * @param image the image
   * @param root where the kernel mounted it
   * @return how many files our reader refused because their bytes must be decoded
   * @throws IOException if one of them cannot be read
   */
  public static int requireSame(FsImage image, Path root) throws IOException {
    return new MountedTree(image, root).compare();
  }

  private int compare() throws IOException {
    SortedMap<FileName, Inode> found = new TreeMap<>();
    TreeWalk.walk(image, image.root(), (walk, inode) -> found.put(walk.path(), inode));
    Set<FileName> names = new TreeSet<>();
    try (Stream<Path> all = Files.walk(root)) {
      all.forEach(each -> names.add(name(each)));
    }
    assertThat(found.keySet()).isEqualTo(names);
    Set<Long> read = new HashSet<>();
    for (Map.Entry<FileName, Inode> each : found.entrySet()) {
      Path file = each.getKey().length() == 0 ? root : Trees.child(root, each.getKey().bytes());
      attributes(each.getKey(), each.getValue(), file);
      if (each.getValue().type() == FileType.REGULAR && read.add(each.getValue().number())) {
        contents(each.getKey(), each.getValue(), file);
      }
    }
    assertThat(ourAttributes(found)).isEqualTo(theirAttributes());
    return refused;
  }

  private FileName name(Path path) {
    byte[] name = new byte[0];
    for (Path at = path; !at.equals(root); at = at.getParent()) {
      byte[] last = Trees.nameBytes(at);
      byte[] longer = Arrays.copyOf(last, last.length + (name.length > 0 ? 1 + name.length : 0));
      if (name.length > 0) {
        longer[last.length] = '/';
        System.arraycopy(name, 0, longer, last.length + 1, name.length);
      }
      name = longer;
    }
    return FileName.of(name);
  }

  private void attributes(FileName name, Inode inode, Path file) throws IOException {
    Map<String, Object> theirs = Files.readAttributes(file, "unix:*", LinkOption.NOFOLLOW_LINKS);
    assertThat(inode.mode()).as("mode of %s", name).isEqualTo(theirs.get("mode"));
    assertThat((int) inode.uid()).as("owner of %s", name).isEqualTo(theirs.get("uid"));
    assertThat((int) inode.gid()).as("group of %s", name).isEqualTo(theirs.get("gid"));
    assertThat((int) inode.links()).as("links of %s", name).isEqualTo(theirs.get("nlink"));
    assertThat(inode.number()).as("number of %s", name).isEqualTo(theirs.get("ino"));
    assertThat(inode.size()).as("size of %s", name).isEqualTo(theirs.get("size"));
    assertThat(inode.modified())
        .as("time of %s", name)
        .isEqualTo(((FileTime) theirs.get("lastModifiedTime")).toInstant());
    long device = (long) theirs.get("rdev");
    assertThat(inode.deviceMajor()).as("%s", name).isEqualTo((int) (device >>> 8 & 0xfff));
    assertThat(inode.deviceMinor())
        .as("%s", name)
        .isEqualTo((int) (device & 0xff | device >>> 12 & 0xfff00));
    if (inode.type() == FileType.SYMLINK) {
      assertThat(image.readLink(inode)).hasToString(Files.readSymbolicLink(file).toString());
    }
  }

  private void contents(FileName name, Inode inode, Path file) throws IOException {
    FileContent content;
    try {
      content = FileContent.of(image, inode);
    } catch (FileSystemException refusal) {
      Verdict verdict = image.blockMap(inode).verdict();
      assertThat(verdict.isReadable()).as("%s", refusal).isFalse();
      assertThat(refusal).hasMessageContaining(verdict.reason());
      assertThat(refusal).hasMessageContaining("only LZ4 is decoded");
      refused++;
      return;
    }
    byte[] theirs = new byte[100_003];
    byte[] ours = new byte[theirs.length];
    try (InputStream in = Files.newInputStream(file)) {
      for (long position = 0; ; ) {
        int count = in.readNBytes(theirs, 0, theirs.length);
        assertThat(content.read(position, MemorySegment.ofArray(ours))).isEqualTo(count);
        assertThat(Arrays.mismatch(ours, 0, count, theirs, 0, count))
            .as("%s behind 0x%x", name, position)
            .isEqualTo(-1);
        if (count < theirs.length) {
          break;
        }
        position += count;
      }
    }
  }

  private SortedMap<String, Set<String>> ourAttributes(Map<FileName, Inode> found)
      throws IOException {
    SortedMap<String, Set<String>> all = new TreeMap<>();
    for (Map.Entry<FileName, Inode> each : found.entrySet()) {
      Set<String> lines = new TreeSet<>();
      image
          .extendedAttributes(each.getValue())
          .forEach((name, value) -> lines.add(line(name.toString(), value)));
      if (!lines.isEmpty()) {
        String path = new String(each.getKey().bytes(), StandardCharsets.ISO_8859_1);
        all.put(path.isEmpty() ? "." : path, lines);
      }
    }
    return all;
  }

  private static String line(String name, byte[] value) {
    return name + "=0x" + HexFormat.of().formatHex(value);
  }

  private SortedMap<String, Set<String>> theirAttributes() throws IOException {
    SortedMap<String, Set<String>> all = new TreeMap<>();
    String dump =
        Processes.run(
                "sh",
                "-c",
                "cd \"$0\" && find . -print0 | xargs -0 getfattr -h -d -m - -e hex --",
                root.toString())
            .out();
    for (String file : dump.split("\n\n")) {
      String[] lines = file.strip().split("\n");
      if (lines.length > 1) {
        String path = unescaped(lines[0].substring("# file: ".length()));
        Set<String> values = new TreeSet<>();
        for (String each : Arrays.asList(lines).subList(1, lines.length)) {
          values.add(
              new String(
                  unescaped(each).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
        }
        all.put(path.replaceFirst("^\\./", ""), values);
      }
    }
    return all;
  }

  /** Getfattr writes some bytes of names as octal numbers. */
  private static String unescaped(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\\' && i + 3 < text.length()) {
        plain.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        plain.append(text.charAt(i));
      }
    }
    return plain.toString();
  }
}
