package dev.xip.machine;

import dev.xip.host.HostFile;
import dev.xip.host.HostPaths;
import dev.xip.image.Verdict;
import dev.xip.image.ext.AlignedImage;
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
import java.util.List;
import java.util.Map;

/**
 * Makes an image of a folder with the format's own tool; an ext2 image with files of 2 MiB or more
 * is then written once more with these aligned to 2 MiB. The image appears under its name only when
 * it is whole and on the disk; a failure leaves what was there before.
 */
public final class Packer {
  /** Files up to this size are taken as having no holes, which saves opening them. */
  private static final long SMALL_FILE = 1 << 16;

  /** A file laid out in whole blocks of its own; dump.erofs prints the number of the layout. */
  private static final String EROFS_FLAT_PLAIN = "Layout: 0 ";

  private final Path directory;
  private final Path image;
  private final ProgressListener progress;

  private Packer(Path directory, Path image, ProgressListener progress) {
    this.directory = directory;
    this.image = image;
    this.progress = progress;
  }

  /**
   * Packs a folder. Packed again unchanged, it gives the same bytes where the tool allows it: the
   * volume's UUID and times are taken from the contents.
   *
   * @param directory the folder
   * @param image the image file to make or to replace
   * @param format the format
   * @param progress is told the bytes written
   * @return what became of it, file by file
   * @throws IOException if the folder cannot be read, the tool is missing or fails, or the image
   *     cannot be written
   * @throws InterruptedException if the thread is interrupted while the tool works
   */
  public static PackReport pack(
      Path directory, Path image, PackFormat format, ProgressListener progress)
      throws IOException, InterruptedException {
    Tool tool =
        Tool.find(format.tool())
            .orElseThrow(
                () ->
                    new IOException(
                        "%s not found on PATH or in /usr/sbin: install the package %s"
                            .formatted(format.tool(), format.toolPackage())));
    Path real = checkArguments(directory, image);
    Packer packer = new Packer(real, image, progress);
    return format == PackFormat.EXT2 ? packer.ext2(tool) : packer.erofs(tool);
  }

