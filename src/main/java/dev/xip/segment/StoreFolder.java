package dev.xip.segment;

import dev.xip.host.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** Finds and reads the files of one store. Reading takes no lock. */
final class StoreFolder {
  private final Path path;

  StoreFolder(Path path) {
    this.path = path;
  }

  Path path() {
    return path;
  }

  Path resolve(StoreFile file) {
    return path.resolve(file.toString());
  }

  /** Lists all files, sorted by name. */
  List<String> names() throws SegmentException {
    List<String> names = names("");
    names.sort(null);
    return names;
  }

  /** Finds out which versions of a segment have files. */
  SortedSet<Long> versionsOf(SegmentName name) throws SegmentException {
    SortedSet<Long> versions = new TreeSet<>();
    for (String each : names(name + ".")) {
      StoreFile.of(each)
          .filter(file -> file.version() != 0)
          .ifPresent(file -> versions.add(file.version()));
    }
    return versions;
  }

  private List<String> names(String start) throws SegmentException {
    try {
      return HostFolder.names(path, start);
    } catch (HostException e) {
      throw SegmentException.of("segment store " + path, e);
    }
  }

  /**
   * Reads the current definition of a segment.
   *
   * @throws SegmentException ENOENT if there is none; ENOSYS if the folder is gone, for it is the
   *     hypervisor; EIO or the code of a broken rule if it is damaged; the host's code if it cannot
   *     be read
   */
  StoredSegment current(SegmentName name) throws SegmentException {
    try {
      return definition(StoreFile.definition(name).toString());
    } catch (HostException e) {
      throw e.errno() == Errno.ENOENT ? none(name) : SegmentException.of("segment " + name, e);
    } catch (IOException e) {
      throw SegmentException.of("segment " + name, e);
    }
  }

  private SegmentException none(SegmentName name) {
    try {
      return HostFolder.exists(path)
          ? new SegmentException(
              Errno.ENOENT, "segment " + name, "a segment of that name in " + path, "none")
          : new SegmentException(Errno.ENOSYS, "segment " + name, "a store in " + path, "nothing");
    } catch (HostException e) {
      return SegmentException.of("segment " + name, e);
    }
  }

  /**
   * Reads what is called like a current definition.
   *
   * @throws HostException if it cannot be read
   * @throws SegmentException if it is damaged, which it is under a name that no segment can have
   */
  StoredSegment definition(String fileName) throws IOException {
    int end = fileName.length() - StoreFile.DEFINITION_SUFFIX.length();
    return DefinitionFile.read(path.resolve(fileName), fileName.substring(0, end));
  }

  /**
   * Reads the definition that a version had which is not current any more.
   *
   * @throws HostException ENOENT if there is none any more
   * @throws SegmentException if it is damaged
   */
  StoredSegment pendingPurge(SegmentName name, long version) throws IOException {
    Path file = resolve(StoreFile.purge(name, version));
    StoredSegment stored = DefinitionFile.read(file, name.value());
    if (stored.version() != version) {
      throw new SegmentException(
          Errno.EIO,
          "segment %s: definition %s".formatted(name, file),
          "version " + version,
          "version " + stored.version());
    }
    return stored;
  }
}
