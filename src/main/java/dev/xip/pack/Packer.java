package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.extract.Destination;
import dev.xip.extract.PendingFile;
import dev.xip.host.HostFile;
import dev.xip.host.HostPaths;
import dev.xip.image.Verdict;
import dev.xip.mount.OpenImage;
import dev.xip.mount.Placement;
import dev.xip.pack.ext.ImageWriter;
import dev.xip.pack.ext.NewImageSize;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Makes an image of a folder. An ext image is made by mke2fs and filled by an {@link ImageWriter},
 * with files of 2 MiB or more aligned to 2 MiB; an EROFS image is made by mkfs.erofs alone. The
 * image gets its name only when it is complete and on the disk; a failure leaves what was there
 * before.
 */
public final class Packer {
  /** A file laid out in whole blocks of its own; dump.erofs prints the number of the layout. */
  private static final String EROFS_FLAT_PLAIN = "Layout: 0 ";

  private final Path directory;
  private final Path image;
  private final PackOptions options;
  private final ProgressListener progress;

  private Packer(Path directory, Path image, PackOptions options, ProgressListener progress) {
    this.directory = directory;
    this.image = image;
    this.options = options;
    this.progress = progress;
  }

  /**
   * Packs a whole folder as it is.
   *
   * @param directory the folder
   * @param image the image file to make or to replace
   * @param format the format
   * @param progress receives the number of bytes written
   * @return the result
   * @throws IOException as {@link #pack(Path, Path, PackOptions, ProgressListener)} does
   * @throws InterruptedException if the thread is interrupted while the tool works
   */
  public static PackReport pack(
      Path directory, Path image, PackFormat format, ProgressListener progress)
      throws IOException, InterruptedException {
    return pack(directory, image, PackOptions.of(format), progress);
  }

  /**
   * Packs a folder. Packed again unchanged, it gives the same bytes where the tool allows it: the
   * volume's UUID and times are taken from the contents.
   *
   * @param directory the folder
   * @param image the image file to make or to replace
   * @param options the format, and what to leave out or change
   * @param progress receives the number of bytes written
   * @return the result
   * @throws IOException if the folder cannot be read, the tool is missing or fails, or the image
   *     cannot be written
   * @throws InterruptedException if the thread is interrupted while the tool works
   */
  public static PackReport pack(
      Path directory, Path image, PackOptions options, ProgressListener progress)
      throws IOException, InterruptedException {
    PackFormat format = options.format();
    Tool tool =
        Tool.find(format.tool())
            .orElseThrow(
                () ->
                    new IOException(
                        "%s not found on PATH or in /usr/sbin: install the package %s"
                            .formatted(format.tool(), format.toolPackage())));
    Path real = checkArguments(directory, image);
    Packer packer = new Packer(real, image, options, progress);
    return format == PackFormat.EROFS ? packer.erofs(tool) : packer.ext(tool);
  }

