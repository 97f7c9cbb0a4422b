package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.Sharing;
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

  /**
   * The loads that have not been unloaded; 0 once it is unloaded. Written under the loader's mutex.
   */
  private volatile int references = 1;

  SavedSegment(StoredSegment stored, SharingMode mode, Region region, DataUse data) {
    this.stored = stored;
    this.mode = mode;
    this.region = region;
    this.data = data;
  }

  /** {@return the segment's name} */
  public SegmentName name() {
    return stored.name();
  }

  /** {@return the type of the whole segment} */
  public SegmentType type() {
    return definition().type();
  }

  /** {@return the definition by which it was loaded} */
  public SegmentDefinition definition() {
    return stored.definition();
  }

  /** {@return the mode in which it is loaded} */
  public SharingMode mode() {
    return mode;
  }

  /**
   * {@return the version of the contents that is mapped, 1 or more; a later save does not change
   * it}
   */
  public long version() {
    return stored.version();
  }

  /** {@return the data file, which keeps its name as long as this is loaded} */
  public Path dataFile() {
    return stored.dataFile();
  }

  /**
   * Reads bytes as a shared load finds them: those of the data file.
   *
   * @param offset the first byte, counted from the start of the segment
   * @param into native memory to fill
   * @throws SegmentException EIO if the data file has become shorter
   * @throws HostException if the system fails to read
   */
  public void read(long offset, MemorySegment into) throws SegmentException, HostException {
    long done = data.file().read(offset, into);
    if (done < into.byteSize()) {
      throw new SegmentException(
          Errno.EIO,
          "segment %s: data file %s".formatted(name(), dataFile()),
          "0x%x bytes".formatted(offset + into.byteSize()),
          "its end at 0x%x".formatted(offset + done));
    }
  }

  /**
   * Stores bytes that all shared loads see at once.
   *
   * @param offset where the first byte goes, counted from the start of the segment
   * @param from native memory to copy
   * @throws SegmentException EACCES if stores to the segment as it is loaded are not shared
   * @throws HostException if the data file has no room on its disk
   */
  public void write(long offset, MemorySegment from) throws SegmentException, HostException {
    if (!isWritable() || type().sharing(mode) != Sharing.SHARED) {
      throw new SegmentException(
          Errno.EACCES,
          "segment " + name(),
          "type SW or SN, loaded shared",
          "type %s, loaded %s".formatted(type(), mode));
    }
    data.file().write(offset, from);
  }

  /** {@return the physical addresses, half-open} */
  public AddrRange range() {
    return region.range();
  }

  /** {@return whether its pages are mapped for writing} */
  public boolean isWritable() {
    return type().isWritable(mode);
  }

  /** {@return the number of loads that have not been unloaded yet, 0 once it is unloaded} */
  public int references() {
    return references;
  }

  void addReference() {
    references++;
  }

  void dropReference() {
    references--;
  }

  /** Called when nothing of it is mapped any more. */
  void markUnloaded() {
    references = 0;
    data.close();
  }

  /** The contents that a save stores. */
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
