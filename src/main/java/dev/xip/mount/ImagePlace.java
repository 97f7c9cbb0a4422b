package dev.xip.mount;

import dev.xip.base.Pages;
import dev.xip.host.HostPaths;
import java.util.List;

/**
 * The part of a file or block device that is an image.
 *
 * @param offset its first byte in the file
 * @param length its length in bytes
 * @param warnings what is unusual about the place but does not keep it from being read, in words
 */
public record ImagePlace(long offset, long length, List<String> warnings) {
  /** Copies the list. */
  public ImagePlace {
    warnings = List.copyOf(warnings);
  }

  /** {@return how a caller names the first partition of this place, if it is a disk} */
  String partOf(ImageSource source) {
    String text = HostPaths.text(source.file()) + ":1";
    return offset == 0 ? text : "--offset 0x%x %s".formatted(offset, text);
  }

  /** {@return the byte behind it in the file} */
  public long end() {
    return offset + length;
  }

  /** {@return the page of the file in which it begins, as a byte offset} */
  public long firstPage() {
    return Pages.roundDown(offset);
  }

  /** {@return how many bytes of that page come before it; 0 for one that begins with a page} */
  public long beforeIt() {
    return offset - firstPage();
  }
}
