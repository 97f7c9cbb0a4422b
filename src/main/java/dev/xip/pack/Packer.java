package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.extract.Destination;
import dev.xip.extract.PendingFile;
import dev.xip.host.HostFile;
import dev.xip.host.HostPaths;
import dev.xip.host.ScratchFolder;
import dev.xip.image.PathResolver;
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
import java.util.Map;
import java.util.UUID;

/**
 * Makes an image of a folder or tar archive. An ext image is made by mke2fs and filled by an {@link
 * ImageWriter}, with files of 2 MiB or more aligned to 2 MiB; an EROFS image is made by mkfs.erofs
 * alone. The image gets its name only when it is complete and on the disk; a failure leaves what
 * was there before.
 */
public final class Packer {
  /** What an argument takes beside its text: the name of its option, its end, its address. */
  private static final int ARGUMENT_BYTES = 32;

  /** Arguments and environment may have 2 MiB on most hosts, and never less than 128 KiB. */
  private static final long MOST_ARGUMENTS = 64 << 10;

  /** The folder to be packed, or the archive. */
  private final Path source;

  private final boolean archive;
  private final Path image;
  private final PackOptions options;
  private final ProgressListener progress;

  private Packer(
      Path source, boolean archive, Path image, PackOptions options, ProgressListener progress) {
    this.source = source;
    this.archive = archive;
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
    Tool tool = tool(options.format());
    Path real = checkArguments(directory, image);
    return new Packer(real, false, image, options, progress).pack(tool);
  }

  /**
   * Packs the files of a tar archive. An ext image keeps their owners, also if the caller is not
   * root. For an EROFS image they are unpacked beside it, with the owners that the system lets the
   * caller set.
   *
   * @param tar the archive, not compressed
   * @param image the image file to make or to replace
   * @param options the format, and what to leave out or change
   * @param progress receives the number of bytes written
   * @return the result
   * @throws IOException if it is no archive, the tool is missing or fails, or the image cannot be
   *     written
   * @throws InterruptedException if the thread is interrupted while the tool works
   */
  public static PackReport packTar(
      Path tar, Path image, PackOptions options, ProgressListener progress)
      throws IOException, InterruptedException {
    Tool tool = tool(options.format());
    demandNoFolder(image);
    if (!Files.exists(tar)) {
      throw new NoSuchFileException(HostPaths.text(tar));
    }
    if (!Files.isRegularFile(tar)) {
      throw new FileSystemException(HostPaths.text(tar), null, "Not a regular file");
    }
    return new Packer(tar, true, image, options, progress).pack(tool);
  }

  private static Tool tool(PackFormat format) throws IOException {
    return Tool.find(format.tool())
        .orElseThrow(
            () ->
                new IOException(
                    "%s not found on PATH or in /usr/sbin: install the package %s"
                        .formatted(format.tool(), format.toolPackage())));
  }

  private PackReport pack(Tool tool) throws IOException, InterruptedException {
    try (PackTree tree =
        archive ? TarTree.look(source, options) : SourceTree.look(source, options)) {
      return options.format() == PackFormat.EROFS ? erofs(tool, tree) : ext(tool, tree);
    }
  }

  private static void demandNoFolder(Path image) throws FileSystemException {
    if (Files.isDirectory(image)) {
      throw new FileSystemException(HostPaths.text(image), null, "Is a directory");
    }
  }

  private static Path checkArguments(Path directory, Path image) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(HostPaths.text(directory));
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(HostPaths.text(directory));
    }
    demandNoFolder(image);
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

  private PackReport ext(Tool tool, PackTree tree) throws IOException, InterruptedException {
    try (Destination target = target();
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
  private void format(Tool tool, Path file, PackTree tree, UUID identity, NewImageSize size)
      throws IOException, InterruptedException {
    List<String> arguments =
        List.of(
            "-q",
            "-F",
            "-t",
            options.format().toString(),
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
            HostPaths.text(file),
            Long.toString(size.blocks()));
    demandSuccess(tool, tool.run(environment(tree), () -> {}, arguments), file);
  }

  /** Fills an image, or returns how many blocks are missing. */
  private long fill(Path file, PackTree tree, NewImageSize size) throws IOException {
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

  private PackReport erofs(Tool tool, PackTree tree) throws IOException, InterruptedException {
    if (!archive && areFew(tree.excluded())) {
      return erofs(tool, tree, source, tree.excluded(), List.of(), List.of());
    }
    Path folder = image.toAbsolutePath().getParent();
    try (ScratchFolder scratch = ScratchFolder.in(folder, ".xip-pack")) {
      Path staged = scratch.path().resolve("image");
      PackOptions all = new PackOptions(PackFormat.EXT4, List.of(), options.uid(), options.gid());
      PackReport ext =
          new Packer(source, archive, staged, all, ProgressListener.NONE)
              .ext(tool(PackFormat.EXT4), tree);
      Path unpacked = Files.createDirectory(scratch.path().resolve("tree"));
      List<PackReport.Loss> losses = new ArrayList<>(ext.losses());
      losses.addAll(StagedTree.unpack(staged, unpacked, source, options.uid() == PackOptions.KEPT));
      return erofs(tool, tree, unpacked, List.of(), ext.leftOut(), losses);
    }
  }

  /** Tells whether paths surely fit into the arguments of a program, execve(2). */
  private static boolean areFew(List<FileName> paths) {
    return paths.stream().mapToLong(each -> each.length() + ARGUMENT_BYTES).sum() < MOST_ARGUMENTS;
  }

  private PackReport erofs(
      Tool tool,
      PackTree tree,
      Path folder,
      List<FileName> excluded,
      List<FileName> leftOut,
      List<PackReport.Loss> lost)
      throws IOException, InterruptedException {
    try (Destination target = target();
        PendingFile pending = PendingFile.at(target)) {
      List<String> arguments =
          new ArrayList<>(
              List.of("-E", "noinline_data", "-U", tree.identity().toString(), "--preserve-mtime"));
      if (options.uid() != PackOptions.KEPT) {
        arguments.add("--force-uid=" + options.uid());
        arguments.add("--force-gid=" + options.gid());
      }
      for (FileName each : excluded) {
        arguments.add("--exclude-path=" + each.exactText());
      }
      arguments.addAll(List.of(HostPaths.text(pending.path()), HostPaths.text(folder)));
      demandSuccess(
          tool,
          tool.run(environment(tree), () -> watch(pending.path(), tree.bytes()), arguments),
          pending.path());
      List<PackReport.Loss> losses = new ArrayList<>(lost);
      addMissing(pending.path(), tree.doubtful(), losses);
      return finish(pending, tree, leftOut, losses, look(pending.path()));
    }
  }

  /** Adds the files that mkfs.erofs has left out: its versions differ. */
  private static void addMissing(
      Path file, List<PackTree.Doubtful> doubtful, List<PackReport.Loss> losses)
      throws IOException {
    if (doubtful.isEmpty()) {
      return;
    }
    try (OpenImage made = OpenImage.open(file)) {
      for (PackTree.Doubtful each : doubtful) {
        try {
          PathResolver.resolve(made.image(), each.path(), false);
        } catch (NoSuchFileException e) {
          losses.add(new PackReport.Loss(each.shown(), "mkfs.erofs leaves out names like this"));
        }
      }
    }
  }

  private PackReport finish(
      PendingFile pending,
      PackTree tree,
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
  private static Map<String, String> environment(PackTree tree) {
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
                  result.reason().replace(HostPaths.text(file), HostPaths.text(image))));
    }
  }
}
