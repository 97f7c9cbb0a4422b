package dev.xip.vfs;

import dev.xip.base.FileName;

/** A symbolic link of a {@link RamTree}. */
final class RamLink extends Link {
  private final FileName target;

  RamLink(RamTree tree, long number, Attributes attributes, FileName target) {
    super(tree, number, attributes);
    this.target = target;
  }

  @Override
  public FileName target() {
    return target;
  }
}