  private static Path checkArguments(Path directory, Path image) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(directory.toString());
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(directory.toString());
    }
    if (Files.isDirectory(image)) {
      throw new FileSystemException(image.toString(), null, "Is a directory");
    }
    Path real = directory.toRealPath();
    Path folder = image.toAbsolutePath().getParent();
    if (Files.exists(folder) && folder.toRealPath().startsWith(real)) {
      throw new FileSystemException(
          image.toString(), null, "lies inside %s, which is to be packed".formatted(directory));
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

  private PackReport ext2(Tool tool) throws IOException, InterruptedException {
    TreeSurvey survey = TreeSurvey.of(directory, Packer::allocatedBytes);
    try (Destination target = target();
        PendingFile made = PendingFile.at(target);
        PendingFile aligned = PendingFile.at(target)) {
      boolean holesKept = true;
      Tool.Result result = makeExt2(tool, made.path(), survey, true);
      if (result.exit() != 0 && result.output().contains("Could not allocate block")) {
        // A host that compresses keeps fewer blocks for a file than the image needs.
        Files.deleteIfExists(made.path());
        holesKept = false;
        result = makeExt2(tool, made.path(), survey, false);
      }
      demandSuccess(tool, result);
      List<String> obstacles = List.of();
      PendingFile best = made;
      if (survey.contents().slots(holesKept) > 0) {
        obstacles = align(made.path(), aligned.path(), survey);
        best = obstacles.isEmpty() ? aligned : made;
      }
      return finish(best, PackFormat.EXT2, survey, look(best.path(), obstacles));
    }
  }

  /** Writes an image anew with its large files aligned, or says what keeps it from that. */
  private List<String> align(Path made, Path aligned, TreeSurvey survey) throws IOException {
    try (FileChannel from = FileChannel.open(made);
        AlignedImage anew = AlignedImage.of(image.toString(), from)) {
      List<String> obstacles = anew.obstacles();
      if (obstacles.isEmpty()) {
        long bytes = survey.bytes();
        try (FileChannel to = FileChannel.open(aligned, StandardOpenOption.WRITE)) {
          anew.write(to, done -> progress.at(bytes + Math.min(done, bytes), 2 * bytes));
        }
      }
      return obstacles;
    } catch (FileSystemException | ClosedByInterruptException named) {
      throw named;
    } catch (IOException e) {
      // The system says what is wrong, but not with which file.
      FileSystemException named = new FileSystemException(image.toString(), null, e.getMessage());
      named.initCause(e);
      throw named;
    }
  }

  private Tool.Result makeExt2(Tool tool, Path file, TreeSurvey survey, boolean holesKept)
      throws IOException, InterruptedException {
    Ext2Size.Contents contents = survey.contents();
    Ext2Size size = Ext2Size.of(contents, holesKept);
    String identity = survey.identity().toString();
    List<String> arguments =
        List.of(
            "-q",
            "-F",
            "-t",
            "ext2",
            "-b",
            Integer.toString(Ext2Size.BLOCK),
            "-m",
            "0",
            "-N",
            Long.toString(size.inodes()),
            // The volume never grows, so no blocks are kept for more group descriptors.
            "-O",
            "^resize_inode",
            "-U",
            identity,
            "-E",
            "hash_seed=" + identity,
            "-d",
            directory.toString(),
            file.toString(),
            Long.toString(size.blocks()));
    // What is to be aligned is written twice.
    long total = contents.slots(holesKept) == 0 ? survey.bytes() : 2 * survey.bytes();
    return tool.run(clock(survey), () -> watch(file, survey, total), arguments);
  }

  /** What an image turned out to be. */
  private record Look(
      List<Placement.FilePlacement> notInPlace, PackReport.Alignment alignment, String proof) {}

  private static Look look(Path file, List<String> obstacles) throws IOException {
    List<Placement.FilePlacement> found = new ArrayList<>();
    long[] large = new long[1];
    long[] aligned = new long[1];
    try (ImageMount mount = ImageMount.open(file)) {
      Placement.check(
          mount.image(),
          mount.image().root(),
          each -> {
            if (each.verdict() != Verdict.IN_PLACE) {
              found.add(each);
            }
            long size = each.inode().size();
            large[0] += size >= AlignedImage.ALIGNMENT ? size : 0;
            aligned[0] += Math.min(size, each.alignedBytes());
          },
          ProgressListener.NONE);
    }
    return new Look(
        found, new PackReport.Alignment(large[0], aligned[0], obstacles), "looked up file by file");
  }

  private PackReport erofs(Tool tool) throws IOException, InterruptedException {
    TreeSurvey survey = TreeSurvey.of(directory, Files::size);
    try (Destination target = target();
        PendingFile pending = PendingFile.at(target)) {
      List<String> arguments =
          List.of(
              "-E",
              "noinline_data",
              "-U",
              survey.identity().toString(),
              "-T",
              Long.toString(survey.newestSeconds()),
              "--preserve-mtime",
              pending.path().toString(),
              directory.toString());
      demandSuccess(
          tool,
          tool.run(clock(survey), () -> watch(pending.path(), survey, survey.bytes()), arguments));
      String proof = checkErofsLayout(pending.path(), survey);
      return finish(
          pending, PackFormat.EROFS, survey, new Look(List.of(), PackReport.Alignment.NONE, proof));
    }
  }

  /**
   * Looks at one file that would be tail-packed if the tool did not know noinline_data: unknown
   * extended options are passed over by mkfs.erofs without a word.
   */
  private String checkErofsLayout(Path file, TreeSurvey survey)
      throws IOException, InterruptedException {
    String asked = "asked of mkfs.erofs (-E noinline_data)";
    if (survey.fileWithTail() == null) {
      return asked + "; no file has a tail";
    }
    Tool dump = Tool.find("dump.erofs").orElse(null);
    if (dump == null) {
      return asked + "; not checked: dump.erofs not found, install the package erofs-utils";
    }
    String inside = "/" + directory.relativize(survey.fileWithTail());
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

  private PackReport finish(PendingFile pending, PackFormat format, TreeSurvey survey, Look look)
      throws IOException {
    pending.sync();
    long size = Files.size(pending.path());
    pending.commit();
    pending.syncFolder();
    return new PackReport(
        image,
        format,
        size,
        survey.files(),
        survey.bytes(),
        look.notInPlace,
        look.alignment,
        look.proof,
        survey.sockets());
  }

  /** Gives the tools a clock that stands still, so that the same tree gives the same image. */
  private static Map<String, String> clock(TreeSurvey survey) {
    return Map.of("E2FSPROGS_FAKE_TIME", Long.toString(survey.newestSeconds()));
  }

  private void watch(Path file, TreeSurvey survey, long total) throws IOException {
    if (Files.exists(file)) {
      progress.at(Math.min(allocated(file), survey.bytes()), total);
    }
  }

  private void demandSuccess(Tool tool, Tool.Result result) throws IOException {
    if (result.exit() != 0) {
      throw new FileSystemException(
          image.toString(),
          null,
          "%s exit %d: %s"
              .formatted(tool.program().getFileName(), result.exit(), result.lastLine()));
    }
  }

  private static long allocatedBytes(Path file) throws IOException {
    long size = Files.size(file);
    return size <= SMALL_FILE ? size : allocated(file);
  }

  private static long allocated(Path file) throws IOException {
    try (HostFile open = HostFile.openReadOnly(file)) {
      return open.stat().blocks512() * 512;
    }
  }
}
