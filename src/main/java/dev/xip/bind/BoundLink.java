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
  private final BoundDirectory directory;
  private final FileName name;

  BoundLink(BoundTree tree, BoundDirectory directory, FileName name, HostStat stat) {
    super(tree, stat.ino(), BoundAttributes.of(stat));
    this.tree = tree;
    this.directory = directory;
    this.name = name;
  }

  @Override
  public FileName target() throws IOException {
    return directory.with(in -> in.readLink(name));
  }

  @Override
  public void change(UnaryOperator<Attributes> change) throws IOException {
    tree.requireWritable();
    directory.with(
        in -> {
          BoundAttributes.change(in, name, change);
          return null;
        });
  }
}
