package dev.xip.segment;

import dev.xip.host.Errno;
import java.util.Optional;

/**
 * What a failed load, change or unload means for the person who asked for it, one sentence per
 * code. Linux counterpart: {@code segment_warning} (arch/s390/mm/extmem.c).
 */
public final class SegmentWarning {
  private SegmentWarning() {}

  /**
   * Explains a code.
   *
   * @param code the code that an operation failed with
   * @param name the segment it was about
   * @return a sentence, or nothing for codes that are no business of segments
   */
  public static Optional<String> of(Errno code, SegmentName name) {
    String text =
        switch (code) {
          case ENOENT -> "%s is not defined in the segment store";
          case ENOSYS -> "the segment store that %s was in is gone";
          case EIO -> "the definition or the data of %s cannot be read";
          case EOPNOTSUPP -> "%s has parts that cannot be loaded together";
          case EBUSY -> "%s needs memory that is already in use";
          case EPERM -> "%s is loaded in the other mode";
          case EAGAIN -> "%s has other users, so its mode cannot be changed";
          case EINVAL -> "%s is not loaded, or what was asked for does not fit it";
          case ENOMEM -> "the host has no memory or no mapping left for %s";
          case ERANGE -> "%s lies beyond the end of physical memory";
          case EEXIST -> "%s exists already";
          default -> null;
        };
    return Optional.ofNullable(text).map(each -> each.formatted(name));
  }
}
