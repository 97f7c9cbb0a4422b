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
   * The names that a change has given before it takes place, which is when a definition gets or
   * loses its name. Guarded by this, as is the next.
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
   * @throws SegmentException ENOSYS if it is gone, for it is the hypervisor
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

  /** The owner of the folder and the users that may write to it. */
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

  /** Lists the files of a segment, of whatever kind what has such a name is. */
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

  /** Asks for the attributes of whatever has the name. */
  HostStat stat(StoreFile file) throws HostException {
    return open.stat(file.fileName());
  }

  boolean exists(StoreFile file) throws HostException {
    return open.exists(file.fileName());
  }

  /**
   * Sees to it that a change that has not taken place leaves nothing when the JVM is told to stop.
   * Called by the one change that this is open for, before its first step.
   */
  void beginChange() {
    Leftovers.add(leftover);
  }

  /** Takes away the names of a change that has not taken place, and lets it go no further. */
  private synchronized void stop() throws HostException {
    stopped = true;
    for (StoreFile each : unfinished) {
      open.unlink(each.fileName());
    }
  }

  private void demandGoingOn() throws SegmentException {
    if (stopped) {
      throw new SegmentException(
          Errno.EINTR, "segment store " + path, "a process that goes on", "one told to stop");
    }
  }

  /** Makes a file for its owner alone, under a name that nothing has. */
  synchronized HostFile create(StoreFile file) throws IOException {
    demandGoingOn();
    HostFile made = open.create(file.fileName(), 0600);
    unfinished.add(file);
    return made;
  }

  void link(StoreFile from, StoreFile to) throws IOException {
    link(open, from.fileName(), to);
  }

  /** Gives a file of another folder a name here. */
  synchronized void link(OpenFolder folder, FileName from, StoreFile to) throws IOException {
    demandGoingOn();
    folder.link(from, open, to.fileName());
    unfinished.add(to);
  }

  synchronized void rename(StoreFile from, StoreFile to) throws IOException {
    demandGoingOn();
    open.rename(from.fileName(), open, to.fileName());
    finish(to);
  }

  synchronized boolean unlink(StoreFile file) throws IOException {
    if (file.kind() == StoreFile.Kind.DEFINITION) {
      demandGoingOn();
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
   * Opens a file that the store is to believe.
   *
   * @throws SegmentException EIO if it is no regular file, or one of an owner that is not trusted
   * @throws HostException if there is none or the host refuses
   */
  HostFile openTrusted(FileName name, boolean writable) throws IOException {
    HostFile file = openRegular(name, writable);
    try {
      HostStat found = file.stat();
      if (isTrusted(found)) {
        return file;
      }
      throw strange(name, "one of user %d".formatted(found.uid()));
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
      throw strange(name, found.kind());
    }
  }

  /** Says what is wrong with a file that is there but not to be believed; null if nothing is. */
  String oddity(FileName name) {
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

  private SegmentException strange(FileName name, String found) {
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
   * Reads what is called like a current definition.
   *
   * @throws HostException if it cannot be read
   * @throws SegmentException if it is damaged, which it is under a name that no segment can have
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
   * Reads the definition that a version had which is not current any more.
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
