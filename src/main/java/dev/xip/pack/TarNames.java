package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.pack.ext.NewFile;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/**
 * The names in a tar archive as tar(1) unpacks them: of two entries with one name the later counts,
 * and a hard link to the earlier keeps that one's bytes.
 */
final class TarNames {
  private static final int LONGEST_NAME = 255;
  private static final int LONGEST_PATH = 1 << 16;

  /**
   * Types of entries of GNU tar: the name of the archive, and the rest of a file of another one.
   */
  private static final byte VOLUME = 'V';

  private static final byte REST = 'M';

  private final FileName archive;
  private final PackOptions options;
  private final PackOptions.Exclusion exclusion;
  private final Node root = new Node(null, FileName.of(""));

  /** The files that are left out, by path: a hard link to one is a name that is not. */
  private final Map<List<FileName>, Stored> excluded = new HashMap<>();

  TarNames(FileName archive, PackOptions options) {
    this.archive = archive;
    this.options = options;
    this.exclusion = options.exclusion();
  }

  /** A file as one entry has it. */
  static final class Stored {
    private final Node node;
    private final TarArchiveEntry entry;
    private final TarRecords records;
    private final TarSparse bytes;
    private NewFile file;

    private Stored(Node node, TarArchiveEntry entry, TarRecords records, TarSparse bytes) {
      this.node = node;
      this.entry = entry;
      this.records = records;
      this.bytes = bytes;
    }

    private boolean isFolder() {
      return entry == null || entry.isDirectory();
    }

    /** Returns the first name of it. */
    Node node() {
      return node;
    }

    /** Returns the entry, null for a folder without one. */
    TarArchiveEntry entry() {
      return entry;
    }

    /** Returns its extended header, null for a folder without an entry. */
    TarRecords records() {
      return records;
    }

    /** Returns where its bytes are, null for a folder without an entry. */
    TarSparse bytes() {
      return bytes;
    }

    /** Returns what it has become, null before. */
    NewFile file() {
      return file;
    }

    /** Remembers what it has become. */
    void became(NewFile made) {
      file = made;
    }
  }

  /** A name in the archive, or a folder that only lies on the way to one. */
  static final class Node {
    /** The folder that holds it, null for the root. */
    private final Node parent;

    private final FileName name;

    /** What it names, null for a hard link to something that no entry before it has. */
    private Stored stored = new Stored(this, null, null, null);

    /** For such a link: the path of the file that it is another name of. */
    private FileName same;

    private final SortedMap<FileName, Node> children = new TreeMap<>();

    private Node(Node parent, FileName name) {
      this.parent = parent;
      this.name = name;
    }

    /** Returns the last name of its path. */
    FileName name() {
      return name;
    }

    /** Returns what it names, null for a hard link to something that no entry before it has. */
    Stored stored() {
      return stored;
    }

    /** Returns the names in this folder, in the order of their bytes. */
    Collection<Node> children() {
      return children.values();
    }

    boolean isFolder() {
      return stored != null && stored.isFolder();
    }

    /** Returns its path from the root on; made only for messages. */
    FileName path() {
      Deque<FileName> names = new ArrayDeque<>();
      for (Node at = this; at.parent != null; at = at.parent) {
        names.push(at.name);
      }
      ByteArrayOutputStream path = new ByteArrayOutputStream();
      for (FileName each : names) {
        if (path.size() > 0) {
          path.write('/');
        }
        path.writeBytes(each.bytes());
      }
      return FileName.of(path.toByteArray());
    }
  }

  /** Returns the folder that holds all. */
  Node root() {
    return root;
  }

  /** The bytes of a path of an entry: those of its records, else those of its header. */
  static FileName path(String inHeader, String key, TarRecords records) {
    byte[] bytes = records.get(key);
    return FileName.of(bytes == null ? inHeader.getBytes(StandardCharsets.ISO_8859_1) : bytes);
  }

