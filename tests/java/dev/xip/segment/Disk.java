package dev.xip.segment;

import dev.xip.segment.DiskStep.Data;
import dev.xip.segment.DiskStep.Link;
import dev.xip.segment.DiskStep.Make;
import dev.xip.segment.DiskStep.Rename;
import dev.xip.segment.DiskStep.Resize;
import dev.xip.segment.DiskStep.Sync;
import dev.xip.segment.DiskStep.Unlink;
import dev.xip.segment.DiskStep.Write;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Files and folders as a power loss may leave them under POSIX: only what fsync has forced is
 * certainly on the disk. Of a file that was not forced any part of the changes may be there, and
 * its length without its bytes; each entry of a folder that was not forced may be old or new.
 */
final class Disk {
  /**
   * Up to this many changed entries every subset is tried; of more, those that lack a tail or one.
   */
  private static final int EVERY_CHOICE = 6;

  private static final int SECTOR = 512;

  /** Marks a name that is removed. */
  private static final Inode NONE = new Inode(-1);

  /** A file: its bytes on the disk, and the changes since they were forced. */
  private static final class Inode {
    private final int number;
    private byte[] forced = {};
    private final List<Data> since = new ArrayList<>();

    Inode(int number) {
      this.number = number;
    }

    void force() {
      forced = after(since.size(), -1);
      since.clear();
    }

    /** The bytes after some changes, of which one may have changed the length alone. */
    private byte[] after(int changes, int lengthOnly) {
      byte[] bytes = forced;
      for (int i = 0; i < changes; i++) {
        bytes = apply(bytes, since.get(i), i == lengthOnly ? 0 : Integer.MAX_VALUE);
      }
      return bytes;
    }

    /** Carries out a change, but of the bytes that it writes only the first. */
    private static byte[] apply(byte[] bytes, Data change, int limit) {
      return switch (change) {
        case Resize(_, long length) -> Arrays.copyOf(bytes, (int) length);
        case Write(_, long offset, byte[] written) -> {
          int end = (int) offset + written.length;
          byte[] grown = Arrays.copyOf(bytes, Math.max(bytes.length, end));
          System.arraycopy(written, 0, grown, (int) offset, Math.min(written.length, limit));
          yield grown;
        }
      };
    }

    Set<ByteBuffer> afterPowerLoss() {
      Set<ByteBuffer> all = new LinkedHashSet<>();
      byte[] lengths = forced;
      for (int i = 0; i < since.size(); i++) {
        all.add(ByteBuffer.wrap(after(i, -1)));
        all.add(ByteBuffer.wrap(after(since.size(), i)));
        if (since.get(i) instanceof Write write) {
          int torn = write.bytes().length / 2 / SECTOR * SECTOR;
          byte[] grown = apply(after(i, -1), write, torn);
          all.add(ByteBuffer.wrap(grown));
          all.add(ByteBuffer.wrap(Arrays.copyOf(grown, (int) write.offset() + torn)));
        }
        lengths = apply(lengths, since.get(i), 0);
      }
      all.add(ByteBuffer.wrap(lengths));
      all.add(ByteBuffer.wrap(after(since.size(), -1)));
      return all;
    }
  }

  /**
   * What a power loss left.
   *
   * @param names the number of the file behind each name
   * @param files the bytes of each file
   */
  record Remains(Map<Path, Integer> names, Map<Integer, ByteBuffer> files) {
    @Override
    public String toString() {
      return names + " " + files;
    }

    /** Writes it all into an empty folder. */
    void writeTo(Path root) throws IOException {
      Map<Integer, Path> written = new HashMap<>();
      for (Map.Entry<Path, Integer> each : names.entrySet()) {
        Path path = root.resolve(each.getKey());
        Files.createDirectories(path.getParent());
        Path first = written.putIfAbsent(each.getValue(), path);
        if (first == null) {
          Files.write(path, files.get(each.getValue()).array());
        } else {
          Files.createLink(path, first);
        }
      }
    }
  }

  private int inodes;
  private final Map<Path, Inode> now = new TreeMap<>();
  private final Map<Path, Inode> forced = new TreeMap<>();

  /** By folder, the entries that each change since it was forced gave another file. */
  private final Map<Path, List<Map<Path, Inode>>> since = new TreeMap<>();

