package dev.xip.linux;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Link;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Node;
import dev.xip.vfs.RegularFile;
import dev.xip.vfs.Tree;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** A directory of /proc, whose entries are made anew whenever it is searched or listed. */
final class ProcFolder extends Directory {
  /** Makes what a file holds. */
  interface Text {
    byte[] bytes() throws IOException;
  }

  /** Makes what a link says. */
  interface Target {
    FileName target() throws IOException;
  }

  /** Finds what a link leads to. */
  interface Jump {
    Node node() throws IOException;
  }

  private record Entry(FileName name, FileType type, long key, LongFunction<Node> node) {}

  /** Entries while they are made. */
  static final class Entries {
    private final Tree tree;
    private final List<Entry> list = new ArrayList<>();

    private Entries(Tree tree) {
      this.tree = tree;
    }

    private void add(String name, FileType type, long key, LongFunction<Node> node) {
      list.add(new Entry(FileName.of(name), type, key, node));
    }

    /** A file of text. */
    void text(String name, Text text) {
      add(name, FileType.REGULAR, list.size(), number -> new TextFile(tree, number, text));
    }

    /** The same, of characters of one byte. */
    void line(String name, Object line) {
      text(name, () -> bytes(line + "\n"));
    }

    /** A link, which leads to a node if there is a jump. */
    void link(String name, long key, int permissions, Target target, Jump jump) {
      add(
          name,
          FileType.SYMLINK,
          key,
          number -> new Pointer(tree, number, permissions, target, jump));
    }

    /** A directory; the key is unique among its neighbours. */
    void folder(String name, long key, Consumer<Entries> fill) {
      add(name, FileType.DIRECTORY, key, number -> new ProcFolder(tree, number, fill));
    }
  }

  /** Bits of an inode number for an entry in its directory. */
  private static final int KEY_BITS = 20;

  private final Consumer<Entries> fill;

  ProcFolder(Tree tree, long number, Consumer<Entries> fill) {
    super(tree, number, Attributes.of(FileType.DIRECTORY, 0555), 2);
    this.fill = fill;
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private List<Entry> entries() {
    Entries entries = new Entries(tree());
    fill.accept(entries);
    return entries.list;
  }

  @Override
  public Node find(FileName wanted) {
    for (Entry each : entries()) {
      if (each.name.equals(wanted)) {
        Node node = each.node.apply(number() << KEY_BITS | each.key + 1);
        if (node instanceof Directory directory) {
          directory.place(this, wanted);
        }
        return node;
      }
    }
    return null;
  }

  @Override
  public Node create(FileName entry, NewNode made) throws FileException {
    throw new FileException(Errno.ENOENT, entry + ": nothing is made in /proc");
  }

  @Override
  public void remove(FileName entry, boolean directory) throws FileException {
    throw new FileException(Errno.EPERM, entry + ": nothing is removed from /proc");
  }

  @Override
  public void list(long after, Visitor visitor) {
    for (Entry each : entries()) {
      long cookie = FIRST_COOKIE + each.key;
      if (cookie > after
          && !visitor.entry(each.name, number() << KEY_BITS | each.key + 1, each.type, cookie)) {
        return;
      }
    }
  }

  /** A file whose text is made when it is read from its start. */
  private static final class TextFile extends RegularFile {
    private final Text text;
    private byte[] bytes;

    TextFile(Tree tree, long number, Text text) {
      super(tree, number, Attributes.of(FileType.REGULAR, 0444), 1);
      this.text = text;
    }

    @Override
    public long read(long position, long length, ByteSink sink, long at) throws IOException {
      byte[] now;
      synchronized (this) {
        now = position == 0 ? null : bytes;
      }
      if (now == null) {
        now = text.bytes();
        synchronized (this) {
          bytes = now;
        }
      }
      long most = Math.min(length, now.length - position);
      return most <= 0 ? 0 : sink.take(MemorySegment.ofArray(now), position, at, most);
    }

    @Override
    public void prepareToWrite(boolean whole) throws FileException {
      throw new FileException(Errno.EACCES, "a file of /proc");
    }

    @Override
    public long write(long position, long length, ByteSource source, long at) throws FileException {
      throw new FileException(Errno.EACCES, "a file of /proc");
    }

    @Override
    public void truncate(long size) throws FileException {
      throw new FileException(Errno.EACCES, "a file of /proc");
    }

    @Override
    public long size() {
      return 0;
    }
  }

  private static final class Pointer extends Link {
    private final Target target;
    private final Jump jump;

    Pointer(Tree tree, long number, int permissions, Target target, Jump jump) {
      super(tree, number, Attributes.of(FileType.SYMLINK, permissions));
      this.target = target;
      this.jump = jump;
    }

    @Override
    public FileName target() throws IOException {
      return target.target();
    }

    @Override
    public Node jump() throws IOException {
      return jump == null ? null : jump.node();
    }

    @Override
    public long size() {
      return 0;
    }
  }
}
