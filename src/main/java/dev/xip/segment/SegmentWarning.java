package dev.xip.segment;

import dev.xip.base.Errno;
import java.util.Optional;

/**
 * The meaning of a failed load or change of the mode: one sentence for each code that the kernel
 * explains; the message of the exception ends with it. Linux counterpart: {@code segment_warning}
 * (arch/s390/mm/extmem.c).
 */
public final class SegmentWarning {
  private SegmentWarning() {}

  /**
   * Explains a code.
   *
   * @param code the code that an operation failed with
   * @param name the segment it was about
   * @return a sentence, or nothing for all other codes
   */
  public static Optional<String> of(Errno code, SegmentName name) {
    String text =
        switch (code) {
          case ENOENT -> "%s is not defined in the segment store";
          case ENOSYS -> "the segment store that %s was in is gone";
          case EIO -> "the definition or the data of %s cannot be read";
          case EOPNOTSUPP -> "%s has parts that cannot be loaded together";
          case EBUSY -> "%s needs memory or a file that is already in use";
          case EPERM -> "%s is loaded in the other mode, or the host does not permit it";
          case ENOMEM -> "the host has no memory or no mapping left for %s";
          case ERANGE -> "%s lies beyond the end of physical memory";
          case ENOSPC -> "the host has no space left for %s";
          default -> null;
        };
    return Optional.ofNullable(text).map(each -> each.formatted(name));
  }

  /** Appends the sentence for the code, if there is one. */
  static SegmentException explain(SegmentException e, SegmentName name) {
    return of(e.errno(), name).map(e::explained).orElse(e);
  }
}
