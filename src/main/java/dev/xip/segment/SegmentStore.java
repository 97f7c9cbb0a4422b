package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.Errno;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A folder of saved segments, which stands in for the hypervisor's spool. Each segment has a
 * definition file {@code NAME.def} and a data file {@code NAME.VERSION.data}. Invariant: a
 * definition only ever names a data file that is whole and on the disk, because it replaces the one
 * before by a rename after the data file was forced.
 *
 * <p>Reading takes no lock. Changes take the store's writer lock, which holds across processes. Two
 * definitions may overlap; overlap matters when they are loaded.
 */
public final class SegmentStore {
  /** Where places for new segments are looked for from, in bytes: 4 GiB, above usual RAM. */
  public static final long FIRST_PLACE = 4L << 30;

  private final Path folder;

  private SegmentStore(Path folder) {
    this.folder = folder;
  }

  /**
   * Everything in a store.
   *
   * @param segments the segments whose definition is whole, by name
   * @param damaged what is wrong with the others, each naming its file, by file name
   */
  public record Listing(List<StoredSegment> segments, List<SegmentException> damaged) {}

  /**
   * Opens a store.
   *
   * @param folder an existing folder
   * @return the store
   * @throws SegmentException if there is no such folder (ENOENT) or it is not one (ENOTDIR)
   */
  public static SegmentStore open(Path folder) throws SegmentException {
    if (!Files.isDirectory(folder)) {
      boolean exists = Files.exists(folder);
      throw new SegmentException(
          exists ? Errno.ENOTDIR : Errno.ENOENT,
          "segment store " + folder,
          "a folder",
          exists ? "a file" : "nothing");
    }
    return new SegmentStore(folder);
  }

  /**
   * Opens a store, making its folder and those above it if they are missing.
   *
   * @param folder the folder
   * @return the store
   * @throws SegmentException if the folder cannot be made
   */
  public static SegmentStore create(Path folder) throws SegmentException {
    try {
      if (!Files.isDirectory(folder)) {
        Files.createDirectories(folder);
        force(folder.toAbsolutePath().getParent());
      }
    } catch (IOException e) {
      throw SegmentException.of("segment store " + folder, e);
    }
    return open(folder);
  }

  /**
   * Returns the folder.
   *
   * @return its path
   */
  public Path folder() {
    return folder;
  }

  /**
   * Defines a segment with version 1 of its contents.
   *
   * @param definition its name and place
   * @param source its contents; zeros if no part is of a type that keeps any
   * @return the segment as stored
   * @throws SegmentException if the name is taken (EEXIST), the source does not fit (EINVAL) or the
   *     host fails; the store is then as it was
   */
  public StoredSegment define(SegmentDefinition definition, SegmentSource source)
      throws SegmentException {
    String subject = "defining segment " + definition.name();
    requireKept(definition, source, subject);
    try (StoreLock _ = StoreLock.acquire(folder)) {
      if (Files.exists(definitionFile(definition.name()))) {
        throw new SegmentException(
            Errno.EEXIST, subject, "a name that is free", "a segment of that name in " + folder);
      }
      return commit(definition, 1, source);
    } catch (IOException e) {
      throw SegmentException.of(subject, e);
    }
  }

  /**
   * Gives a segment new contents. Loads from now on get them; whoever has the version before keeps
   * it until the last of them leaves.
   *
   * @param name the segment
   * @param source the contents
   * @return the segment as stored now, one version up
   * @throws SegmentException if there is none of that name (ENOENT), it keeps no contents or the
   *     source does not fit (EINVAL), its definition is damaged (EIO) or the host fails; the store
   *     is then as it was
   */
  public StoredSegment save(SegmentName name, SegmentSource source) throws SegmentException {
    return replace(query(name).definition(), source);
  }

  /** Saves under a definition that the caller holds, defining the segment anew if it is gone. */
  StoredSegment replace(SegmentDefinition definition, SegmentSource source)
      throws SegmentException {
    String subject = "saving segment " + definition.name();
    requireKept(definition, source, subject);
    try (StoreLock _ = StoreLock.acquire(folder)) {
      boolean known = Files.exists(definitionFile(definition.name()));
      long before = known ? query(definition.name()).version() : 0;
      StoredSegment saved = commit(definition, before + 1, source);
      sweep(definition.name(), saved.dataFile());
      return saved;
    } catch (IOException e) {
      throw SegmentException.of(subject, e);
    }
  }

