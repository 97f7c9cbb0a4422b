package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.extract.CopyOut;
import dev.xip.host.HostPaths;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The folder that mkfs.erofs is given where it cannot read the source itself: an archive, or a
 * folder of which much is left out. It is unpacked from an ext image of the source.
 */
final class StagedTree {
  private StagedTree() {}

  /**
   * Unpacks it.
   *
   * @param staged the ext image
   * @param folder an empty folder, which receives the files
   * @param source the folder or archive of which the image was made, for the losses
   * @param ownersCount whether an owner that cannot be set is a loss
   * @return what got lost
   * @throws IOException if the image cannot be read or the folder not be written
   */
  static List<PackReport.Loss> unpack(Path staged, Path folder, Path source, boolean ownersCount)
      throws IOException {
    CopyOut.Outcome outcome;
    try (OpenImage mount = OpenImage.open(staged)) {
      outcome =
          CopyOut.copy(
              mount,
              mount.image().root(),
              FileName.of(""),
              HostPaths.nameOf(folder),
              new CopyOut.Options(true, true, true, true),
              ProgressListener.NONE);
    }
    FileName from = HostPaths.nameOf(source);
    List<PackReport.Loss> losses = new ArrayList<>();
    if (outcome.foreign() > 0 && ownersCount) {
      losses.add(
          new PackReport.Loss(
              from,
              "owner or group of %d files, which only root can set".formatted(outcome.foreign())));
    }
    if (outcome.leftOut() > 0) {
      losses.add(
          new PackReport.Loss(
              from,
              "%d files, the first %s"
                  .formatted(outcome.leftOut(), inArchive(outcome.firstLeftOut(), folder))));
    }
    if (outcome.privileged() + outcome.refused() > 0) {
      losses.add(
          new PackReport.Loss(
              from,
              "%d extended attributes, the first %s"
                  .formatted(
                      outcome.privileged() + outcome.refused(),
                      inArchive(
                          outcome.privileged() > 0
                              ? outcome.firstPrivileged()
                              : outcome.firstRefused(),
                          folder))));
    }
    return losses;
  }

  /** The folder into which an archive was unpacked is gone when the caller reads of it. */
  private static String inArchive(String text, Path unpacked) {
    return text.replace(HostPaths.text(unpacked) + "/", "");
  }
}
