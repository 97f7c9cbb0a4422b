package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.phys.Region;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A segment that is loaded into physical memory. Linux counterpart: {@code struct dcss_segment}
 * (arch/s390/mm/extmem.c). Everything but the reference count is fixed: a change of the mode makes
 * another one.
 */
public final class SavedSegment {
  private final StoredSegment stored;
  private final SharingMode mode;
  private final Region region;
  private final DataUse data;

  /** How many loads have not been unloaded; 0 when it is gone. Written under the loader's mutex. */
  private volatile int references = 1;

  SavedSegment(StoredSegment stored, SharingMode mode, Region region, DataUse data) {
    this.stored = stored;
    this.mode = mode;
    this.region = region;
    this.data = data;
  }

  /**
   * Returns the name.
   *
   * @return the segment's name
   */
  public SegmentName name() {
    return stored.name();
  }

  /**
   * Returns the type.
   *
   * @return the type of the whole
   */
  public SegmentType type() {
    return definition().type();
  }

  /**
   * Returns the definition that it was loaded by.
   *
   * @return name and parts
   */
  public SegmentDefinition definition() {
    return stored.definition();
  }

  /**
   * Returns how it is loaded.
   *
   * @return the mode
   */
  public SharingMode mode() {
    return mode;
  }

  /**
   * Returns the version of the contents that is mapped; a save since then does not change it.
   *
   * @return 1 or more
   */
  public long version() {
    return stored.version();
  }

  /**
   * Returns the file that its bytes are in, which keeps its name as long as this is loaded.
   *
   * @return the data file of that version
   */
  public Path dataFile() {
    return stored.dataFile();
  }

  /**
   * Returns where it lies.
   *
   * @return the physical addresses, half-open
   */
  public AddrRange range() {
    return region.range();
  }

  /**
   * Returns the address of the last byte, as {@code segment_load} gives it.
   *
   * @return a physical address, inclusive
   */
  public long lastByte() {
    return range().end() - 1;
  }

  /**
   * Tells whether stores are allowed.
   *
   * @return true if its pages are mapped for writing
   */
  public boolean isWritable() {
    return type().isWritable(mode);
  }

  /**
   * Returns how many loads have not been unloaded yet.
   *
   * @return the reference count, 0 once it is gone
   */
  public int references() {
    return references;
  }

  void addReference() {
    references++;
  }

  void dropReference() {
    references--;
  }

  /** Called when nothing is mapped any more. */
  void gone() {
    references = 0;
    data.close();
  }

  /** What a save of it stores, given its bytes. */
  SegmentSource contents(MemorySegment bytes) {
    return SegmentSource.ofMemory(bytes, definition(), data.file());
  }

  StoredSegment stored() {
    return stored;
  }

  Region region() {
    return region;
  }

  @Override
  public String toString() {
    return "%s %s %s version %d %s references %d"
        .formatted(range(), name(), type(), version(), mode, references);
  }
}
