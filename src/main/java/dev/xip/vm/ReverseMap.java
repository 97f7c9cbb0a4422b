package dev.xip.vm;

import dev.xip.mapping.Mappable;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Finds the mappings of a file. Linux counterpart: {@code inode.i_mapping} and {@code
 * vma_link_file} (mm/mmap.c).
 *
 * <p>Lock held by the caller: the map lock of the space, exclusively.
 */
final class ReverseMap {
  /** The mappings of a file, and how many spaces are listed. */
  private static final class Entry {
    final FileMappings mappings;
    int spaces;

    Entry(FileMappings mappings) {
      this.mappings = mappings;
    }
  }

  private final MemoryManager manager;
  private final Map<Mappable, Entry> files = new IdentityHashMap<>();

  ReverseMap(MemoryManager manager) {
    this.manager = manager;
  }

  /** Lists a space among those that map a file. Precondition: it is not listed for the file. */
  FileMappings link(Mappable file, Mm mm) {
    FileMappings mappings;
    synchronized (files) {
      Entry entry = files.get(file);
      if (entry == null) {
        entry = new Entry(new FileMappings(manager, file));
        files.put(file, entry);
        file.attach(entry.mappings);
      }
      entry.spaces++;
      mappings = entry.mappings;
    }
    mappings.add(mm);
    return mappings;
  }

  /** Takes a space off the list. Precondition: it maps nothing of the file any more. */
  void unlink(FileMappings mappings, Mm mm) {
    mappings.remove(mm);
    synchronized (files) {
      Entry entry = files.get(mappings.file());
      if (--entry.spaces == 0) {
        files.remove(mappings.file());
        mappings.file().detach(mappings);
      }
    }
  }

  /** How many files are mapped. */
  int files() {
    synchronized (files) {
      return files.size();
    }
  }
}