  private static Path checkArguments(Path directory, Path image) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(HostPaths.text(directory));
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(HostPaths.text(directory));
    }
    if (Files.isDirectory(image)) {
      throw new FileSystemException(HostPaths.text(image), null, "Is a directory");
    }
    Path real = directory.toRealPath();
    Path folder = image.toAbsolutePath().getParent();
    if (Files.exists(folder) && folder.toRealPath().startsWith(real)) {
      throw new FileSystemException(
          HostPaths.text(image),
          null,
          "lies inside %s, which is to be packed".formatted(HostPaths.text(directory)));
    }
    return real;
  }

  private Destination target() throws IOException {
    Destination target = Destination.of(HostPaths.nameOf(image), true);
    try {
      target.demandFile("an image");
      return target;
    } catch (IOException e) {
      target.close();
      throw e;
    }
  }

  private PackReport ext(Tool tool) throws IOException, InterruptedException {
    try (SourceTree tree = SourceTree.look(directory, options);
        Destination target = target();
        PendingFile pending = PendingFile.at(target)) {
      UUID identity = tree.identity();
      NewImageSize size = NewImageSize.of(tree.files(), options.format().filled());
      for (long missing = 1; missing > 0; size = size.plus(missing)) {
        if (!size.isPossible()) {
          throw new FileSystemException(
              HostPaths.text(image),
              null,
              "needs %,d blocks: more than 8 TiB".formatted(size.blocks()));
        }
        try (HostFile file = pending.open()) {
          file.truncate(0);
        }
        format(tool, pending.path(), tree, identity, size);
        missing = fill(pending.path(), tree, size);
      }
      return finish(pending, tree, tree.sockets(), tree.losses(), look(pending.path()));
    }
  }

  /** Has mke2fs make an image without files; nothing of the host's configuration gets into it. */
  private void format(Tool tool, Path file, SourceTree tree, UUID identity, NewImageSize size)
      throws IOException, InterruptedException {
    List<String> arguments =
        List.of(
            "-q",
            "-F",
            "-t",
            options.format().name().toLowerCase(Locale.ROOT),
            "-b",
            Integer.toString(NewImageSize.BLOCK),
            "-I",
            Integer.toString(NewImageSize.INODE),
            "-m",
            "0",
            "-N",
            Long.toString(size.inodes()),
            "-O",
            options.format().filled().features() + (size.dirNlink() ? ",dir_nlink" : ""),
            "-U",
            identity.toString(),
            "-E",
            "root_owner=0:0,lazy_itable_init=0,nodiscard,hash_seed=" + identity,
            file.toString(),
            Long.toString(size.blocks()));
    demandSuccess(tool, tool.run(environment(tree), () -> {}, arguments), file);
  }

  /** Fills an image, or returns how many blocks are missing. */
  private long fill(Path file, SourceTree tree, NewImageSize size) throws IOException {
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        ImageWriter writer =
            ImageWriter.open(HostPaths.text(image), channel, options.format().filled())) {
      long missing = writer.missingBlocks(size);
      if (missing == 0) {
        long[] done = new long[1];
        writer.write(
            tree.files(),
            (each, places, to) -> {
              tree.copy(each, places, to);
              done[0] += each.inode().size();
              progress.at(done[0], tree.bytes());
            });
      }
      return missing;
    } catch (FileSystemException | ClosedByInterruptException named) {
      throw named;
    } catch (IOException e) {
      // The message of the system does not name the file.
      FileSystemException named =
          new FileSystemException(HostPaths.text(image), null, e.getMessage());
      named.initCause(e);
      throw named;
    }
  }

  /** The placement of the files of a finished image. */
  private record Look(
      List<Placement.FilePlacement> notInPlace, PackReport.Alignment alignment, String proof) {}

  private static Look look(Path file) throws IOException {
    List<Placement.FilePlacement> found = new ArrayList<>();
    long[] large = new long[1];
    long[] aligned = new long[1];
    try (OpenImage mount = OpenImage.open(file)) {
      Placement.check(
          mount.image(),
          mount.image().root(),
          each -> {
            if (each.verdict() != Verdict.IN_PLACE) {
              found.add(each);
            }
            long size = each.inode().size();
            large[0] += size >= Placement.HUGE_PAGE ? size : 0;
            aligned[0] += Math.min(size, each.alignedBytes());
          },
          ProgressListener.NONE);
    }
    return new Look(
        found, new PackReport.Alignment(large[0], aligned[0]), "looked up file by file");
  }

  private PackReport erofs(Tool tool) throws IOException, InterruptedException {
    try (SourceTree tree = SourceTree.look(directory, options);
        Destination target = target();
        PendingFile pending = PendingFile.at(target)) {
      List<String> arguments =
          new ArrayList<>(
              List.of("-E", "noinline_data", "-U", tree.identity().toString(), "--preserve-mtime"));
      if (options.uid() != PackOptions.KEPT) {
        arguments.add("--force-uid=" + options.uid());
        arguments.add("--force-gid=" + options.gid());
      }
      for (FileName each : tree.excluded()) {
        arguments.add("--exclude-path=" + each.exactText());
      }
      arguments.addAll(List.of(pending.path().toString(), directory.toString()));
      demandSuccess(
          tool,
          tool.run(environment(tree), () -> watch(pending.path(), tree.bytes()), arguments),
          pending.path());
      String proof = checkErofsLayout(pending.path(), tree);
      // mkfs.erofs keeps sockets, and leaves out names that begin with lost+found.
      List<PackReport.Loss> losses =
          tree.lostAndFound().stream()
              .map(each -> new PackReport.Loss(each, "mkfs.erofs leaves out names like this"))
              .toList();
      return finish(
          pending, tree, List.of(), losses, new Look(List.of(), PackReport.Alignment.NONE, proof));
    }
  }

  /**
   * Checks one file that would be tail-packed if the tool did not know noinline_data: mkfs.erofs
   * ignores unknown extended options silently.
   */
  private static String checkErofsLayout(Path file, SourceTree tree)
      throws IOException, InterruptedException {
    String asked = "asked of mkfs.erofs (-E noinline_data)";
    if (tree.fileWithTail() == null) {
      return asked + "; no file has a tail";
    }
    Tool dump = Tool.find("dump.erofs").orElse(null);
    if (dump == null) {
      return asked + "; not checked: dump.erofs not found, install the package erofs-utils";
    }
    String inside = "/" + tree.fileWithTail();
    Tool.Result result = dump.run(Map.of(), () -> {}, List.of("--path=" + inside, file.toString()));
    if (result.exit() != 0 || !result.output().contains("Layout: ")) {
      return asked + "; not checked: dump.erofs says " + result.lastLine();
    }
    if (!result.output().contains(EROFS_FLAT_PLAIN)) {
      throw new IOException(
          "mkfs.erofs did not lay out %s in place: a newer erofs-utils is needed"
              .formatted(inside));
    }
    return asked + "; dump.erofs confirms it for " + inside;
  }

  private PackReport finish(
      PendingFile pending,
      SourceTree tree,
      List<FileName> leftOut,
      List<PackReport.Loss> losses,
      Look look)
      throws IOException {
    pending.sync();
    long size = Files.size(pending.path());
    pending.commit(tree.grants());
    pending.syncFolder();
    return new PackReport(
        image,
        options.format(),
        size,
        tree.regularFiles(),
        tree.bytes(),
        look.notInPlace,
        look.alignment,
        look.proof,
        leftOut,
        losses);
  }

  /**
   * The environment of the tools: a fixed clock, so that the same tree gives the same image, and no
   * configuration of the host.
   */
  private static Map<String, String> environment(SourceTree tree) {
    Map<String, String> environment = new HashMap<>();
    environment.put("E2FSPROGS_FAKE_TIME", Long.toString(tree.newestSeconds()));
    environment.put("MKE2FS_CONFIG", "/dev/null");
    environment.put("LC_ALL", "C");
    // Mkfs.erofs lowers later times to this one, and takes those before 1970 for such.
    if (!tree.hasTimesBefore1970()) {
      environment.put("SOURCE_DATE_EPOCH", Long.toString(tree.latestSeconds()));
    }
    return environment;
  }

  private void watch(Path file, long total) throws IOException {
    if (Files.exists(file)) {
      try (HostFile open = HostFile.openReadOnly(file)) {
        progress.at(Math.min(open.stat().blocks512() * 512, total), total);
      }
    }
  }

  private void demandSuccess(Tool tool, Tool.Result result, Path file) throws IOException {
    if (result.exit() != 0) {
      throw new FileSystemException(
          HostPaths.text(image),
          null,
          "%s exit %d: %s"
              .formatted(
                  tool.program().getFileName(),
                  result.exit(),
                  result.lastLine().replace(file.toString(), HostPaths.text(image))));
    }
  }
}
