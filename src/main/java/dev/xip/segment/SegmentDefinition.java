package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import java.util.List;

/**
 * A segment as it is defined: a name and the pages it occupies. Invariants: 1 to 6 parts, in
 * ascending order and adjacent, so that the first part starts where the segment does; several parts
 * are all EW or EN. Linux counterpart: {@code query_segment_type} (arch/s390/mm/extmem.c).
 *
 * @param name the name
 * @param parts the parts in order of address
 */
public record SegmentDefinition(SegmentName name, List<SegmentPart> parts) {
  /** The greatest number of parts. */
  public static final int MAX_PARTS = 6;

  /** Rejects parts that do not make a segment. */
  public SegmentDefinition {
    parts = List.copyOf(parts);
    try {
      check(name, parts);
    } catch (SegmentException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * Makes a definition from user input or a file.
   *
   * @param name the name
   * @param parts the parts in order of address
   * @return the definition
   * @throws SegmentException if there is no part or two overlap (EINVAL), or there are more than 6,
   *     a gap between two, or several that are not all EW or EN (EOPNOTSUPP)
   */
  public static SegmentDefinition of(SegmentName name, List<SegmentPart> parts)
      throws SegmentException {
    check(name, parts);
    return new SegmentDefinition(name, parts);
  }

  private static void check(SegmentName name, List<SegmentPart> parts) throws SegmentException {
    String subject = "segment " + name;
    if (parts.isEmpty()) {
      throw new SegmentException(Errno.EINVAL, subject, "1 to 6 parts", "none");
    }
    if (parts.size() > MAX_PARTS) {
      throw new SegmentException(
          Errno.EOPNOTSUPP, subject, "1 to 6 parts", Integer.toString(parts.size()));
    }
    for (int i = 0; parts.size() > 1 && i < parts.size(); i++) {
      SegmentPart part = parts.get(i);
      if (!part.type().isCombinable()) {
        throw new SegmentException(
            Errno.EOPNOTSUPP, subject, "only EW and EN among several parts", "part " + part);
      }
      long expected = i == 0 ? part.firstPage() : parts.get(i - 1).lastPage() + 1;
      if (part.firstPage() != expected) {
        throw new SegmentException(
            part.firstPage() < expected ? Errno.EINVAL : Errno.EOPNOTSUPP,
            subject,
            "part %d to start at page %x".formatted(i + 1, expected),
            "part " + part);
      }
    }
  }

  /** {@return the type of the only part, or {@link SegmentType#EWEN} if there are several} */
  public SegmentType type() {
    return parts.size() == 1 ? parts.getFirst().type() : SegmentType.EWEN;
  }

  /** {@return the page frame number of the first page} */
  public long firstPage() {
    return parts.getFirst().firstPage();
  }

  /** {@return the physical range in bytes, half-open} */
  public AddrRange range() {
    return new AddrRange(parts.getFirst().range().start(), parts.getLast().range().end());
  }

  /** {@return the length in bytes, a multiple of the page size} */
  public long byteSize() {
    return range().length();
  }

  /** {@return whether a save keeps the contents of any part: false if all are SN or EN} */
  public boolean keepsContents() {
    return parts.stream().anyMatch(part -> part.type().keepsContents());
  }

  /** The address range widened to whole megabytes, which two loaded segments may not share. */
  AddrRange megabytes() {
    long mask = MEGABYTE - 1;
    return new AddrRange(range().start() & ~mask, (range().end() + mask) & ~mask);
  }

  /** The unit in which the hypervisor shares memory, in bytes. */
  static final long MEGABYTE = 1L << 20;
}
