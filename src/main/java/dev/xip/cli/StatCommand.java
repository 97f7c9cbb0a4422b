package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.DirectoryListing;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip stat}: shows the attributes and extents of a file. */
@Command(
    name = "stat",
    header = "Show all attributes and extents of a file, and whether it can be used in place.",
    description = {
      "%nShows the inode with all attributes and extended attributes, then the extents, each with"
          + " its bytes in the file and in the image. Between extents are holes. If PATH ends in a"
          + " symbolic link, the link itself is shown.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip stat disk.img /bin/sh",
      "  xip stat --json disk.img /lib/libc.so.6 | jq '.extents[].imageOffset'"
    })
final class StatCommand extends ImageCommand {
  @Parameters(
      index = "1",
      paramLabel = "PATH",
      converter = PathConverter.class,
      description = "A path inside the image.")
  private FileName path;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  StatCommand() {}

  @Override
  int run(OpenImage mount, FsImage image, Output out) throws IOException {
    DirectoryListing.Entry entry =
        DirectoryListing.Entry.of(image, path, PathResolver.resolve(image, path, false));
    BlockMap map = image.blockMap(entry.inode());
    SortedMap<FileName, byte[]> attributes = image.extendedAttributes(entry.inode());
    if (json) {
      printJson(mount, entry, attributes, map, out);
    } else {
      print(entry, attributes, map, out);
      if (!mount.overlay().isEmpty()) {
        out.line(" journal  " + JournalText.of(mount.overlay()));
      }
    }
    return Main.DONE;
  }

  private static void print(
      DirectoryListing.Entry entry,
      SortedMap<FileName, byte[]> attributes,
      BlockMap map,
      Output out)
      throws IOException {
    Inode inode = entry.inode();
    out.text("    file  ");
    out.name(entry.name());
    if (entry.target() != null) {
      out.text(" -> ");
      out.name(entry.target());
    }
    out.line("");
    String type = inode.type().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    out.line("    type  " + type);
    out.line("   inode  %d at byte 0x%x".formatted(inode.number(), inode.offset()));
    out.line("    mode  %04o %s".formatted(inode.permissions(), LongFormat.mode(inode)));
    out.line("   owner  %d   group  %d".formatted(inode.uid(), inode.gid()));
    out.line("   links  %d".formatted(inode.links()));
    if (LongFormat.isDevice(inode)) {
      out.line("  device  %d, %d".formatted(inode.deviceMajor(), inode.deviceMinor()));
    }
    out.line(
        "    size  %s in %,d sectors of 512".formatted(Sizes.both(inode.size()), inode.sectors()));
    out.line("accessed  " + inode.accessed());
    out.line("modified  " + inode.modified());
    out.line(" changed  " + inode.changed());
    if (inode.created() != null) {
      out.line(" created  " + inode.created());
    }
    for (Map.Entry<FileName, byte[]> each : attributes.entrySet()) {
      out.text("   xattr  ");
      out.name(each.getKey());
      out.line("=" + spelled(each.getValue()));
    }
    if (inode.type() == FileType.REGULAR) {
      out.line(" verdict  " + map.verdict().reason());
    }
    for (int i = 0; i < map.extentCount(); i++) {
      Extent extent = map.extent(i);
      out.line(
          "  extent  file [0x%x, 0x%x)  image [0x%x, 0x%x)"
              .formatted(
                  extent.fileOffset(),
                  extent.fileEnd(),
                  extent.imageOffset(),
                  extent.imageOffset() + extent.length()));
    }
  }

  /** Formats a value as getfattr(1) does: text in quotes, other values in hexadecimal. */
  private static String spelled(byte[] value) {
    StringBuilder text = new StringBuilder("\"");
    for (byte b : value) {
      if (b < ' ' || b > '~') {
        return "0x" + HexFormat.of().formatHex(value);
      }
      text.append(b == '"' || b == '\\' ? "\\" : "").append((char) b);
    }
    return text.append('"').toString();
  }

  private static void printJson(
      OpenImage mount,
      DirectoryListing.Entry entry,
      SortedMap<FileName, byte[]> attributes,
      BlockMap map,
      Output out)
      throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("image", mount.image().name()).member("path", entry.name());
    JournalText.write(mount.overlay(), json);
    LongFormat.writeAttributes(entry.inode(), json);
    if (entry.target() != null) {
      json.member("target", entry.target());
    }
    if (entry.inode().created() != null) {
      json.member("created", entry.inode().created().toString());
    }
    json.name("xattrs").beginArray();
    for (Map.Entry<FileName, byte[]> each : attributes.entrySet()) {
      json.beginObject()
          .member("name", each.getKey())
          .member("valueHex", HexFormat.of().formatHex(each.getValue()))
          .endObject();
    }
    json.endArray();
    json.member("inodeOffset", entry.inode().offset());
    if (entry.inode().type() == FileType.REGULAR) {
      json.member("verdict", map.verdict().name().toLowerCase(Locale.ROOT));
    }
    json.name("extents").beginArray();
    for (int i = 0; i < map.extentCount(); i++) {
      json.beginObject()
          .member("fileOffset", map.extent(i).fileOffset())
          .member("imageOffset", map.extent(i).imageOffset())
          .member("length", map.extent(i).length())
          .endObject();
    }
    json.endArray().endObject().finish();
  }
}
