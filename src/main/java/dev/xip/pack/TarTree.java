package dev.xip.pack;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.disk.Contents;
import dev.xip.host.HostPaths;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.pack.ext.NewFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveStructSparse;

/**
 * The files of a tar archive, to become an image. Of two entries with one name the later counts. A
 * folder that has no entry belongs to root and may be read by all.
 */
final class TarTree extends PackTree {
  private static final int BLOCK = 512;
  private static final int RECORD = 512;
  private static final int LONGEST_NAME = 255;
  private static final int LONGEST_PATH = 1 << 16;

  /** The names of attributes begin with it; the values are those of getxattr(2). */
  private static final String ATTRIBUTE = "SCHILY.xattr.";

  /** The names of access control lists as text, which are not kept, begin with it. */
  private static final String TEXT_ACL = "SCHILY.acl.";

  private final FileName name;
  private final PackOptions options;
  private final PackOptions.Exclusion exclusion;
  private final TarInodes inodes;
  private final FileChannel channel;
  private final long size;
  private final Node root = new Node(null, FileName.of(""));
  private final Map<NewFile, Node> origins = new HashMap<>();

  /** A name in the archive, or a folder that only lies on the way to one. */
  private static final class Node {
    /** The folder that holds it, null for the root. */
    private final Node parent;

    private final FileName name;

    /** Null for a folder without an entry. */
    private TarArchiveEntry entry;

    private TarRecords records;

    /** Where its bytes begin in the archive. */
    private long stored;

    /** For a hard link: the path of the file that it is another name of. */
    private FileName same;

    private final SortedMap<FileName, Node> children = new TreeMap<>();

    /** What it has become. */
    private NewFile file;

    Node(Node parent, FileName name) {
      this.parent = parent;
      this.name = name;
    }

    boolean isFolder() {
      return entry == null || entry.isDirectory();
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

  private TarTree(Path file, FileChannel channel, PackOptions options) throws IOException {
    this.name = HostPaths.nameOf(file);
    this.options = options;
    this.exclusion = options.exclusion();
    this.inodes = new TarInodes(options);
    this.channel = channel;
    this.size = channel.size();
  }

  /**
   * Reads what is in an archive, but not the contents of files.
   *
   * @param file the archive, not compressed
   * @param options what to leave out, and whose the files are to be
   * @return the tree, to be closed
   * @throws FileSystemException if it is no whole archive, or has what cannot be in an image
   */
  static TarTree look(Path file, PackOptions options) throws IOException {
    FileChannel channel = FileChannel.open(file);
    try {
      demandPlain(file, channel);
      TarTree tree = new TarTree(file, channel, options);
      tree.read();
      return tree;
    } catch (FileSystemException e) {
      channel.close();
      throw e;
    } catch (IOException | RuntimeException e) {
      channel.close();
      // The library has no exception of its own for damage.
      throw refused(file, "is no whole tar archive that can be packed: " + e.getMessage(), e);
    }
  }

  private static void demandPlain(Path file, FileChannel channel) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(BLOCK);
    channel.read(start, 0);
    byte[] bytes = Arrays.copyOf(start.array(), start.position());
    ByteView view =
        new ByteView(
            MemorySegment.ofArray(bytes), HostPaths.text(file), CorruptImageException::new);
    List<Contents> contents = Contents.of(view);
    if (!contents.isEmpty() && contents.getFirst().at() == 0) {
      Contents found = contents.getFirst();
      throw new FileSystemException(
          view.file(),
          null,
          "expected a tar archive, found %s; %s"
              .formatted(found.name(), found.adviceFor(view.file())));
    }
  }

  private static FileSystemException refused(Path file, String reason, Exception cause) {
    FileSystemException refused = new FileSystemException(HostPaths.text(file), null, reason);
    refused.initCause(cause);
    return refused;
  }

