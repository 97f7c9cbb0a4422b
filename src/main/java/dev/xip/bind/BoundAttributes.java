package dev.xip.bind;

import dev.xip.base.FileName;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.host.HostTimes;
import dev.xip.host.OpenFolder;
import dev.xip.image.FileType;
import dev.xip.vfs.Attributes;
import java.io.IOException;
import java.time.Instant;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** Attributes of files of the host. */
final class BoundAttributes {
  /** All bits but set-user-id and set-group-id. */
  static final int PASSED_BITS = 01777;

  private BoundAttributes() {}

  static Attributes of(HostStat stat) {
    return new Attributes(
        stat.mode(),
        stat.uid(),
        stat.gid(),
        Instant.ofEpochSecond(stat.atimeSeconds(), stat.atimeNanos()),
        Instant.ofEpochSecond(stat.mtimeSeconds(), stat.mtimeNanos()),
        Instant.ofEpochSecond(stat.ctimeSeconds(), stat.ctimeNanos()),
        null);
  }

  /** Changes those of an entry of a folder, as far as the function gives others. */
  static Void change(OpenFolder in, FileName name, UnaryOperator<Attributes> change)
      throws IOException {
    Attributes before = of(in.stat(name));
    Attributes after = change.apply(before);
    if (hasOtherOwners(before, after)) {
      in.setOwner(name, (int) after.uid(), (int) after.gid());
    }
    if (after.mode() != before.mode() && before.type() != FileType.SYMLINK) {
      in.setMode(name, after.mode() & PASSED_BITS);
    }
    if (hasOtherTimes(before, after)) {
      in.setTimes(name, new HostTimes(after.accessed(), after.modified()));
    }
    return null;
  }

  /** Changes those of an open file, whatever its name is now. */
  static void change(HostFile file, UnaryOperator<Attributes> change) throws IOException {
    Attributes before = of(file.stat());
    Attributes after = change.apply(before);
    if (hasOtherOwners(before, after)) {
      file.setOwner((int) after.uid(), (int) after.gid());
    }
    if (after.mode() != before.mode()) {
      file.setMode(after.mode() & PASSED_BITS);
    }
    if (hasOtherTimes(before, after)) {
      file.setTimes(new HostTimes(after.accessed(), after.modified()));
    }
  }

  private static boolean hasOtherOwners(Attributes before, Attributes after) {
    return after.uid() != before.uid() || after.gid() != before.gid();
  }

  private static boolean hasOtherTimes(Attributes before, Attributes after) {
    return !Objects.equals(after.accessed(), before.accessed())
        || !Objects.equals(after.modified(), before.modified());
  }
}
