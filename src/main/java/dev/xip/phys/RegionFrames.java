package dev.xip.phys;

/**
 * Whether the regions that segments claim have page frames of their own, and how these are counted.
 * A machine has none unless it is booted for the comparison: the decision of 2008. Linux
 * counterpart: ZONE_DEVICE and {@code devm_memremap_pages} (mm/memremap.c, since 4.3).
 */
public enum RegionFrames {
  /** No page frames: a region adds nothing to the mem_map, and its entries are special. */
  NONE(0),
  /**
   * DAX from 4.5 to 6.14: the device holds one reference to each frame, so a count of one means
   * idle. Entries have the devmap bit beside the special one and count nothing.
   */
  DEVMAP(1),
  /**
   * DAX since 6.15 (38607c62b34b): a count of zero means idle. Entries are normal, and each counts
   * a reference and a mapping, as for any page of a file.
   */
  COUNTED(0);

  private final int idleReferences;

  RegionFrames(int idleReferences) {
    this.idleReferences = idleReferences;
  }

  /** {@return the reference count of a frame that no entry maps and no pin holds} */
  public int idleReferences() {
    return idleReferences;
  }
}
