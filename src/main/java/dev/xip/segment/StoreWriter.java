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
 * The changes of a store, each under the store's lock and each in steps after any of which the
 * machine may stop: readers then find the state before or the state after, whole, and the next
 * change of the segment takes away what was left. A change that fails undoes its steps itself.
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

  /** Waits for the right to change the store. */
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

  /** Makes version 1 of a segment, or more if versions of one that was removed have users. */
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

  /** Makes the next version, under that definition; defines the segment anew if it is gone. */
  StoredSegment replace(SegmentDefinition definition, SegmentSource source) throws IOException {
    return commit(definition, source, currentOrNull(definition.name()));
  }

  /** Takes a segment out, even one whose definition is damaged. */
  void remove(SegmentName name) throws IOException {
    StoreFile definition = StoreFile.definition(name);
    StoredSegment current;
    try {
      current = currentOrNull(name);
    } catch (SegmentException damaged) {
      List<StoreFile> files = folder.filesOf(name);
      folder.unlink(definition);
      folder.force();
      sweepBehind(files, 0);
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
    sweepBehind(files, 0);
  }

  /** Takes a definition's name away and leaves it under the one for a version that has users. */
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
   * Takes away what nobody uses any more of a segment, after a version was left that is not the
   * current one.
   */
  void sweep(SegmentName name) throws IOException {
    sweep(name, folder.filesOf(name), new ArrayList<>());
  }

  /**
   * Takes away what nobody uses any more of every segment.
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
   * @param before what is current, null if there is nothing
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
      requireWanted(name);
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
    sweepBehind(files, version);
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

  /** A change that was asked for by a process that is gone does not happen. */
  private void requireWanted(SegmentName name) throws SegmentException {
    if (limit.abandoned().getAsBoolean()) {
      throw new SegmentException(
          Errno.ETIMEDOUT, "segment " + name, "its change still to be wanted", "it given up");
    }
  }

  /**
   * The version after those that are in use; after the last that there can be, which nothing but
   * another user's file can have, the first that is free.
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

  /** Writes a definition under a name from which it is renamed, and returns that. */
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

  /** The next name that nothing has: what is no file, or another user's, is not swept away. */
  private StoreFile free(StoreFile file) throws HostException {
    StoreFile free = file;
    while (folder.exists(free)) {
      long number = free.version() == StoreFile.LAST_VERSION ? 1 : free.version() + 1;
      free = StoreFile.newDefinition(file.name(), number);
    }
    return free;
  }

  /**
   * Keeps the definition of a version under the name that it has until its users have left. A
   * change goes on without where another user has put something under that name, or the system does
   * not link another user's file; and a remove goes on without space for the name, as it makes
   * some.
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
      return; // which version must stay cannot be told
    }
    sweep(files, current == null ? 0 : current.version(), deleted);
  }

  /**
   * Deletes what is not needed of a segment's files: all of a version that is not current and has
   * no users, the purge link of the current one, and definitions that were not finished.
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
      } else if (folder.oddity(data.fileName()) == null) {
        left.add(version);
      }
    }
    return left;
  }

  /** A change that is on the disk has succeeded, whatever is left: the next one sweeps again. */
  private void sweepBehind(List<StoreFile> files, long current) {
    try {
      sweep(files, current, new ArrayList<>());
    } catch (IOException e) {
      // SegmentStore.check tells of it.
    }
  }

  /** Deletes a regular file. What else has the name, or is not the caller's to delete, stays. */
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
