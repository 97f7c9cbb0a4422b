package dev.xip.mount;

import dev.xip.base.LostPages;
import dev.xip.file.WholeFile;
import dev.xip.host.HostMapping;
import dev.xip.host.HostPaths;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.ImageFormat;
import dev.xip.image.Inode;
import dev.xip.image.Overlay;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
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

  private final FileMaps maps;

  private final Overlay overlay;

  private final List<String> warnings;

  /**
   * An image that is mapped, and not read yet.
   *
   * @param name its name, as errors show it
   * @param bytes its bytes as its files have them
   * @param pieces the files
   * @param mapping unmaps it
   * @param warnings what is unusual about the place
   * @param part how a caller names the first partition, if it is a disk; null if none can be named
   */
  private record Mapped(
      String name,
      MemorySegment bytes,
      List<ImagePiece> pieces,
      Closeable mapping,
      List<String> warnings,
      String part) {}

  private OpenImage(Mapped mapped, Closeable mapping, FsImage image, Overlay overlay) {
    this.pieces = List.copyOf(mapped.pieces);
    this.mapping = mapping;
    this.image = image;
    this.overlay = overlay;
    this.warnings = new ArrayList<>(mapped.warnings);
    this.warnings.addAll(image.info().doubts());
    this.views = new ImageViews(image, mapped.bytes, ends(pieces));
    this.maps = new FileMaps(image, views, pieces);
  }

  /** A loop: the first stream of a JVM takes longer than opening an image. */
  private static long[] ends(List<ImagePiece> pieces) {
    long[] ends = new long[pieces.size()];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = pieces.get(i).end();
    }
    return ends;
  }

  /** Reads a mapped image; if that fails, it stays mapped, but its files are closed. */
  private static OpenImage of(Mapped mapped, String formatName, Recovery recovery)
      throws IOException {
    ReplayedMemory replayed = null;
    try {
      ImageFormat format = ImageFormats.choose(mapped.name, mapped.bytes, formatName, mapped.part);
      if (recovery == Recovery.NONE) {
        FsImage image = format.open(mapped.name, mapped.bytes);
        OpenImage open = new OpenImage(mapped, mapped.mapping, image, Overlay.NONE);
        if (image.info().features().contains("needs_recovery")) {
          open.warnings.add("the journal is not replayed: newer changes are missing");
        }
        return open;
      }
      Overlay overlay = format.overlay(mapped.name, mapped.bytes);
      if (overlay.isEmpty()) {
        FsImage image = format.open(mapped.name, mapped.bytes);
        return new OpenImage(mapped, mapped.mapping, image, overlay);
      }
      replayed = ReplayedMemory.of(mapped.pieces, overlay);
      FsImage image = format.open(mapped.name, replayed.bytes(), overlay);
      return new OpenImage(mapped, replayed.before(mapped.mapping), image, overlay);
    } catch (IOException | RuntimeException | Error e) {
      if (replayed != null) {
        replayed.close();
      }
      for (ImagePiece each : mapped.pieces) {
        each.channel().close();
      }
      throw e;
    }
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
    Ahead.begin();
    ImagePiece.OpenFile file = source.openKnown();
    FileChannel channel = file.channel();
    HostMapping mapping = null;
    try {
      ImagePlace place = source.find(channel);
      String name = source.name();
      LostPages.Origin origin =
          new LostPages.Origin(name, HostPaths.text(source.file()), place.end());
      mapping = HostMapping.map(channel, origin, place.firstPage());
      MemorySegment memory = mapping.memory().asSlice(place.beforeIt());
      List<ImagePiece> pieces =
          List.of(ImagePiece.of(0, place.length(), place.offset(), source.file(), file));
      return of(
          new Mapped(name, memory, pieces, mapping, place.warnings(), place.partOf(source)),
          source.format(),
          source.recovery());
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
    return open(store, names, Recovery.IN_MEMORY);
  }

  /**
   * Opens the image in adjacent segments, which are loaded shared.
   *
   * @param store where the segments are
   * @param names the segments, at least one, in any order
   * @param recovery what is done if the image's journal needs recovery
   * @return the image, to be closed
   * @throws IOException as {@link #open(SegmentStore, List)} does
   */
  public static OpenImage open(SegmentStore store, List<SegmentName> names, Recovery recovery)
      throws IOException {
    SegmentImage loaded = SegmentImage.load(store, names);
    try {
      String name = names.stream().map(SegmentName::value).collect(Collectors.joining(":"));
      return of(
          new Mapped(SEGMENTS + name, loaded.bytes(), loaded.pieces(), loaded, List.of(), null),
          null,
          recovery);
    } catch (IOException | RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /** {@return the image, valid until this is closed} */
  public FsImage image() {
    return image;
  }

  /** {@return what is unusual about the image but does not keep it from being read} */
  public List<String> warnings() {
    return List.copyOf(warnings);
  }

  /** {@return what the replay of the image's journal changed in memory; empty for most images} */
  public Overlay overlay() {
    return overlay;
  }

  /**
   * Demands that no journal was replayed, on behalf of what takes the bytes from the image's files.
   *
   * @throws FileSystemException if one was; the text says what would work
   */
  public void requireNothingReplayed() throws FileSystemException {
    ImageFormats.requireNothingReplayed(image.name(), overlay);
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
   * Maps a part of a file for reading, as {@link FileChannel#map(FileChannel.MapMode, long, long)}
   * does. The buffer stays valid until it is unreachable, even if this image is closed: the bytes
   * of a part in one extent are a slice of a second mapping of the image, others are mapped side by
   * side. If the image file is truncated, lost pages read as zeros.
   *
   * @param file a regular file's inode
   * @param position the first byte, at least 0
   * @param size how many bytes, at least 0
   * @return a read-only buffer
   * @throws FileSystemException if the bytes do not lie in whole pages; the text says why
   * @throws CorruptImageException if the image is damaged there, or was truncated since it was
   *     opened
   * @throws java.nio.channels.ClosedByInterruptException if the thread is interrupted
   * @throws IOException if the part passes the end of the file, or the process has no mappings left
   *     (ENOMEM)
   */
  public MappedByteBuffer map(Inode file, long position, int size) throws IOException {
    return maps.buffer(file, position, size);
  }

  /**
   * Maps a part of a file for reading, as {@link FileChannel#map(FileChannel.MapMode, long, long,
   * Arena)} does: the memory stays valid until the arena is closed, even if this image is closed
   * before. If the image file is truncated, lost pages read as zeros.
   *
   * @param file a regular file's inode
   * @param position the first byte, at least 0
   * @param size how many bytes, at least 0
   * @param arena whose end unmaps it
   * @return read-only memory
   * @throws IOException as {@link #map(Inode, long, int)} does
   * @throws IllegalStateException if the arena is closed
   */
  public MemorySegment map(Inode file, long position, long size, Arena arena) throws IOException {
    return maps.readOnly(file, position, size, arena);
  }

  /**
   * Maps a part of a file copy on write: the pages are those of the image until the first store to
   * a page, which copies it. No store reaches the image or other memory. Else as {@link #map(Inode,
   * long, long, Arena)}.
   *
   * @param file a regular file's inode
   * @param position the first byte, at least 0
   * @param size how many bytes, at least 0
   * @param arena whose end unmaps it
   * @return memory to read and store into
   * @throws IOException as {@link #map(Inode, long, int)} does, or if the image file has become
   *     unreadable for this process
   * @throws IllegalStateException if the arena is closed
   */
  public MemorySegment mapCopyOnWrite(Inode file, long position, long size, Arena arena)
      throws IOException {
    return maps.copyOnWrite(file, position, size, arena);
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
    maps.close();
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
