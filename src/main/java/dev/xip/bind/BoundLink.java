package dev.xip.bind;

import dev.xip.base.FileName;
import dev.xip.host.HostStat;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Link;
import java.io.IOException;
import java.util.function.UnaryOperator;

/** A symbolic link of the host, which programs follow in their own tree. */
final class BoundLink extends Link {
  private final BoundTree tree;
  private volatile BoundFile.At at;

  BoundLink(BoundTree tree, HostStat stat) {
    super(tree, stat.ino(), BoundAttributes.of(stat));
    this.tree = tree;
  }

  void place(BoundDirectory directory, FileName name) {
    at = new BoundFile.At(directory, name);
  }

  @Override
  public Attributes attributes() {
    try {
      return BoundAttributes.of(at.directory().with(in -> in.stat(at.name())));
    } catch (IOException e) {
      return super.attributes();
    }
  }

  @Override
  public FileName target() throws IOException {
    return at.directory().with(in -> in.readLink(at.name()));
  }

  @Override
  public void change(UnaryOperator<Attributes> change) throws IOException {
    tree.requireWritable();
    at.directory().with(in -> BoundAttributes.change(in, at.name(), change));
  }
}
