package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.Caller;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.host.Leftovers;
import dev.xip.host.OpenFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The folder of a store, open for one call: all files are reached beneath its descriptor and none
 * through a link. README.md beside this file says whom it trusts. Reading takes no lock.
 */
final class StoreFolder implements AutoCloseable {
  private final Path path;
  private final OpenFolder open;
  private final HostStat stat;

  /**
   * The names made by a change that has not taken effect; renaming or unlinking a definition puts
   * it into effect. Guarded by this, as is the next field.
   */
  private final Set<StoreFile> unfinished = new LinkedHashSet<>();

  private boolean stopped;
  private final Leftovers.Leftover leftover = this::stop;

  private StoreFolder(Path path, OpenFolder open, HostStat stat) {
    this.path = path;
    this.open = open;
    this.stat = stat;
  }

  static StoreFolder open(Path path) throws HostException {
    OpenFolder open = OpenFolder.open(path);
    try {
      return new StoreFolder(path, open, open.stat());
    } catch (HostException | RuntimeException e) {
      open.close();
      throw e;
    }
  }

  /**
   * Opens the folder in which a segment is looked for.
   *
   * @throws SegmentException ENOSYS if it is gone, as it stands in for the hypervisor
   */
  static StoreFolder open(Path path, SegmentName name) throws SegmentException {
    try {
      return open(path);
    } catch (HostException e) {
      throw e.errno() == Errno.ENOENT
          ? new SegmentException(Errno.ENOSYS, "segment " + name, "a store in " + path, "nothing")
          : SegmentException.of("segment " + name, e);
    }
  }

  Path path() {
    return path;
  }

  /** The folder's attributes: its owner, group and mode. */
  HostStat stat() {
    return stat;
  }

  OpenFolder open() {
    return open;
  }

  Path resolve(StoreFile file) {
    return path.resolve(file.toString());
  }

  /** Lists all files, sorted by name. */
  List<FileName> names() throws SegmentException {
    List<FileName> names = names("");
    names.sort(null);
    return names;
  }

  /** Lists the files of a segment by their names, whatever their type. */
  List<StoreFile> filesOf(SegmentName name) throws SegmentException {
    List<StoreFile> files = new ArrayList<>();
    for (FileName each : names(name + ".")) {
      StoreFile.of(each.toString()).ifPresent(files::add);
    }
    return files;
  }

  private List<FileName> names(String start) throws SegmentException {
    try {
      return open.names(FileName.of(start));
    } catch (HostException e) {
      throw SegmentException.of("segment store " + path, e);
    }
  }

  /** Returns the attributes of the entry of a name. */
  HostStat stat(StoreFile file) throws HostException {
    return open.stat(file.fileName());
  }

  boolean exists(StoreFile file) throws HostException {
    return open.exists(file.fileName());
  }

  /**
   * Registers the change: if the JVM is told to stop before it takes effect, its names are removed.
   * Called by the one change for which this is open, before its first step.
   */
  void beginChange() {
    Leftovers.add(leftover);
  }

  /** Removes the names of a change that has not taken effect, and stops it. */
  private synchronized void stop() throws HostException {
    stopped = true;
    for (StoreFile each : unfinished) {
      open.unlink(each.fileName());
    }
  }

  private void requireNotStopped() throws SegmentException {
    if (stopped) {
      throw new SegmentException(
          Errno.EINTR, "segment store %s: the process was told to stop".formatted(path));
    }
  }

  /** Makes a file for its owner alone, under a name that nothing has. */
  synchronized HostFile create(StoreFile file) throws IOException {
    requireNotStopped();
    HostFile made = open.create(file.fileName(), 0600);
    unfinished.add(file);
    return made;
  }

  void link(StoreFile from, StoreFile to) throws IOException {
    link(open, from.fileName(), to);
  }

  /** Links a file of another folder into the store. */
  synchronized void link(OpenFolder folder, FileName from, StoreFile to) throws IOException {
    requireNotStopped();
    folder.link(from, open, to.fileName());
    unfinished.add(to);
  }

  synchronized void rename(StoreFile from, StoreFile to) throws IOException {
    requireNotStopped();
    open.rename(from.fileName(), open, to.fileName());
    finish(to);
  }

