package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.process.ModelledProcess;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.util.List;

/**
 * Work of the memory manager on ordinary memory, which has page frames: what a process does that
 * maps no segment at all. Each kind asks the normal-page test about many entries.
 */
public enum OrdinaryWork {
  /** Fork of a process with anonymous memory, and the child's exit. */
  FORK_EXIT("fork + exit, anonymous", OrdinaryWork.PAGES) {
    @Override
    Scene on(MemoryManager manager, Inputs inputs) throws IOException {
      return new Forked(manager, MapRequest.anonymous(BYTES, Access.READ_WRITE), Access.WRITE);
    }
  },
  /**
   * The same of a process that maps a file through the page cache, privately, and has stored into
   * one page of it: fork leaves out file mappings without private pages.
   */
  FORK_EXIT_FILE("fork + exit, page cache", OrdinaryWork.PAGES) {
    @Override
    Scene on(MemoryManager manager, Inputs inputs) throws IOException {
      return new Forked(
          manager, MapRequest.privately(inputs.file(), Access.READ_WRITE), Access.READ);
    }
  },
  /** Exec in a child that has its parent's anonymous memory, which goes. */
  EXEC("exec over anonymous", OrdinaryWork.PAGES) {
    @Override
    Scene on(MemoryManager manager, Inputs inputs) throws IOException {
      return new Exec(manager, inputs.program());
    }
  },
  /** First stores to anonymous memory, and munmap. */
  FAULTS("faults, anonymous", OrdinaryWork.PAGES) {
    @Override
    Scene on(MemoryManager manager, Inputs inputs) throws IOException {
      return new Touched(
          manager, MapRequest.anonymous(BYTES, Access.READ_WRITE), 1, List.of(Access.WRITE));
    }
  },
  /** Reads of a file in the page cache, of which a fault maps 16 pages, and munmap. */
  FAULTS_FILE("faults, page cache", OrdinaryWork.PAGES) {
    @Override
    Scene on(MemoryManager manager, Inputs inputs) throws IOException {
      return new Touched(
          manager, MapRequest.shared(inputs.file(), Access.READ), 16, List.of(Access.READ));
    }
  },
  /** Reads and then first stores in a private mapping of such a file, and munmap. */
  COPIES("copies on write, page cache", OrdinaryWork.PAGES) {
    @Override
    Scene on(MemoryManager manager, Inputs inputs) throws IOException {
      return new Touched(
          manager,
          MapRequest.privately(inputs.file(), Access.READ_WRITE),
          1,
          List.of(Access.READ, Access.WRITE));
    }
  };

  /** Pages of ordinary memory that each kind goes over: 16 MiB. */
  static final int PAGES = 4096;

  private static final long BYTES = PAGES * Pages.SIZE;

  private final String label;
  private final int units;

  OrdinaryWork(String label, int units) {
    this.label = label;
    this.units = units;
  }

  /** {@return the number of pages that one run goes over} */
  int units() {
    return units;
  }

  /** Makes the processes on which the work is done. */
  abstract Scene on(MemoryManager manager, Inputs inputs) throws IOException;

  /** {@return its name in figures} */
  @Override
  public String toString() {
    return label;
  }

  /**
   * The files that processes use.
   *
   * @param program an ELF program
   * @param file a file through the page cache, with all its {@link #PAGES} pages in it
   */
  record Inputs(InPlaceFile program, CachedFile file) {}

  /** The processes of one kind of work, on one machine. For one thread. */
  interface Scene extends Workload, AutoCloseable {
    /** Called before each run, and not timed. */
    default void prepare() throws IOException {}

    @Override
    void close();
  }

  /** Takes a fault on every so many pages. */
  private static void touch(AddressSpace space, AddrRange range, int step, Access access)
      throws IOException {
    for (long va = range.start(); va < range.end(); va += step * Pages.SIZE) {
      space.fault(va, access).orThrow();
    }
  }

  /** A process with one mapping that is forked; the child exits. */
  private static final class Forked implements Scene {
    private final AddressSpace parent;

    Forked(MemoryManager manager, MapRequest request, Access access) throws IOException {
      parent = manager.newAddressSpace("parent");
      AddrRange range = parent.map(request);
      touch(parent, range, 1, access);
      touch(parent, AddrRange.ofLength(range.start(), Pages.SIZE), 1, Access.WRITE);
    }

    @Override
    public long run() throws IOException {
      AddressSpace child = parent.fork("child");
      long frames = child.anonymousFrames();
      child.close();
      return frames;
    }

    @Override
    public void close() {
      parent.close();
    }
  }

  /** A shell's way to start a program: a forked child execs it. Only exec is timed. */
  private static final class Exec implements Scene {
    private static final List<String> ENVIRONMENT = List.of("HOME=/", "PATH=/usr/bin:/bin");

    private final InPlaceFile program;
    private final ModelledProcess parent;
    private ModelledProcess child;

    Exec(MemoryManager manager, InPlaceFile program) throws IOException {
      this.program = program;
      parent = ModelledProcess.start(manager, "shell");
      AddressSpace space = parent.space();
      touch(space, space.map(MapRequest.anonymous(BYTES, Access.READ_WRITE)), 1, Access.WRITE);
    }

    @Override
    public void prepare() throws IOException {
      endChild();
      child = parent.fork("child");
    }

    @Override
    public long run() throws IOException {
      child.exec(program, List.of(program.name(), "-version"), ENVIRONMENT);
      return child.entry();
    }

    @Override
    public void close() {
      endChild();
      parent.close();
    }

    private void endChild() {
      if (child != null) {
        child.close();
        child = null;
      }
    }
  }

  /** A process that maps memory, touches every page and unmaps it. */
  private static final class Touched implements Scene {
    private final AddressSpace space;
    private final MapRequest request;
    private final int step;
    private final List<Access> accesses;

    Touched(MemoryManager manager, MapRequest request, int step, List<Access> accesses)
        throws IOException {
      this.space = manager.newAddressSpace("touching");
      this.request = request;
      this.step = step;
      this.accesses = accesses;
    }

    @Override
    public long run() throws IOException {
      AddrRange range = space.map(request);
      for (Access access : accesses) {
        touch(space, range, step, access);
      }
      space.unmap(range);
      return range.start();
    }

    @Override
    public void close() {
      space.close();
    }
  }
}