  /** Takes over a folder whose contents are all on the disk. */
  static Disk of(Path root) throws IOException {
    Disk disk = new Disk();
    Map<Object, Inode> byKey = new HashMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path name = root.relativize(file);
        Object key = Files.getAttribute(file, "unix:ino");
        Inode inode = byKey.computeIfAbsent(key, _ -> new Inode(disk.inodes++));
        inode.forced = Files.readAllBytes(file);
        disk.now.put(name, inode);
        disk.forced.put(name, inode);
      }
    }
    return disk;
  }

  /** Marks a file as written and never forced. */
  void unforced(Path file) {
    Inode inode = now.get(file);
    inode.since.add(new Write(file, 0, inode.forced));
    inode.forced = new byte[0];
  }

  /** Carries out a step. */
  void apply(DiskStep step) {
    switch (step) {
      case Make(Path file) -> {
        if (!now.containsKey(file)) {
          change(Map.of(file, new Inode(inodes++)));
        }
      }
      case Data data -> now.get(data.file()).since.add(data);
      case Link(Path file, Path name) -> change(Map.of(name, now.get(file)));
      case Rename(Path file, Path name) -> change(Map.of(file, NONE, name, now.get(file)));
      case Unlink(Path file) -> change(Map.of(file, NONE));
      case Sync(Path path) -> {
        if (now.containsKey(path)) {
          now.get(path).force();
        } else {
          since.getOrDefault(path, List.of()).forEach(each -> put(forced, each));
          since.remove(path);
        }
      }
    }
  }

  private void change(Map<Path, Inode> entries) {
    put(now, entries);
    Path folder = entries.keySet().iterator().next().getParent();
    if (!entries.keySet().stream().allMatch(each -> each.getParent().equals(folder))) {
      throw new AssertionError("the model of the disk lacks renames across folders: " + entries);
    }
    since.computeIfAbsent(folder, _ -> new ArrayList<>()).add(entries);
  }

  private static void put(Map<Path, Inode> names, Map<Path, Inode> entries) {
    entries.forEach(
        (name, inode) -> {
          if (inode == NONE) {
            names.remove(name);
          } else {
            names.put(name, inode);
          }
        });
  }

  /** Returns everything that a power loss may leave now. */
  Set<Remains> afterPowerLoss() {
    List<Map<Path, Inode>> choices = List.of(forced);
    for (List<Map<Path, Inode>> changes : since.values()) {
      List<Map<Path, Inode>> next = new ArrayList<>();
      for (Map<Path, Inode> names : choices) {
        for (long kept : choicesOf(changes.size())) {
          Map<Path, Inode> chosen = new TreeMap<>(names);
          for (int i = 0; i < changes.size(); i++) {
            if ((kept >> i & 1) != 0) {
              put(chosen, changes.get(i));
            }
          }
          next.add(chosen);
        }
      }
      choices = next;
    }
    Set<Remains> all = new LinkedHashSet<>();
    choices.forEach(each -> all.addAll(withContents(each)));
    return all;
  }

  /** The changes that reached the disk, as bits. */
  private static List<Long> choicesOf(int changes) {
    List<Long> choices = new ArrayList<>();
    long whole = (1L << changes) - 1;
    for (long each = 0; each <= whole && changes <= EVERY_CHOICE; each++) {
      choices.add(each);
    }
    for (int i = 0; i <= changes && changes > EVERY_CHOICE; i++) {
      choices.add((1L << i) - 1);
      choices.add(whole & ~(1L << i));
    }
    return choices;
  }

  private static Set<Remains> withContents(Map<Path, Inode> chosen) {
    Map<Path, Integer> names = new TreeMap<>();
    chosen.forEach((name, inode) -> names.put(name, inode.number));
    List<Map<Integer, ByteBuffer>> all = List.of(Map.of());
    for (Inode inode : new LinkedHashSet<>(chosen.values())) {
      List<Map<Integer, ByteBuffer>> next = new ArrayList<>();
      for (Map<Integer, ByteBuffer> files : all) {
        for (ByteBuffer bytes : inode.afterPowerLoss()) {
          Map<Integer, ByteBuffer> more = new TreeMap<>(files);
          more.put(inode.number, bytes);
          next.add(more);
        }
      }
      all = next;
    }
    Set<Remains> remains = new LinkedHashSet<>();
    all.forEach(files -> remains.add(new Remains(names, files)));
    return remains;
  }
}
