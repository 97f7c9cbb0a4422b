package dev.xip.mount;

import dev.xip.base.LostPages;
import dev.xip.file.WholeFile;
import dev.xip.host.HostMapping;
import dev.xip.host.HostPaths;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An image in use, in a file or adjacent segments: opened once, mapped once, read-only, and read as
 * the format that its magic number names. Safe for any number of threads until it is closed. A file
 * is opened and mapped by the JDK alone: to link the first native call takes longer than most
 * commands.
 */
public final class OpenImage implements AutoCloseable {
  /**
   * The prefix of the name of an image in segments, before the names of the segments, separated by
   * colons.
   */
  public static final String SEGMENTS = "segment:";

  private final List<ImagePiece> pieces;

  /** Unmaps the image; a second time does nothing. */
  private final Closeable mapping;

  private final FsImage image;

  private final ImageViews views;

  private final List<String> warnings;

  private OpenImage(
      List<ImagePiece> pieces, Closeable mapping, FsImage image, List<String> warnings) {
    this.pieces = List.copyOf(pieces);
    this.mapping = mapping;
    this.image = image;
    this.warnings = warnings;
    this.views = new ImageViews(image, pieces.stream().map(ImagePiece::end).toList());
  }

  /**
   * Opens an image that is a whole file or block device.
   *
   * @param path its path
   * @return the image, to be closed
   * @throws IOException as {@link #open(ImageSource)} does
   */
  public static OpenImage open(Path path) throws IOException {
    return open(ImageSource.of(path));
  }

  /**
   * Opens an image.
   *
   * @param source where it lies
   * @return the image, to be closed
   * @throws NoSuchFileException if there is no such file
   * @throws AccessDeniedException if it may not be read
   * @throws FileSystemException if the source names a place that is not there, or holds a disk with
   *     partitions of which none is named
   * @throws CorruptImageException if it is empty, no image, damaged, or of a kind that is not read
   * @throws IOException if the system refuses otherwise
   */
  public static OpenImage open(ImageSource source) throws IOException {
    FileChannel channel = source.open();
    HostMapping mapping = null;
    try {
      ImagePlace place = source.find(channel);
      String name = source.name();
      LostPages.Origin origin =
          new LostPages.Origin(name, HostPaths.text(source.file()), place.end());
      mapping = HostMapping.map(channel, origin, place.firstPage());
      MemorySegment memory = mapping.memory().asSlice(place.beforeIt());
      return new OpenImage(
          List.of(new ImagePiece(0, place.length(), place.offset(), source.file(), channel)),
          mapping::close,
          ImageFormats.open(name, memory, source.format()),
          place.warnings());
    } catch (IOException | RuntimeException | Error e) {
      if (mapping != null) {
        mapping.close();
      }
      channel.close();
      throw e;
    }
  }

  /**
   * Opens the image in adjacent segments, which are loaded shared.
   *
   * @param store where the segments are
   * @param names the segments, at least one, in any order
   * @return the image, to be closed
   * @throws SegmentException if a segment cannot be loaded or they are not adjacent
   * @throws CorruptImageException if they hold no image, one that is damaged, or of a kind that is
   *     not read
   * @throws IOException if the system refuses otherwise
   */
  public static OpenImage open(SegmentStore store, List<SegmentName> names) throws IOException {
    SegmentImage loaded = SegmentImage.load(store, names);
    try {
      String name = names.stream().map(SegmentName::value).collect(Collectors.joining(":"));
      FsImage image = ImageFormats.open(SEGMENTS + name, loaded.bytes());
      return new OpenImage(loaded.pieces(), loaded, image, List.of());
    } catch (IOException | RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /** {@return the image, valid until this is closed} */
  public FsImage image() {
    return image;
  }

  /** {@return what is unusual about where the image lies but does not keep it from being read} */
  public List<String> warnings() {
    return warnings;
  }

  /**
   * Opens a file as contiguous memory.
   *
   * @param inode a regular file's inode
   * @return the file, to be closed, and closed with this image at the latest
   * @throws FileSystemException if it is not a regular file, or its bytes are stored in another
   *     form
   * @throws IOException if the image is damaged there
   */
  public WholeFile whole(Inode inode) throws IOException {
    return views.whole(inode);
  }

  /**
   * Returns the files that are mapped, in image order, even if other files have their names by now.
   * An interrupt of a thread that uses a channel closes it for all.
   *
   * @return open files for reading, closed with this image
   */
  public List<ImagePiece> pieces() {
    return pieces;
  }

  /**
   * Unmaps and closes the image, and the views of its files; a second time does nothing.
   * Precondition: no thread uses the image any more.
   *
   * @throws IOException if it cannot be closed
   */
  @Override
  public void close() throws IOException {
    views.close();
    try {
      mapping.close();
    } finally {
      for (ImagePiece each : pieces) {
        each.channel().close();
      }
    }
  }
}
