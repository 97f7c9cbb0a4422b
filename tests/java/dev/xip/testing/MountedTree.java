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
    assertThat(ourAttributes(found)).isEqualTo(ToldAttributes.attributes(root));
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

  private SortedMap<FileName, SortedMap<FileName, String>> ourAttributes(Map<FileName, Inode> found)
      throws IOException {
    SortedMap<FileName, SortedMap<FileName, String>> all = new TreeMap<>();
    for (Map.Entry<FileName, Inode> each : found.entrySet()) {
      SortedMap<FileName, String> values = new TreeMap<>();
      image
          .extendedAttributes(each.getValue())
          .forEach((name, value) -> values.put(name, HexFormat.of().formatHex(value)));
      if (!values.isEmpty()) {
        all.put(each.getKey(), values);
      }
    }
    return all;
  }
}
