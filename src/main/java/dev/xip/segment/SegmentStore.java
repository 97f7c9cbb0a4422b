package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.host.Caller;
import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import dev.xip.host.HostPaths;
import dev.xip.host.OpenFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * A folder of saved segments, which stands in for the hypervisor's spool. Each segment has a
 * definition file {@code NAME.def} and a data file {@code NAME.VERSION.data}. Invariant: a
 * definition only ever names a data file that is whole and on the disk, because it replaces the one
 * before by a rename after the data file was forced. A version that is not current any more stays
 * as long as any process has it loaded: it is pending purge.
 *
 * <p>Reading takes no lock and does not wait. Changes and {@link #check} take the store's lock,
 * which holds across processes, and wait for it up to the {@link WaitLimit}: EBUSY then. Two
 * definitions may overlap; overlap matters when they are loaded.
 *
 * <p>A store trusts the owner of its folder, the caller and root. Of files of other users nothing
 * is read; links, pipes, sockets and folders under a store's names are not followed and not written
 * to.
 */
public final class SegmentStore {
  /** The lowest address for new segments, in bytes: 4 GiB, above usual RAM. */
  public static final long FIRST_PLACE = 4L << 30;

  /** The size of a huge leaf: segments of that size or more begin at a multiple of it. */
  private static final long LARGE = 2L << 20;

  private static final int ALL_MAY_USE = 0777;
  private static final int SET_GROUP = 02000;

  private final Path folder;
  private final WaitLimit limit;

  private SegmentStore(Path folder, WaitLimit limit) {
    this.folder = folder;
    this.limit = limit;
  }

  /**
   * The segments of a store.
   *
   * @param segments the segments whose definition is whole, by name
   * @param damaged what is wrong with the others, each naming its file, by file name
   */
  public record Listing(List<StoredSegment> segments, List<SegmentException> damaged) {
    /** Copies the lists. */
    public Listing {
      segments = List.copyOf(segments);
      damaged = List.copyOf(damaged);
    }
  }

  /**
   * The versions in a store and their users.
   *
   * @param segments the current versions and those pending purge, by name and then version
   * @param damaged what is wrong with the others, each naming its file, by file name
   */
  public record Survey(List<SegmentState> segments, List<SegmentException> damaged) {
    /** Copies the lists. */
    public Survey {
      segments = List.copyOf(segments);
      damaged = List.copyOf(damaged);
    }
  }

  /**
   * Opens a store.
   *
   * @param folder an existing folder
   * @return the store
   * @throws SegmentException if there is no such folder (ENOENT), it is not one (ENOTDIR) or it
   *     cannot be reached
   */
  public static SegmentStore open(Path folder) throws SegmentException {
    String subject = "segment store " + folder;
    try {
      if (!HostFolder.stat(folder).isDirectory()) {
        throw new SegmentException(Errno.ENOTDIR, subject, "a folder", "a file");
      }
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        throw new SegmentException(Errno.ENOENT, subject, "a folder", "nothing");
      }
      throw SegmentException.of(subject, e);
    }
    return new SegmentStore(folder, WaitLimit.DEFAULT);
  }

  /**
   * Opens a store, making its folder and those above it if they are missing. When this returns they
   * are on the disk.
   *
   * @param folder the folder
   * @return the store
   * @throws SegmentException if the folder cannot be made
   */
  public static SegmentStore create(Path folder) throws SegmentException {
    try {
      // Its maker may have died before the folder was on the disk; the lock is made after that.
      if (!HostFolder.exists(folder.resolve(StoreFile.LOCK))) {
        Path absolute = folder.toAbsolutePath().normalize();
        make(absolute).close();
        forceAbove(absolute);
      }
    } catch (HostException e) {
      throw SegmentException.of("segment store " + folder, e);
    }
    return open(folder);
  }

  /** Makes the missing folders, each beneath the one above. */
  private static OpenFolder make(Path path) throws HostException {
    if (path.getParent() == null || HostFolder.exists(path)) {
      return OpenFolder.open(path);
    }
    FileName name = HostPaths.nameOf(path.getFileName());
    try (OpenFolder in = make(path.getParent())) {
      OpenFolder made = makeIn(in, name);
      in.force();
      return made;
    }
  }

  private static OpenFolder makeIn(OpenFolder folder, FileName name) throws HostException {
    try {
      OpenFolder made = folder.make(name);
      int inherited = made.stat().mode() & SET_GROUP;
      made.setMode(inherited | ALL_MAY_USE & ~Caller.umask());
      return made;
    } catch (HostException e) {
      if (e.errno() == Errno.EEXIST) { // another process made it just now
        return folder.folder(name);
      }
      throw e;
    }
  }

  /** Forces the folders above. One that the caller may not open was not made by it. */
  private static void forceAbove(Path path) {
    for (Path each = path.getParent(); each != null; each = each.getParent()) {
      try {
        HostFolder.force(each);
      } catch (HostException e) {
        // closed
      }
    }
  }

  /** {@return the folder's path} */
  public Path folder() {
    return folder;
  }

  /**
   * Returns the same store with another limit for waits.
   *
   * @param other the limit, that of loads as well
   * @return the store
   */
  public SegmentStore waiting(WaitLimit other) {
    return new SegmentStore(folder, other);
  }

  /** {@return the limit for waits for other processes} */
  public WaitLimit waitLimit() {
    return limit;
  }

  private interface Change<T> {
    T make(StoreWriter writer) throws IOException;
  }

  private <T> T change(String subject, Change<T> change) throws SegmentException {
    try (StoreWriter writer = StoreWriter.open(folder, limit)) {
      return change.make(writer);
    } catch (IOException e) {
      throw SegmentException.of(subject, e);
    }
  }

  private interface Question<T> {
    T ask(StoreFolder open) throws IOException;
  }

  private <T> T ask(Question<T> question) throws SegmentException {
    try (StoreFolder open = StoreFolder.open(folder)) {
      return question.ask(open);
    } catch (IOException e) {
      throw SegmentException.of("segment store " + folder, e);
    }
  }

  /**
   * Defines a segment with the first version of its contents.
   *
   * @param definition its name and place
   * @param source its contents; zeros if no part is of a type that keeps any
   * @return the segment as stored: version 1, or more while versions of a segment of that name that
   *     was removed still have users
   * @throws SegmentException if the name is taken (EEXIST), the source does not fit (EINVAL) or the
   *     host fails; the store is then as it was
   */
  public StoredSegment define(SegmentDefinition definition, SegmentSource source)
      throws SegmentException {
    String subject = "defining segment " + definition.name();
    requireKept(definition, source, subject);
    return change(subject, writer -> writer.define(definition, source));
  }

  /**
   * Defines a segment at the first place that is free, which is looked for and taken in one change
   * of the store: {@link #place} and {@link #define(SegmentDefinition, SegmentSource)} one after
   * the other may give two callers the same place.
   *
   * @param name its name
   * @param type its type
   * @param bytes how many bytes it must hold, at least 1
   * @param source its contents; zeros if the type keeps none
   * @return the segment as stored
   * @throws SegmentException as of the two
   */
  public StoredSegment define(SegmentName name, SegmentType type, long bytes, SegmentSource source)
      throws SegmentException {
    String subject = "defining segment " + name;
    return change(
        subject,
        writer -> {
          List<StoredSegment> all = new StoreReader(writer.folder()).list().segments();
          SegmentDefinition definition = place(all, name, type, bytes);
          requireKept(definition, source, subject);
          return writer.define(definition, source);
        });
  }

  /**
   * Gives a segment new contents. Later loads get them; the version before stays until its last
   * user has unloaded it.
   *
   * @param name the segment
   * @param source the contents
   * @return the segment as stored now, one version up
   * @throws SegmentException if there is none of that name (ENOENT), it keeps no contents or the
   *     source does not fit (EINVAL), its definition is damaged (EIO) or the host fails; the store
   *     is then as it was
   */
  public StoredSegment save(SegmentName name, SegmentSource source) throws SegmentException {
    String subject = "saving segment " + name;
    return change(
        subject,
        writer -> {
          SegmentDefinition definition = writer.folder().current(name).definition();
          requireKept(definition, source, subject);
          return writer.replace(definition, source);
        });
  }

  /** Saves under the caller's definition, defining the segment anew if it was removed. */
  StoredSegment replace(SegmentDefinition definition, SegmentSource source)
      throws SegmentException {
    String subject = "saving segment " + definition.name();
    requireKept(definition, source, subject);
    return change(subject, writer -> writer.replace(definition, source));
  }

  /**
   * Removes a segment, even one whose definition is damaged. Its version stays until the last user
   * has unloaded it.
   *
   * @param name its name
   * @throws SegmentException if there is none (ENOENT) or the host fails; the store is then as it
   *     was
   */
  public void remove(SegmentName name) throws SegmentException {
    change(
        "removing segment " + name,
        writer -> {
          writer.remove(name);
          return null;
        });
  }

  /**
   * Deletes a version that the caller has unloaded, if it is not current and has no other user.
   * Without the right to change the store it stays until the next change of the segment.
   */
  void releaseVersion(StoredSegment stored) {
    try {
      if (query(stored.name()).version() == stored.version()) {
        return;
      }
    } catch (SegmentException e) {
      if (e.errno() != Errno.ENOENT) {
        return;
      }
    }
    try (StoreWriter writer = StoreWriter.open(folder, limit)) {
      writer.sweep(stored.name());
    } catch (IOException e) {
      // The unload has succeeded all the same; check reports what is left.
    }
  }

  /**
   * Finds the first free place, in whose megabytes no defined segment lies. Damaged definitions are
   * ignored. Another process may take it before it is defined.
   *
   * @param name the name for the new segment
   * @param type its type
   * @param bytes how many bytes it must hold, at least 1
   * @return a definition of one part, at a multiple of a megabyte, or of 2 MiB for a segment of
   *     that size, so that its large files can be mapped by huge leaves; as many pages as the bytes
   *     need
   * @throws SegmentException if {@code bytes} is not positive (EINVAL), there is no room below 2^52
   *     (ERANGE) or the store cannot be read
   */
  public SegmentDefinition place(SegmentName name, SegmentType type, long bytes)
      throws SegmentException {
    return place(list().segments(), name, type, bytes);
  }

  private static SegmentDefinition place(
      List<StoredSegment> defined, SegmentName name, SegmentType type, long bytes)
      throws SegmentException {
    if (bytes < 1) {
      throw new SegmentException(
          Errno.EINVAL, "segment " + name, "at least 1 byte", Long.toString(bytes));
    }
    long pages = (bytes - 1 >>> Pages.SHIFT) + 1;
    long alignment = bytes < LARGE ? 1 : LARGE;
    long start = FIRST_PLACE;
    List<AddrRange> taken =
        defined.stream()
            .map(stored -> stored.definition().megabytes())
            .sorted(Comparator.comparingLong(AddrRange::start))
            .toList();
    for (AddrRange range : taken) {
      if (range.start() - start >= pages << Pages.SHIFT) {
        break;
      }
      start = Math.max(start, Math.ceilDiv(range.end(), alignment) * alignment);
    }
    long first = start >>> Pages.SHIFT;
    return SegmentDefinition.of(name, List.of(SegmentPart.of(type, first, first + pages - 1)));
  }

  /**
   * Looks up one segment.
   *
   * @param name its name
   * @return its definition and current version
   * @throws SegmentException if there is none (ENOENT) or its definition is damaged (EIO)
   */
  public StoredSegment query(SegmentName name) throws SegmentException {
    try (StoreFolder open = StoreFolder.open(folder, name)) {
      return open.current(name);
    }
  }

  /**
   * Lists all segments, without their users.
   *
   * @return those that are whole and those that are damaged
   * @throws SegmentException if the folder cannot be read
   */
  public Listing list() throws SegmentException {
    return ask(open -> new StoreReader(open).list());
  }

  /**
   * Lists all segments and their users, and the versions that are pending purge.
   *
   * @return the versions that are whole, and what is damaged or cannot be opened
   * @throws SegmentException if the folder cannot be read
   */
  public Survey survey() throws SegmentException {
    return ask(open -> new StoreReader(open).survey());
  }

  /**
   * Checks every file of the store: definitions and their checksums, data files and their lengths,
   * and whether the file is needed. Takes the store's lock, if the caller may, so that a running
   * change is not taken for an abandoned one.
   *
   * @return what was found, by file; nothing for a store in order
   * @throws SegmentException if the folder cannot be read, or EBUSY if another process holds the
   *     lock for as long as the limit
   */
  public List<StoreFinding> check() throws SegmentException {
    return ask(open -> new StoreCheck(open, limit).run());
  }

  /**
   * Deletes what killed users and writers have left, as {@link #check} reports it, for all
   * segments. Damaged files stay.
   *
   * @return the files that were deleted, by name
   * @throws SegmentException if the host fails
   */
  public List<Path> clean() throws SegmentException {
    return change("cleaning segment store " + folder, StoreWriter::clean);
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
}