  /**
   * Finds the first place that no defined segment has a megabyte of. Definitions that are damaged
   * are passed over.
   *
   * @param name the name for the new segment
   * @param type its type
   * @param bytes how many bytes it must hold, at least 1
   * @return a definition of one part, megabyte aligned, as many pages as the bytes need
   * @throws SegmentException if {@code bytes} is not positive (EINVAL), there is no room below 2^52
   *     (ERANGE) or the store cannot be read
   */
  public SegmentDefinition place(SegmentName name, SegmentType type, long bytes)
      throws SegmentException {
    if (bytes < 1) {
      throw new SegmentException(
          Errno.EINVAL, "segment " + name, "at least 1 byte", Long.toString(bytes));
    }
    long pages = (bytes - 1 >>> Pages.SHIFT) + 1;
    long start = FIRST_PLACE;
    List<AddrRange> taken =
        list().segments().stream()
            .map(stored -> stored.definition().megabytes())
            .sorted(Comparator.comparingLong(AddrRange::start))
            .toList();
    for (AddrRange range : taken) {
      if (range.start() - start >= pages << Pages.SHIFT) {
        break;
      }
      start = Math.max(start, range.end());
    }
    long first = start >>> Pages.SHIFT;
    return SegmentDefinition.of(name, List.of(SegmentPart.of(type, first, first + pages - 1)));
  }

  /**
   * Looks up one segment.
   *
   * @param name its name
   * @return what the store says of it
   * @throws SegmentException if there is none (ENOENT) or its definition is damaged (EIO)
   */
  public StoredSegment query(SegmentName name) throws SegmentException {
    try {
      return DefinitionFile.read(definitionFile(name));
    } catch (NoSuchFileException e) {
      throw new SegmentException(
          Errno.ENOENT, "segment " + name, "a segment of that name in " + folder, "none");
    } catch (IOException e) {
      throw SegmentException.of("segment " + name, e);
    }
  }

  /**
   * Lists all segments.
   *
   * @return those that are whole and those that are damaged
   * @throws SegmentException if the folder cannot be read
   */
  public Listing list() throws SegmentException {
    List<StoredSegment> segments = new ArrayList<>();
    List<SegmentException> damaged = new ArrayList<>();
    for (Path file : files("*" + DefinitionFile.SUFFIX)) {
      try {
        segments.add(DefinitionFile.read(file));
      } catch (NoSuchFileException e) {
        continue; // removed since the folder was read
      } catch (IOException e) {
        damaged.add(SegmentException.of("segment definition " + file, e));
      }
    }
    segments.sort(Comparator.comparing(StoredSegment::name));
    return new Listing(List.copyOf(segments), List.copyOf(damaged));
  }

  /**
   * Removes a segment, even one whose definition is damaged. Whoever has it loaded keeps it.
   *
   * @param name its name
   * @throws SegmentException if there is none (ENOENT) or the host fails
   */
  public void remove(SegmentName name) throws SegmentException {
    String subject = "removing segment " + name;
    try (StoreLock _ = StoreLock.acquire(folder)) {
      if (!Files.deleteIfExists(definitionFile(name))) {
        throw new SegmentException(Errno.ENOENT, subject, "a segment in " + folder, "none");
      }
      force(folder);
      sweep(name, null);
    } catch (IOException e) {
      throw SegmentException.of(subject, e);
    }
  }

  private static void requireKept(
      SegmentDefinition definition, SegmentSource source, String subject) throws SegmentException {
    if (!source.isZeros() && !definition.keepsContents()) {
      throw new SegmentException(
          Errno.EINVAL,
          subject,
          "no contents, as type %s keeps none".formatted(definition.type()),
          "some");
    }
  }

  private Path definitionFile(SegmentName name) {
    return folder.resolve(name + DefinitionFile.SUFFIX);
  }

  /** Writes data, then definition, then switches. The caller holds the writer lock. */
  private StoredSegment commit(SegmentDefinition definition, long version, SegmentSource source)
      throws IOException {
    Path data = folder.resolve(DefinitionFile.dataFileName(definition.name(), version));
    Path current = definitionFile(definition.name());
    Path next = folder.resolve(definition.name() + DefinitionFile.SUFFIX + ".new");
    try {
      Files.deleteIfExists(data); // of a writer that died before it switched
      source.make(data, definition.byteSize());
      Files.write(next, DefinitionFile.format(definition, version));
      force(next);
      force(folder);
      Files.move(next, current, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(data);
      Files.deleteIfExists(next);
      throw e;
    }
    force(folder);
    source.committed();
    return new StoredSegment(definition, version, data);
  }

  /** Deletes the data files of a name but one: versions gone by, and what dead writers left. */
  private void sweep(SegmentName name, Path kept) throws IOException {
    for (Path file : files(name + ".*.data")) {
      if (!file.equals(kept)) {
        Files.deleteIfExists(file);
      }
    }
  }

  private List<Path> files(String pattern) throws SegmentException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
      entries.forEach(found::add);
    } catch (IOException e) {
      throw SegmentException.of("segment store " + folder, e);
    } catch (DirectoryIteratorException e) {
      throw SegmentException.of("segment store " + folder, e.getCause());
    }
    found.sort(Comparator.naturalOrder());
    return found;
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