  /**
   * Puts an entry into the tree.
   *
   * @param entry the entry
   * @param records its extended header
   * @param bytes where its bytes are
   * @throws FileSystemException if its place is none that a file can have
   */
  void put(TarArchiveEntry entry, TarRecords records, TarSparse bytes) throws FileSystemException {
    if (entry.getLinkFlag() == VOLUME) {
      return;
    }
    String key = records.get("GNU.sparse.name") != null ? "GNU.sparse.name" : "path";
    FileName path = path(entry.getName(), key, records);
    if (entry.getLinkFlag() == REST) {
      throw refused(path, "begins in another archive, of which this one is the continuation");
    }
    List<FileName> names = names(path);
    Node node = root;
    boolean isExcluded = false;
    for (FileName each : names) {
      if (!isExcluded && !node.isFolder()) {
        throw refused(path, "lies in something that is no folder");
      }
      Node folder = node;
      Node known = node.children.get(each);
      node = known == null ? new Node(folder, each) : known;
      isExcluded |= !options.excluded().isEmpty() && exclusion.covers(node.path());
      if (!isExcluded) {
        folder.children.put(each, node);
      }
    }
    FileName same = entry.isLink() ? path(entry.getLinkName(), "linkpath", records) : null;
    Stored file = same == null ? new Stored(node, entry, records, bytes) : known(names(same));
    if (isExcluded) {
      excluded.put(names, file);
      return;
    }
    if (!entry.isDirectory() && (node == root || !node.children.isEmpty())) {
      throw refused(path, "is a folder, and something else a second time");
    }
    node.stored = file;
    node.same = same;
  }

  /** The file that a path names so far, null if there is none. */
  private Stored known(List<FileName> path) {
    Node node = find(path);
    return node == null ? excluded.get(path) : node.stored;
  }

  private Node find(List<FileName> path) {
    Node node = root;
    for (FileName each : path) {
      node = node == null ? null : node.children.get(each);
    }
    return node;
  }

  /** Takes a path apart; a slash in front and names of one dot mean nothing. */
  private List<FileName> names(FileName path) throws FileSystemException {
    if (path.length() > LONGEST_PATH) {
      throw refused(path.part(0, LONGEST_NAME), "goes on for %d bytes".formatted(path.length()));
    }
    List<FileName> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length(); i++) {
      if (i < path.length() && path.at(i) == 0) {
        throw refused(path.part(0, i), "goes on with a NUL, which no name can hold");
      }
      if (i == path.length() || path.at(i) == '/') {
        FileName each = path.part(start, i);
        if (each.equals(FileName.of(".."))) {
          throw refused(path, "leads out of the archive");
        }
        if (each.length() > LONGEST_NAME) {
          throw refused(path, "has a name of more than %d bytes".formatted(LONGEST_NAME));
        }
        if (each.length() > 0 && !each.equals(FileName.of("."))) {
          names.add(each);
        }
        start = i + 1;
      }
    }
    return names;
  }

  /** Makes an exception about a path in the archive. */
  FileSystemException refused(FileName path, String reason) {
    return new FileSystemException("%s: %s".formatted(archive, path), null, reason);
  }

  /**
   * Returns the file that a name is one of.
   *
   * @param name the name
   * @throws FileSystemException if it is a hard link to no file
   */
  Stored fileOf(Node name) throws FileSystemException {
    return name.same == null ? name.stored : target(name);
  }

  private Stored target(Node link) throws FileSystemException {
    Set<Node> passed = new HashSet<>();
    Node node = link;
    Stored target = link.stored;
    while (target == null && node != null && passed.add(node)) {
      List<FileName> path = names(node.same);
      node = find(path);
      target = known(path);
    }
    if (target == null || target.isFolder()) {
      throw refused(
          link.path(), "is a link to %s, which is no file of the archive".formatted(link.same));
    }
    return target;
  }
}