  /**
   * Reads the entries. The library reads the stream without a buffer, so the channel stands at the
   * bytes of an entry when it has returned it.
   */
  private void read() throws IOException {
    // As Latin-1 a name keeps its bytes. Not closed, which would close the channel.
    TarArchiveInputStream tar =
        new TarArchiveInputStream(
            Channels.newInputStream(channel), BLOCK, RECORD, "ISO-8859-1", false);
    long end = 0;
    for (TarArchiveEntry each; (each = tar.getNextEntry()) != null; ) {
      long stored = channel.position();
      TarRecords records = TarRecords.before(channel, end);
      // In one form the map of a sparse file is a part of its bytes.
      long start = each.isPaxGNU1XSparse() ? records.headerEnd() : stored;
      end = start + Math.ceilDiv(each.getSize(), BLOCK) * (long) BLOCK;
      if (end < start || end > size) {
        throw new IOException("%s ends behind the archive".formatted(each.getName()));
      }
      put(each, records, stored);
    }
    if (end == 0) {
      throw new IOException("it has no files");
    }
    build();
  }

  /** The bytes of a path of an entry: those of its records, else those of its header. */
  private static FileName path(String inHeader, String key, TarRecords records) {
    byte[] bytes = records.get(key);
    return FileName.of(bytes == null ? inHeader.getBytes(StandardCharsets.ISO_8859_1) : bytes);
  }

  private void put(TarArchiveEntry entry, TarRecords records, long stored) throws IOException {
    String key = records.get("GNU.sparse.name") != null ? "GNU.sparse.name" : "path";
    FileName path = path(entry.getName(), key, records);
    List<FileName> names = names(path);
    Node node = root;
    for (FileName each : names) {
      if (!node.isFolder()) {
        throw refused(path, "lies in something that is no folder");
      }
      Node folder = node;
      Node known = node.children.get(each);
      node = known == null ? new Node(folder, each) : known;
      if (!options.excluded().isEmpty() && exclusion.covers(node.path())) {
        return;
      }
      folder.children.put(each, node);
    }
    if (!entry.isDirectory() && (node == root || !node.children.isEmpty())) {
      throw refused(path, "is a folder, and something else a second time");
    }
    node.entry = entry;
    node.records = records;
    node.stored = stored;
    node.same = entry.isLink() ? path(entry.getLinkName(), "linkpath", records) : null;
  }

