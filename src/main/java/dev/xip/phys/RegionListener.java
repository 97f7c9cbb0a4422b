package dev.xip.phys;

/**
 * Is told of the regions of a {@link PhysicalMemory}. Lock held by the caller: the memory's
 * monitor.
 */
public interface RegionListener {
  /**
   * A region is being claimed; an exception prevents it.
   *
   * @param region the region, readable until {@link #released}; what is mapped there may change
   */
  void claimed(Region region);

  /**
   * A region is being released.
   *
   * @param region a region that was claimed
   */
  void released(Region region);
}
