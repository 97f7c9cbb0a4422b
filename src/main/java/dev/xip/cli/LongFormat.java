package dev.xip.cli;

import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.mount.DirectoryListing;
import java.io.IOException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/** Attributes of files the way {@code ls -l} shows them, and as members of a JSON object. */
final class LongFormat {
  private static final DateTimeFormatter MINUTES =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm", Locale.ROOT).withZone(ZoneId.systemDefault());

  private LongFormat() {}

  /** Formats a mode: type, then rwx for owner, group and others with set-id and sticky bits. */
  static String mode(Inode inode) {
    int bits = inode.permissions();
    StringBuilder text = new StringBuilder().append(inode.type().letter());
    for (int shift = 6; shift >= 0; shift -= 3) {
      int three = bits >> shift & 7;
      text.append((three & 4) != 0 ? 'r' : '-').append((three & 2) != 0 ? 'w' : '-');
      boolean special = (bits & 01000 << shift / 3) != 0;
      char letter = shift == 0 ? 't' : 's';
      boolean executable = (three & 1) != 0;
      text.append(
          special ? executable ? letter : Character.toUpperCase(letter) : executable ? 'x' : '-');
    }
    return text.toString();
  }

  /** {@return the size, or the numbers of a device node} */
  private static String size(Inode inode, Sizes sizes) {
    return isDevice(inode)
        ? "%d, %d".formatted(inode.deviceMajor(), inode.deviceMinor())
        : sizes.of(inode.size());
  }

  static boolean isDevice(Inode inode) {
    return inode.type() == FileType.CHARACTER_DEVICE || inode.type() == FileType.BLOCK_DEVICE;
  }

  /** Prints entries in columns as wide as their widest field. */
  static void print(List<DirectoryListing.Entry> entries, Sizes sizes, Output out)
      throws IOException {
    int links = 1;
    int uid = 1;
    int gid = 1;
    int size = 1;
    for (DirectoryListing.Entry each : entries) {
      Inode inode = each.inode();
      links = Math.max(links, Long.toString(inode.links()).length());
      uid = Math.max(uid, Long.toString(inode.uid()).length());
      gid = Math.max(gid, Long.toString(inode.gid()).length());
      size = Math.max(size, size(inode, sizes).length());
    }
    String columns = "%%s %%%dd %%-%dd %%-%dd %%%ds %%s ".formatted(links, uid, gid, size);
    for (DirectoryListing.Entry each : entries) {
      Inode inode = each.inode();
      out.text(
          columns.formatted(
              mode(inode),
              inode.links(),
              inode.uid(),
              inode.gid(),
              size(inode, sizes),
              MINUTES.format(inode.modified())));
      out.name(each.name());
      if (each.target() != null) {
        out.text(" -> ");
        out.name(each.target());
      }
      out.text("\n");
    }
  }

  /** Writes all attributes as members of the open object. */
  static void writeAttributes(Inode inode, JsonWriter json) throws IOException {
    json.member("inode", inode.number())
        .member("type", inode.type().name().toLowerCase(Locale.ROOT))
        .member("mode", "%04o".formatted(inode.permissions()))
        .member("links", inode.links())
        .member("uid", inode.uid())
        .member("gid", inode.gid())
        .member("size", inode.size())
        .member("sectors", inode.sectors())
        .member("accessed", inode.accessed().toString())
        .member("modified", inode.modified().toString())
        .member("changed", inode.changed().toString());
    if (isDevice(inode)) {
      json.member("major", inode.deviceMajor()).member("minor", inode.deviceMinor());
    }
  }
}
