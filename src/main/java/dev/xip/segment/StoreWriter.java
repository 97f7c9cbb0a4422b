package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Changes a store, under the store's lock. The machine may stop after any step of a change: readers
 * then find the complete state before or after it, and the next change of the segment deletes what
 * was left. A change that fails undoes its own steps.
 */
final class StoreWriter implements AutoCloseable {
  private final StoreFolder folder;
  private final WaitLimit limit;
  private final StoreLock lock;

  private StoreWriter(StoreFolder folder, WaitLimit limit, StoreLock lock) {
    this.folder = folder;
    this.limit = limit;
    this.lock = lock;
  }

  /** Opens the store and takes its lock, waiting if another has it. */
  static StoreWriter open(Path path, WaitLimit limit) throws IOException {
    StoreFolder folder = StoreFolder.open(path);
    try {
      StoreWriter writer = new StoreWriter(folder, limit, StoreLock.acquire(folder, limit));
      folder.beginChange();
      return writer;
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  StoreFolder folder() {
    return folder;
  }

  /** Makes version 1 of a segment, or a higher one if versions of a removed one have users. */
  StoredSegment define(SegmentDefinition definition, SegmentSource source) throws IOException {
    SegmentName name = definition.name();
    if (folder.exists(StoreFile.definition(name))) {
      throw new SegmentException(
          Errno.EEXIST,
          "defining segment " + name,
          "a name that is free",
          "a segment of that name in " + folder.path());
    }
    return commit(definition, source, null);
  }

  /** Makes the next version, under that definition; defines the segment anew if it was removed. */
  StoredSegment replace(SegmentDefinition definition, SegmentSource source) throws IOException {
    return commit(definition, source, currentOrNull(definition.name()));
  }

  /** Removes a segment, even one whose definition is damaged. */
  void remove(SegmentName name) throws IOException {
    StoreFile definition = StoreFile.definition(name);
    StoredSegment current;
    try {
      current = currentOrNull(name);
    } catch (SegmentException damaged) {
      List<StoreFile> files = folder.filesOf(name);
      folder.unlink(definition);
      folder.force();
      sweepAfter(files, 0);
      return;
    }
    if (current == null) {
      throw new SegmentException(
          Errno.ENOENT, "removing segment " + name, "a segment in " + folder.path(), "none");
    }
    List<StoreFile> files = folder.filesOf(name);
    StoreFile purge = StoreFile.purge(name, current.version());
    sweep(files, current.version(), new ArrayList<>());
    unlink(definition, purge);
    files.add(purge);
    sweepAfter(files, 0);
  }

  /** Unlinks the current definition, which stays under the purge name of its version. */
  private void unlink(StoreFile current, StoreFile purge) throws IOException {
    boolean linked = linkIfPossible(current, purge, true);
    boolean gone = false;
    try {
      folder.force();
      folder.unlink(current);
      gone = true;
      folder.force();
    } catch (IOException | RuntimeException e) {
      if (linked && gone) {
        undo(e, () -> folder.rename(purge, current));
      } else if (linked) {
        undo(e, () -> folder.unlink(purge));
      }
      throw e;
    }
  }

  /**
   * Deletes the files of a segment that are not used any more, after an unload of a version that is
   * not current.
   */
  void sweep(SegmentName name) throws IOException {
    sweep(name, folder.filesOf(name), new ArrayList<>());
  }

  /**
   * Deletes the files of all segments that are not used any more.
   *
   * @return what was deleted
   */
  List<Path> clean() throws IOException {
    List<Path> deleted = new ArrayList<>();
    // The folder is read once, not once for each name.
    Map<SegmentName, List<StoreFile>> files = new TreeMap<>();
    for (FileName each : folder.names()) {
      StoreFile.of(each.toString())
          .ifPresent(file -> files.computeIfAbsent(file.name(), _ -> new ArrayList<>()).add(file));
    }
    for (Map.Entry<SegmentName, List<StoreFile>> each : files.entrySet()) {
      sweep(each.getKey(), each.getValue(), deleted);
    }
    folder.force();
    deleted.sort(null);
    return deleted;
  }

  /**
   * Writes data, then definition, then switches.
   *
   * @param before the current version, null if there is none
   */
  private StoredSegment commit(
      SegmentDefinition definition, SegmentSource source, StoredSegment before) throws IOException {
    SegmentName name = definition.name();
    long old = before == null ? 0 : before.version();
    List<StoreFile> files = folder.filesOf(name);
    SortedSet<Long> used = sweep(files, old, new ArrayList<>());
    used.add(old);
    long version = next(used.last(), versions(files));
    StoreFile current = StoreFile.definition(name);
    StoreFile data = StoreFile.data(name, version);
    StoreFile purge = StoreFile.purge(name, old);
    boolean linked = false;
    boolean switched = false;
    try {
      HostStat like = before == null ? null : statOrNull(StoreFile.data(name, old));
      source.make(folder, data, definition.byteSize(), like);
      StoreFile next = write(definition, version);
      linked = before != null && linkIfPossible(current, purge, false);
      folder.force();
      requireNotAbandoned(name);
      folder.rename(next, current);
      switched = true;
      folder.force();
      source.committed();
    } catch (IOException | RuntimeException | Error e) {
      boolean undoSwitch = switched;
      boolean fromLink = linked;
      undo(
          e,
          () -> {
            if (undoSwitch) {
              switchBack(before, current, fromLink ? purge : null);
            }
            sweep(name);
            source.cancelled();
            folder.force();
          });
      throw e;
    }
    files.add(purge);
    sweepAfter(files, version);
    return new StoredSegment(definition, version, folder.resolve(data));
  }

  private void switchBack(StoredSegment before, StoreFile current, StoreFile purge)
      throws IOException {
    if (before == null) {
      folder.unlink(current);
    } else if (purge != null) {
      folder.rename(purge, current);
    } else {
      folder.rename(write(before.definition(), before.version()), current);
    }
  }

  /** Fails a change whose requester has disconnected. */
  private void requireNotAbandoned(SegmentName name) throws SegmentException {
    if (limit.abandoned().getAsBoolean()) {
      throw new SegmentException(
          Errno.ETIMEDOUT,
          "segment %s: the process that requested the change has disconnected".formatted(name));
    }
  }

  /**
   * The version after those in use. After the greatest possible one, which only another user's file
   * can have, the first that is free.
   */
  private static long next(long last, SortedSet<Long> taken) {
    long version = last;
    do {
      version = version >= StoreFile.LAST_VERSION ? 1 : version + 1;
    } while (taken.contains(version));
    return version;
  }

  private HostStat statOrNull(StoreFile file) throws HostException {
    try {
      return folder.stat(file);
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return null;
      }
      throw e;
    }
  }

  /** Writes a definition under a temporary name, and returns that. */
  private StoreFile write(SegmentDefinition definition, long version) throws IOException {
    HostStat before = statOrNull(StoreFile.definition(definition.name()));
    StoreFile file = free(StoreFile.newDefinition(definition.name(), version));
    try (NewFile made = NewFile.create(folder, file);
        Arena arena = Arena.ofConfined()) {
      if (before != null) {
        made.limitTo(before);
      }
      byte[] text = DefinitionFile.format(definition, version);
      made.file().write(0, arena.allocateFrom(ValueLayout.JAVA_BYTE, text));
      made.finish();
    }
    return file;
  }

  /** The next free name: the sweep leaves directories and other users' files. */
  private StoreFile free(StoreFile file) throws HostException {
    StoreFile free = file;
    while (folder.exists(free)) {
      long number = free.version() == StoreFile.LAST_VERSION ? 1 : free.version() + 1;
      free = StoreFile.newDefinition(file.name(), number);
    }
    return free;
  }

  /**
   * Links the current definition to its purge name, where it stays as long as the version has
   * users. A change goes on without the link if another user has taken the name (EEXIST) or the
   * kernel does not link another user's file (EPERM), and a remove also without space for it, as it
   * frees some.
   */
  private boolean linkIfPossible(StoreFile current, StoreFile purge, boolean makesSpace)
      throws IOException {
    try {
      folder.link(current, purge);
      return true;
    } catch (HostException e) {
      boolean goesOn =
          switch (e.errno()) {
            case EEXIST, EPERM -> true;
            case ENOSPC, EDQUOT -> makesSpace;
            default -> false;
          };
      if (!goesOn) {
        throw e;
      }
      return false;
    }
  }

  private StoredSegment currentOrNull(SegmentName name) throws SegmentException {
    try {
      return folder.current(name);
    } catch (SegmentException e) {
      if (e.errno() == Errno.ENOENT) {
        return null;
      }
      throw e;
    }
  }

  private static SortedSet<Long> versions(List<StoreFile> files) {
    return files.stream()
        .filter(StoreFile::isOfVersion)
        .map(StoreFile::version)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void sweep(SegmentName name, List<StoreFile> files, List<Path> deleted)
      throws IOException {
    StoredSegment current;
    try {
      current = currentOrNull(name);
    } catch (SegmentException damaged) {
      return; // the current version is unknown
    }
    sweep(files, current == null ? 0 : current.version(), deleted);
  }

  /**
   * Deletes the files of a segment that are not needed: those of versions that are not current and
   * have no users, the purge link of the current one, and unfinished definitions.
   *
   * @return the current version, if it has files, and those that have users
   */
  private SortedSet<Long> sweep(List<StoreFile> files, long current, List<Path> deleted)
      throws IOException {
    for (StoreFile each : List.copyOf(files)) {
      if (each.kind() == StoreFile.Kind.NEW_DEFINITION) {
        delete(each, files, deleted);
      }
    }
    SortedSet<Long> left = new TreeSet<>();
    SegmentName name = files.isEmpty() ? null : files.getFirst().name();
    for (long version : versions(files)) {
      StoreFile data = StoreFile.data(name, version);
      if (version == current) {
        delete(StoreFile.purge(name, version), files, deleted);
        left.add(version);
      } else if (!DataUsers.any(folder, data)) {
        delete(StoreFile.purge(name, version), files, deleted);
        delete(data, files, deleted);
      } else if (folder.reasonToDistrust(data.fileName()) == null) {
        left.add(version);
      }
    }
    return left;
  }

  /** Ignores failures: the change is on the disk and has succeeded; the next one sweeps again. */
  private void sweepAfter(List<StoreFile> files, long current) {
    try {
      sweep(files, current, new ArrayList<>());
    } catch (IOException e) {
      // SegmentStore.check reports it.
    }
  }

  /** Deletes a regular file, if the caller may. Anything else with the name stays. */
  private void delete(StoreFile file, List<StoreFile> files, List<Path> deleted)
      throws IOException {
    HostStat found = statOrNull(file);
    if (found == null || !found.isRegularFile()) {
      return;
    }
    try {
      if (folder.unlink(file)) {
        deleted.add(folder.resolve(file));
      }
      files.remove(file);
    } catch (HostException e) {
      if (e.errno() != Errno.EPERM && e.errno() != Errno.EACCES) {
        throw e;
      }
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void undo(Throwable cause, Step step) {
    try {
      step.run();
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    lock.close();
    folder.close();
  }
}