  synchronized boolean unlink(StoreFile file) throws IOException {
    if (file.kind() == StoreFile.Kind.DEFINITION) {
      requireNotStopped();
    }
    boolean gone = open.unlink(file.fileName());
    unfinished.remove(file);
    finish(file);
    return gone;
  }

  private void finish(StoreFile changed) {
    if (changed.kind() == StoreFile.Kind.DEFINITION) {
      unfinished.clear();
    }
  }

  void force() throws HostException {
    open.force();
  }

  /**
   * Opens a regular file whose owner the store trusts.
   *
   * @throws SegmentException EIO if it is no regular file, or one of an owner that is not trusted
   * @throws HostException if it does not exist or the host refuses
   */
  HostFile openTrusted(FileName name, boolean writable) throws IOException {
    HostFile file = openRegular(name, writable);
    try {
      HostStat found = file.stat();
      if (isTrusted(found)) {
        return file;
      }
      throw untrusted(name, "one of user %d".formatted(found.uid()));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Opens a regular file of any owner. */
  HostFile openRegular(FileName name, boolean writable) throws IOException {
    try {
      return writable ? open.openReadWrite(name) : open.openReadOnly(name);
    } catch (HostException e) {
      HostStat found = statOrNull(name);
      if (found == null || found.isRegularFile()) {
        throw e;
      }
      throw untrusted(name, found.kind());
    }
  }

  /** Says why a file that exists must not be used: its type or its owner; null if it may. */
  String reasonToDistrust(FileName name) {
    HostStat found = statOrNull(name);
    return found == null || found.isRegularFile() && isTrusted(found)
        ? null
        : expected()
            + ", found "
            + (found.isRegularFile() ? "one of user %d".formatted(found.uid()) : found.kind());
  }

  private HostStat statOrNull(FileName name) {
    try {
      return open.stat(name);
    } catch (HostException gone) {
      return null;
    }
  }

  private boolean isTrusted(HostStat file) {
    return file.uid() == stat.uid() || file.uid() == 0 || file.uid() == Caller.uid();
  }

  private SegmentException untrusted(FileName name, String found) {
    return new SegmentException(
        Errno.EIO, path.resolve(name.toString()).toString(), expected().substring(9), found);
  }

  private String expected() {
    SortedSet<Integer> users = new TreeSet<>(List.of(0, stat.uid(), Caller.uid()));
    return "expected a regular file of user "
        + String.join(" or ", users.stream().map(String::valueOf).toList());
  }

  /**
   * Reads the current definition of a segment.
   *
   * @throws SegmentException ENOENT if there is none; EIO or the code of a broken rule if it is
   *     damaged; the host's code if it cannot be read
   */
  StoredSegment current(SegmentName name) throws SegmentException {
    try {
      return definition(StoreFile.definition(name).fileName());
    } catch (HostException e) {
      throw e.errno() == Errno.ENOENT
          ? new SegmentException(
              Errno.ENOENT, "segment " + name, "a segment of that name in " + path, "none")
          : SegmentException.of("segment " + name, e);
    } catch (IOException e) {
      throw SegmentException.of("segment " + name, e);
    }
  }

  /**
   * Reads a file that has the suffix of a current definition.
   *
   * @throws HostException if it cannot be read
   * @throws SegmentException if it is damaged, or its name is not that of a segment
   */
  StoredSegment definition(FileName file) throws IOException {
    String name = file.toString();
    int end = name.length() - StoreFile.DEFINITION_SUFFIX.length();
    return read(file, name.substring(0, end));
  }

  private StoredSegment read(FileName file, String name) throws IOException {
    try (HostFile text = openTrusted(file, false)) {
      return DefinitionFile.read(text, path.resolve(file.toString()), name);
    }
  }

  /**
   * Reads the definition of a version that is pending purge.
   *
   * @throws HostException ENOENT if there is none any more
   * @throws SegmentException if it is damaged
   */
  StoredSegment pendingPurge(SegmentName name, long version) throws IOException {
    StoreFile file = StoreFile.purge(name, version);
    StoredSegment stored = read(file.fileName(), name.value());
    if (stored.version() != version) {
      throw new SegmentException(
          Errno.EIO,
          "segment %s: definition %s".formatted(name, resolve(file)),
          "version " + version,
          "version " + stored.version());
    }
    return stored;
  }

  @Override
  public void close() {
    Leftovers.forget(leftover);
    open.close();
  }
}
