package dev.xip.pack;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.disk.Contents;
import dev.xip.host.HostPaths;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.pack.TarNames.Node;
import dev.xip.pack.TarNames.Stored;
import dev.xip.pack.ext.NewFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/**
 * The files of a tar archive, to become an image, as tar(1) unpacks them: of two entries with one
 * name the later counts, and a hard link to the earlier keeps that one's bytes. A folder that has
 * no entry belongs to root and may be read by all.
 */
final class TarTree extends PackTree {
  private static final int BLOCK = 512;

  /** The names of attributes begin with it; the values are those of getxattr(2). */
  private static final String ATTRIBUTE = "SCHILY.xattr.";

  /** So do those in another form, which bsdtar writes beside the first. */
  private static final String ENCODED = "LIBARCHIVE.xattr.";

  /** Under this name GNU tar keeps the label of SELinux. */
  private static final String LABEL = "RHT.security.selinux";

  private static final FileName LABEL_ATTRIBUTE = FileName.of("security.selinux");

  /** The names of access control lists as text, which are not kept, begin with it. */
  private static final String TEXT_ACL = "SCHILY.acl.";

  private final FileName name;
  private final PackOptions options;
  private final TarInodes inodes;
  private final TarFile archive;
  private final TarNames names;
  private final Map<NewFile, Stored> origins = new HashMap<>();

  private TarTree(Path file, FileChannel channel, PackOptions options) throws IOException {
    this.name = HostPaths.nameOf(file);
    this.options = options;
    this.names = new TarNames(name, options);
    this.inodes = new TarInodes(options);
    this.archive = new TarFile(channel, channel.size());
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
    ByteView view = CorruptImageException.view(MemorySegment.ofArray(bytes), HostPaths.text(file));
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

  private void read() throws IOException {
    long end = 0;
    for (TarRecords each = null; (each = TarRecords.at(archive, end, each)) != null; ) {
      TarArchiveEntry entry = each.entry();
      TarSparse bytes = TarSparse.of(archive, each, entry);
      if (bytes.stored() > archive.size() - bytes.at()) {
        throw new IOException("%s ends behind the archive".formatted(entry.getName()));
      }
      end = bytes.at() + Math.ceilDiv(bytes.stored(), BLOCK) * BLOCK;
      names.put(entry, each, bytes);
    }
    if (end == 0) {
      throw new IOException("it has no files");
    }
    if (end == archive.size()) {
      addLoss(
          name,
          "anything behind byte 0x%x, where it ends without its mark, two blocks of zeros"
              .formatted(end));
    }
    build();
  }

  /** A folder whose names are being added. */
  private record Level(Node node, int depth, Iterator<Node> children) {}

  /** Makes the files, each folder before what is in it. */
  private void build() throws IOException {
    Deque<Level> levels = new ArrayDeque<>();
    Node root = names.root();
    make(root.stored());
    count(0, root.name(), root.stored().file().inode());
    levels.push(new Level(root, 0, root.children().iterator()));
    while (!levels.isEmpty()) {
      Level level = levels.peek();
      if (!level.children.hasNext()) {
        levels.pop();
        continue;
      }
      Node node = level.children.next();
      Stored named = names.fileOf(node);
      make(named);
      level.node.stored().file().add(node.name(), named.file());
      try {
        demandFewNames(named.file());
      } catch (RefusedException e) {
        throw names.refused(node.path(), e.getMessage());
      }
      count(level.depth, node.name(), named.file().inode());
      if (isDoubtful(node.name())) {
        addDoubtful(node.path(), shown(node));
      }
      if (node.isFolder()) {
        levels.push(new Level(node, level.depth + 1, node.children().iterator()));
      }
    }
  }

  /** Makes a file, unless another name of it came first. */
  private void make(Stored stored) throws FileSystemException {
    if (stored.file() != null) {
      return;
    }
    try {
      TarArchiveEntry entry = stored.entry();
      Inode inode = entry == null ? inodes.folder() : inodes.of(entry, stored.bytes().size());
      SortedMap<FileName, byte[]> attributes = attributes(stored);
      if (entry != null && entry.isSymbolicLink()) {
        stored.became(NewFile.link(inode, attributes, linkTarget(stored)));
      } else {
        stored.became(NewFile.of(inode, attributes));
      }
      if (inode.type() == FileType.REGULAR) {
        origins.put(stored.file(), stored);
        addData(stored.file(), stored.bytes());
      }
    } catch (RefusedException e) {
      throw new FileSystemException(shown(stored.node()).toString(), null, e.getMessage());
    } catch (IOException | RuntimeException e) {
      throw new FileSystemException(
          shown(stored.node()).toString(), null, "cannot be read: " + e.getMessage());
    }
    add(stored.file(), () -> shown(stored.node()));
  }

  private static FileName linkTarget(Stored link) throws RefusedException {
    FileName target = TarNames.path(link.entry().getLinkName(), "linkpath", link.records());
    if (target.length() < 1 || target.length() > NewFile.LONGEST_TARGET) {
      throw new RefusedException("is a link to %d bytes".formatted(target.length()));
    }
    for (int i = 0; i < target.length(); i++) {
      if (target.at(i) == 0) {
        throw new RefusedException("is a link to a path with a NUL, which no path can hold");
      }
    }
    return target;
  }

  private FileName shown(Node node) {
    return node == names.root()
        ? name
        : FileName.of(name.exactText() + ":" + node.path().exactText());
  }

  private static void addData(NewFile file, TarSparse bytes) throws IOException {
    demandPossible(bytes.size(), bytes.stored());
    for (TarSparse.Run each : bytes.runs()) {
      file.addData(each.offset(), each.length());
    }
  }

  private SortedMap<FileName, byte[]> attributes(Stored stored) {
    SortedMap<FileName, byte[]> attributes = new TreeMap<>();
    if (stored.records() == null) {
      return attributes;
    }
    stored
        .records()
        .all()
        .forEach(
            (key, value) -> {
              if (key.startsWith(ATTRIBUTE)) {
                byte[] named =
                    key.substring(ATTRIBUTE.length()).getBytes(StandardCharsets.ISO_8859_1);
                attributes.put(FileName.of(named), value);
              } else if (key.equals(LABEL)) {
                attributes.putIfAbsent(LABEL_ATTRIBUTE, value);
              } else if (key.startsWith(ENCODED)
                  && stored.records().get(ATTRIBUTE + key.substring(ENCODED.length())) == null) {
                addLoss(shown(stored.node()), "what the archive has as " + key);
              } else if (key.startsWith(TEXT_ACL)) {
                addLoss(
                    shown(stored.node()), "its access control list, which the archive has as text");
              }
            });
    return attributes;
  }

  @Override
  void copy(NewFile file, BlockMap places, FileChannel image) throws IOException {
    Stored stored = origins.get(file);
    long from = stored.bytes().at();
    for (TarSparse.Run run : stored.bytes().runs()) {
      long end = run.offset() + run.length();
      for (long at = run.offset(); at < end; ) {
        long count = Math.min(end - at, places.runLength(at));
        image.position(places.imageOffset(at));
        count = archive.channel().transferTo(from + (at - run.offset()), count, image);
        if (count <= 0) {
          throw new FileSystemException(name.toString(), null, "was cut while it was packed");
        }
        at += count;
      }
      from += run.length();
    }
    if (archive.channel().size() != archive.size()) {
      throw new FileSystemException(name.toString(), null, "changed while it was packed");
    }
  }

  @Override
  public void close() throws IOException {
    archive.channel().close();
  }
}
