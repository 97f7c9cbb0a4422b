package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.mount.DirectoryListing;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip ls}: lists files of an image. */
@Command(
    name = "ls",
    header = "List files of an image.",
    description = {
      "%nLists the files of a directory, sorted by the bytes of their names, or PATH itself if it"
          + " is another file. Names are printed as bytes; on a terminal, control characters are"
          + " escaped as in \\x1b.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip ls disk.img",
      "  xip ls -l disk.img /etc",
      "  xip ls -R --json disk.img | jq -r '.entries[].path'",
      "",
      "Columns of -l: mode, links, owner, group, size (of a device: major, minor), time of"
          + " modification, name, and the target of a symbolic link."
    })
final class LsCommand extends ImageCommand {
  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "PATH",
      defaultValue = ROOT,
      converter = PathConverter.class,
      description = "A path inside the image; default: ${DEFAULT-VALUE}.")
  private FileName path;

  @Option(names = "-l", description = "One line of attributes for each file.")
  private boolean columns;

  @Option(names = "-R", description = "List subdirectories too.")
  private boolean recursive;

  @Mixin private Sizes sizes = new Sizes();

  @Option(names = "--json", description = "Print one JSON object with all attributes.")
  private boolean json;

  LsCommand() {}

  @Override
  int run(OpenImage mount, FsImage image, Output out) throws IOException {
    // Like ls(1): -l shows a symbolic link itself, unless a trailing slash asks for its target.
    Inode start = PathResolver.resolve(image, path, !columns && !json);
    if (json) {
      printJson(image, start, out);
    } else if (start.type() != FileType.DIRECTORY) {
      print(List.of(DirectoryListing.Entry.of(image, path, start)), out);
    } else if (recursive) {
      printTree(image, start, out);
    } else {
      print(DirectoryListing.of(image, start), out);
    }
    return Main.DONE;
  }

  private void print(List<DirectoryListing.Entry> entries, Output out) throws IOException {
    if (columns) {
      LongFormat.print(entries, sizes, out);
      return;
    }
    for (DirectoryListing.Entry each : entries) {
      out.name(each.name());
      out.text("\n");
    }
  }

  private void printTree(FsImage image, Inode start, Output out) throws IOException {
    boolean[] second = new boolean[1];
    TreeWalk.walk(
        image,
        start,
        (walk, inode) -> {
          if (inode.type() == FileType.DIRECTORY) {
            out.text(second[0] ? "\n" : "");
            second[0] = true;
            out.name(Paths.join(path, walk.path()));
            out.text(":\n");
            print(DirectoryListing.of(image, inode), out);
          }
        });
  }

  private void printJson(FsImage image, Inode start, Output out) throws IOException {
    JsonWriter writer = new JsonWriter(out).beginObject();
    writer
        .member("image", FileName.of(image.name()))
        .member("path", path)
        .name("entries")
        .beginArray();
    if (start.type() != FileType.DIRECTORY) {
      writeEntry(image, path, start, writer);
    } else if (recursive) {
      TreeWalk.walk(
          image,
          start,
          (walk, inode) -> {
            FileName below = walk.path();
            if (below.length() > 0) {
              writeEntry(image, Paths.join(path, below), inode, writer);
            }
          });
    } else {
      for (DirectoryListing.Entry each : DirectoryListing.of(image, start)) {
        writeEntry(image, Paths.join(path, each.name()), each.inode(), writer);
      }
    }
    writer.endArray().endObject().finish();
  }

  private static void writeEntry(FsImage image, FileName path, Inode inode, JsonWriter json)
      throws IOException {
    json.beginObject().member("path", path);
    LongFormat.writeAttributes(inode, json);
    DirectoryListing.Entry entry = DirectoryListing.Entry.of(image, path, inode);
    if (entry.target() != null) {
      json.member("target", entry.target());
    }
    json.endObject();
  }
}
