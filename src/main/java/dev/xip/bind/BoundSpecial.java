package dev.xip.bind;

import dev.xip.base.FileName;
import dev.xip.host.HostStat;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Special;
import java.io.IOException;
import java.util.function.UnaryOperator;

/**
 * A device, fifo or socket of the host. It is not reached: the number of a device is looked up
 * among those of programs, and programs alone meet at a fifo.
 */
final class BoundSpecial extends Special {
  private final BoundTree tree;
  private volatile BoundFile.At at;

  BoundSpecial(BoundTree tree, HostStat stat) {
    super(
        tree,
        stat.ino(),
        BoundAttributes.of(stat),
        (int) (stat.rdev() >>> 8) & 0xfff,
        (int) (stat.rdev() & 0xff | stat.rdev() >>> 12 & 0xf_ff00));
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
  public void change(UnaryOperator<Attributes> change) throws IOException {
    tree.requireWritable();
    at.directory().with(in -> BoundAttributes.change(in, at.name(), change));
  }
}
