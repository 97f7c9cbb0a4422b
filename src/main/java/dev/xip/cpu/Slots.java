package dev.xip.cpu;

import dev.xip.host.HostException;
import dev.xip.host.KvmMachine;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.phys.RegionListener;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Gives a machine of KVM the physical memory of ours: each region of the window is a slot as long
 * as it is claimed, read-only if the region is.
 *
 * <p>Lock held by the caller: the monitor of the physical memory.
 */
final class Slots implements RegionListener {
  private final PhysicalMemory memory;
  private final KvmMachine machine;
  private final Map<Region, Integer> numbers = new HashMap<>();

  Slots(PhysicalMemory memory, KvmMachine machine) {
    this.memory = memory;
    this.machine = machine;
  }

  @Override
  public void claimed(Region region) {
    long start = region.range().start();
    try {
      numbers.put(
          region,
          machine.addSlot(
              start, memory.window().asSlice(start, region.range().length()), region.readOnly()));
    } catch (HostException refused) {
      throw new UncheckedIOException("no slot for " + region, refused);
    }
  }

  @Override
  public void released(Region region) {
    try {
      machine.removeSlot(numbers.remove(region));
    } catch (HostException refused) {
      throw new UncheckedIOException("slot of " + region, refused);
    }
  }
}
