package dev.xip.machine;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.image.FileType;
import dev.xip.image.ext.ExtFormat;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The options of an ext2 mount, requested or in force. Linux counterpart: fs/ext2/super.c and
 * {@code ext2_xip_verify_sb} in fs/ext2/xip.c. The kernel has {@code xip} only if it was built with
 * it; here it is always there.
 *
 * @param xip whether regular files are used in place
 * @param warnings all warnings since the mount, oldest first
 */
public record ExtMountOptions(boolean xip, List<String> warnings) {
  /** Copies the warnings. */
  public ExtMountOptions {
    warnings = List.copyOf(warnings);
  }

  /**
   * Reads the options of {@code mount -o}.
   *
   * @param text options separated by commas: {@code xip}, and {@code ro} and {@code defaults},
   *     which have no effect; may be empty
   * @return the requested options
   * @throws FileSystemException EINVAL for any other option
   */
  public static ExtMountOptions parse(String text) throws FileSystemException {
    Set<String> known = new ExtFormat().mountOptions();
    List<String> options = text.isEmpty() ? List.of() : List.of(text.split(",", -1));
    for (String option : options) {
      if (!known.contains(option) && !option.equals("ro") && !option.equals("defaults")) {
        throw new FileSystemException(
            text,
            null,
            Errno.EINVAL.message(
                "mount options: expected %s, ro or defaults, found \"%s\"",
                String.join(", ", known), option));
      }
    }
    return new ExtMountOptions(options.contains(ExtFormat.XIP), List.of());
  }

  /**
   * Decides which of the requested options a mount gets. Linux counterpart: {@code
   * ext2_fill_super}.
   *
   * @param facts the device and the file system
   * @return the options in force; {@code xip} is dropped with a warning if the device has no direct
   *     access
   * @throws FileSystemException EINVAL if {@code xip} stays and blocks are not whole pages; the
   *     kernel takes none above a page either, since its page cache has none of that size
   */
  public ExtMountOptions mount(ExtMountFacts facts) throws FileSystemException {
    if (xip && !facts.directAccess()) {
      return with(false, facts.device() + ": ignoring option xip: no direct access to the device");
    }
    if (xip && !hasWholePages(facts)) {
      throw new FileSystemException(
          facts.device(),
          null,
          Errno.EINVAL.message(
              "option xip: expected blocks of whole pages of %d bytes, found blocks of %d",
              Pages.SIZE, facts.blockSize()));
    }
    return this;
  }

  /**
   * Chooses the options of a mount for which none are requested: {@code xip}, where it can be.
   *
   * @param facts the device and the file system
   * @return the options in force; without {@code xip} there is a warning that says why
   * @throws FileSystemException as {@link #mount}
   */
  static ExtMountOptions usual(ExtMountFacts facts) throws FileSystemException {
    ExtMountOptions wanted = new ExtMountOptions(true, List.of());
    return hasWholePages(facts)
        ? wanted.mount(facts)
        : wanted.with(
            false,
            "%s: not in place: blocks of %d bytes are smaller than a page"
                .formatted(facts.device(), facts.blockSize()));
  }

  private static boolean hasWholePages(ExtMountFacts facts) {
    return facts.blockSize() % Pages.SIZE == 0;
  }

  /**
   * Decides which options a mount with these options has after a remount. Linux counterpart: {@code
   * ext2_remount}.
   *
   * @param wanted all requested options
   * @param facts the device and the file system
   * @param busy whether inodes of it are in use
   * @param rule whether {@code xip} may change while busy
   * @return the options in force from now on
   * @throws FileSystemException as {@link #mount}; these options then stay in force
   */
  public ExtMountOptions remount(
      ExtMountOptions wanted, ExtMountFacts facts, boolean busy, RemountRule rule)
      throws FileSystemException {
    ExtMountOptions decided = wanted.mount(facts);
    ExtMountOptions next = new ExtMountOptions(decided.xip, warnings);
    for (String each : decided.warnings) {
      next = next.with(decided.xip, each);
    }
    if (decided.xip == xip || !busy) {
      return next;
    }
    return switch (rule) {
      case CHANGED_WITH_A_WARNING ->
          next.with(decided.xip, facts.device() + ": inodes in use stay as they were read");
      case REFUSED_WITH_A_WARNING ->
          next.with(xip, facts.device() + ": not changing option xip, as inodes are in use");
    };
  }

  private ExtMountOptions with(boolean changed, String warning) {
    List<String> all = new ArrayList<>(warnings);
    all.add(warning);
    return new ExtMountOptions(changed, all);
  }

  /**
   * Decides, when an inode is read, whether it is used in place. Linux counterpart: {@code
   * ext2_iget}.
   *
   * @param type its type
   * @return true for a regular file of a mount with {@code xip}; all others go through a page cache
   */
  public boolean inPlace(FileType type) {
    return xip && type == FileType.REGULAR;
  }
}
