package dev.xip.segment;

import dev.xip.host.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The changes of a store, each under the store's lock and each in steps after any of which the
 * machine may stop: readers then find the state before or the state after, whole, and the next
 * change of the segment takes away what was left. A change that fails undoes its steps itself.
 */
final class StoreWriter {
  private static final int ANYBODY_MAY_READ = 0666;

  private final StoreFolder folder;

  StoreWriter(StoreFolder folder) {
    this.folder = folder;
  }

  /** Makes version 1 of a segment, or more if versions of one that was removed have users. */
  StoredSegment define(SegmentDefinition definition, SegmentSource source) throws IOException {
    try (StoreLock _ = StoreLock.acquire(folder.path())) {
      SegmentName name = definition.name();
      if (HostFolder.exists(path(StoreFile.definition(name)))) {
        throw new SegmentException(
            Errno.EEXIST,
            "defining segment " + name,
            "a name that is free",
            "a segment of that name in " + folder.path());
      }
      return commit(definition, source, 0);
    }
  }

  /** Makes the next version, under that definition; defines the segment anew if it is gone. */
  StoredSegment replace(SegmentDefinition definition, SegmentSource source) throws IOException {
    try (StoreLock _ = StoreLock.acquire(folder.path())) {
      return commit(definition, source, currentVersion(definition.name()));
    }
  }

  /** Takes a segment out, even one whose definition is damaged. */
  void remove(SegmentName name) throws IOException {
    try (StoreLock _ = StoreLock.acquire(folder.path())) {
      long version;
      try {
        version = currentVersion(name);
      } catch (SegmentException damaged) {
        SortedSet<Long> versions = folder.versionsOf(name);
        HostFolder.unlink(path(StoreFile.definition(name)));
        HostFolder.force(folder.path());
        sweepBehind(name, versions, 0);
        return;
      }
      if (version == 0) {
        throw new SegmentException(
            Errno.ENOENT, "removing segment " + name, "a segment in " + folder.path(), "none");
      }
      SortedSet<Long> versions = sweep(name, folder.versionsOf(name), version, new ArrayList<>());
      unlink(path(StoreFile.definition(name)), path(StoreFile.purge(name, version)));
      versions.add(version);
      sweepBehind(name, versions, 0);
    }
  }

  /** Takes a definition's name away and leaves it under the one for a version that has users. */
  private void unlink(Path current, Path purge) throws HostException {
    boolean linked = linkUnlessFull(current, purge);
    boolean gone = false;
    try {
      HostFolder.force(folder.path());
      HostFolder.unlink(current);
      gone = true;
      HostFolder.force(folder.path());
    } catch (HostException | RuntimeException e) {
      if (linked && gone) {
        undo(e, () -> HostFolder.rename(purge, current));
      } else if (linked) {
        undo(e, () -> HostFolder.unlink(purge));
      }
      throw e;
    }
  }

  /**
   * Takes away what nobody uses any more of a segment, after a version was left that is not the
   * current one.
   */
  void sweep(SegmentName name) throws IOException {
    try (StoreLock _ = StoreLock.acquire(folder.path())) {
      sweep(name, folder.versionsOf(name), new ArrayList<>());
    }
  }

  /**
   * Takes away what nobody uses any more of every segment.
   *
   * @return what was deleted
   */
  List<Path> clean() throws IOException {
    List<Path> deleted = new ArrayList<>();
    try (StoreLock _ = StoreLock.acquire(folder.path())) {
      // The folder is read once, not once for each name.
      Map<SegmentName, SortedSet<Long>> versions = new TreeMap<>();
      for (String each : folder.names()) {
        StoreFile.of(each).ifPresent(file -> add(file, versions));
      }
      for (Map.Entry<SegmentName, SortedSet<Long>> each : versions.entrySet()) {
        sweep(each.getKey(), each.getValue(), deleted);
      }
      HostFolder.force(folder.path());
    }
    deleted.sort(null);
    return deleted;
  }

  private static void add(StoreFile file, Map<SegmentName, SortedSet<Long>> versions) {
    SortedSet<Long> own = versions.computeIfAbsent(file.name(), _ -> new TreeSet<>());
    if (file.version() != 0) {
      own.add(file.version());
    }
  }