  /** Takes a path apart; a slash in front and names of one dot mean nothing. */
  private List<FileName> names(FileName path) throws FileSystemException {
    if (path.length() > LONGEST_PATH) {
      throw refused(path.part(0, LONGEST_NAME), "goes on for %d bytes".formatted(path.length()));
    }
    List<FileName> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length(); i++) {
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

  private FileSystemException refused(FileName path, String reason) {
    return new FileSystemException("%s: %s".formatted(name, path), null, reason);
  }

  /** A folder whose names are being added. */
  private record Level(Node node, int depth, Iterator<Node> children) {}

  /** Makes the files, each folder before what is in it. */
  private void build() throws IOException {
    Deque<Level> levels = new ArrayDeque<>();
    make(root);
    count(0, root.name, root.file.inode());
    levels.push(new Level(root, 0, root.children.values().iterator()));
    while (!levels.isEmpty()) {
      Level level = levels.peek();
      if (!level.children.hasNext()) {
        levels.pop();
        continue;
      }
      Node node = level.children.next();
      Node named = node.same == null ? node : target(node);
      make(named);
      level.node.file.add(node.name, named.file);
      try {
        demandFewNames(named.file);
      } catch (RefusedException e) {
        throw refused(node.path(), e.getMessage());
      }
      count(level.depth, node.name, named.file.inode());
      if (node.isFolder()) {
        levels.push(new Level(node, level.depth + 1, node.children.values().iterator()));
      }
    }
  }

  /** The file that a hard link is another name of. */
  private Node target(Node link) throws FileSystemException {
    Node node = root;
    for (FileName each : names(link.same)) {
      node = node == null ? null : node.children.get(each);
    }
    if (node == null || node.same != null || node.isFolder()) {
      throw refused(
          link.path(), "is a link to %s, which is no file of the archive".formatted(link.same));
    }
    return node;
  }

  /** Makes the file of a node, unless another name of it came first. */
  private void make(Node node) throws FileSystemException {
    if (node.file != null) {
      return;
    }
    try {
      TarArchiveEntry entry = node.entry;
      Inode inode = entry == null ? inodes.folder() : inodes.of(entry);
      SortedMap<FileName, byte[]> attributes = attributes(node);
      if (entry != null && entry.isSymbolicLink()) {
        FileName to = path(entry.getLinkName(), "linkpath", node.records);
        if (to.length() < 1 || to.length() > NewFile.LONGEST_TARGET) {
          throw new RefusedException("is a link to %d bytes".formatted(to.length()));
        }
        node.file = NewFile.link(inode, attributes, to);
      } else {
        node.file = NewFile.of(inode, attributes);
      }
      if (inode.type() == FileType.REGULAR) {
        origins.put(node.file, node);
        addData(node.file, entry);
      }
    } catch (RefusedException e) {
      throw new FileSystemException(shown(node).toString(), null, e.getMessage());
    } catch (IOException | RuntimeException e) {
      throw new FileSystemException(
          shown(node).toString(), null, "cannot be read: " + e.getMessage());
    }
    add(node.file, () -> shown(node));
  }

  private FileName shown(Node node) {
    return node == root ? name : FileName.of(name.exactText() + ":" + node.path().exactText());
  }

  private static void addData(NewFile file, TarArchiveEntry entry) throws IOException {
    demandPossible(file.inode().size(), entry.getSize());
    for (Run each : runs(entry)) {
      file.addData(each.offset, each.length);
    }
  }

  /** Bytes of a file that are stored. */
  private record Run(long offset, long length) {}

  /** The stored bytes of a file, in ascending order. */
  private static List<Run> runs(TarArchiveEntry entry) throws IOException {
    if (!entry.isSparse()) {
      return entry.getSize() == 0 ? List.of() : List.of(new Run(0, entry.getSize()));
    }
    List<Run> runs = new ArrayList<>();
    for (TarArchiveStructSparse each : entry.getOrderedSparseHeaders()) {
      if (each.getNumbytes() > 0) {
        if (each.getOffset() > entry.getRealSize() - each.getNumbytes()) {
          throw new RefusedException("has bytes stored behind its end");
        }
        runs.add(new Run(each.getOffset(), each.getNumbytes()));
      }
    }
    return runs;
  }

  private SortedMap<FileName, byte[]> attributes(Node node) {
    SortedMap<FileName, byte[]> attributes = new TreeMap<>();
    if (node.records == null) {
      return attributes;
    }
    node.records
        .all()
        .forEach(
            (key, value) -> {
              if (key.startsWith(ATTRIBUTE)) {
                byte[] named =
                    key.substring(ATTRIBUTE.length()).getBytes(StandardCharsets.ISO_8859_1);
                attributes.put(FileName.of(named), value);
              } else if (key.startsWith(TEXT_ACL)) {
                addLoss(shown(node), "its access control list, which the archive has as text");
              }
            });
    return attributes;
  }

  @Override
  void copy(NewFile file, BlockMap places, FileChannel image) throws IOException {
    Node node = origins.get(file);
    long stored = node.stored;
    for (Run run : runs(node.entry)) {
      long end = run.offset + run.length;
      for (long at = run.offset; at < end; ) {
        long count = Math.min(end - at, places.runLength(at));
        image.position(places.imageOffset(at));
        count = channel.transferTo(stored + (at - run.offset), count, image);
        if (count <= 0) {
          throw new FileSystemException(name.toString(), null, "was cut while it was packed");
        }
        at += count;
      }
      stored += run.length;
    }
    if (channel.size() != size) {
      throw new FileSystemException(name.toString(), null, "changed while it was packed");
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