  /**
   * Writes data, then definition, then switches. Preconditions: the lock is held.
   *
   * @param before the current version, 0 if there is none
   */
  private StoredSegment commit(SegmentDefinition definition, SegmentSource source, long before)
      throws IOException {
    SegmentName name = definition.name();
    SortedSet<Long> versions = sweep(name, folder.versionsOf(name), before, new ArrayList<>());
    if (before != 0) {
      versions.add(before);
    }
    long version = versions.isEmpty() ? 1 : versions.last() + 1;
    Path current = path(StoreFile.definition(name));
    Path next = path(StoreFile.newDefinition(name));
    Path data = path(StoreFile.data(name, version));
    Path purge = path(StoreFile.purge(name, before));
    boolean switched = false;
    try {
      source.make(data, definition.byteSize());
      write(next, DefinitionFile.format(definition, version));
      if (before != 0) {
        HostFolder.link(current, purge);
      }
      HostFolder.force(folder.path());
      HostFolder.rename(next, current);
      switched = true;
      HostFolder.force(folder.path());
      source.committed();
    } catch (IOException | RuntimeException | Error e) {
      boolean undoSwitch = switched;
      undo(
          e,
          () -> {
            if (undoSwitch && before != 0) {
              HostFolder.rename(purge, current);
            } else if (undoSwitch) {
              HostFolder.unlink(current);
            }
            sweep(name, folder.versionsOf(name), new ArrayList<>());
            source.cancelled();
            HostFolder.force(folder.path());
          });
      throw e;
    }
    versions.add(version);
    sweepBehind(name, versions, version);
    return new StoredSegment(definition, version, data);
  }

  private static void write(Path file, byte[] text) throws HostException {
    try (HostFile out = HostFile.create(file, ANYBODY_MAY_READ);
        Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, text);
      out.write(0, bytes);
      out.force();
    }
  }

  /**
   * Keeps the definition of a version under the name that it has until its users have left. Without
   * the space for one more name a remove goes on: it is what makes space.
   */
  private static boolean linkUnlessFull(Path current, Path purge) throws HostException {
    try {
      HostFolder.link(current, purge);
      return true;
    } catch (HostException e) {
      return switch (e.errno()) {
        case ENOSPC, EDQUOT -> false;
        default -> throw e;
      };
    }
  }

  /** Returns 0 if there is no such segment. */
  private long currentVersion(SegmentName name) throws SegmentException {
    try {
      return folder.current(name).version();
    } catch (SegmentException e) {
      if (e.code() == Errno.ENOENT) {
        return 0;
      }
      throw e;
    }
  }

  private void sweep(SegmentName name, SortedSet<Long> versions, List<Path> deleted)
      throws HostException {
    long current;
    try {
      current = currentVersion(name);
    } catch (SegmentException damaged) {
      return; // which version must stay cannot be told
    }
    sweep(name, versions, current, deleted);
  }

  /**
   * Deletes what nobody needs of the given versions: all of one that is not current and has no
   * users, the purge link of the current one, and a definition that was not finished.
   * Preconditions: the lock is held.
   *
   * @return the versions that are left
   */
  private SortedSet<Long> sweep(
      SegmentName name, SortedSet<Long> versions, long current, List<Path> deleted)
      throws HostException {
    SortedSet<Long> left = new TreeSet<>();
    delete(StoreFile.newDefinition(name), deleted);
    for (long version : versions) {
      if (version == current) {
        delete(StoreFile.purge(name, version), deleted);
        left.add(version);
      } else if (DataUsers.any(path(StoreFile.data(name, version)))) {
        left.add(version);
      } else {
        delete(StoreFile.purge(name, version), deleted);
        delete(StoreFile.data(name, version), deleted);
      }
    }
    return left;
  }

  /** A change that is on the disk has succeeded, whatever is left: the next one sweeps again. */
  private void sweepBehind(SegmentName name, SortedSet<Long> versions, long current) {
    try {
      sweep(name, versions, current, new ArrayList<>());
    } catch (HostException e) {
      // SegmentStore.check tells of it.
    }
  }

  private void delete(StoreFile file, List<Path> deleted) throws HostException {
    Path path = path(file);
    if (HostFolder.unlink(path)) {
      deleted.add(path);
    }
  }

  private Path path(StoreFile file) {
    return folder.resolve(file);
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
}
