package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A machine with a region large enough for huge leaves, and a file that is one run of it. The first
 * word of each page is the page's number plus one.
 */
final class HugeMachine implements AutoCloseable {
  static final long HUGE = 2L << 20;
  static final int HUGE_PAGES = (int) (HUGE >>> Pages.SHIFT);
  static final long REGION = 1L << 30;
  static final int PAGES = 5 * HUGE_PAGES;

  final PhysicalMemory memory;
  final MemoryManager manager;
  final RunFile file;

  private final HostFile host;
  private final Region region;
  private final long framesAtBoot;

  /** The region from a page on. */
  static final class RunFile implements Mappable {
    private final long firstPfn;
    private final long pages;
    private Mapper mapper;

    RunFile(long firstPfn, long pages) {
      this.firstPfn = firstPfn;
      this.pages = pages;
    }

    @Override
    public String name() {
      return "run";
    }

    @Override
    public long size() {
      return pages << Pages.SHIFT;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(firstPfn + page, pages - page);
    }

    @Override
    public void attach(Mapper newMapper) {
      mapper = newMapper;
    }

    @Override
    public void detach(Mapper oldMapper) {
      mapper = null;
    }

    /** Takes pages out of every space; private copies stay. */
    void invalidate(int first, int count) {
      if (mapper != null) {
        mapper.unmap(first, count, false);
      }
    }
  }

  HugeMachine(EntryLayout layout, Rules rules, long ramBytes) {
    try {
      memory = PhysicalMemory.boot(REGION + PAGES * Pages.SIZE, ramBytes);
      host = HostFile.memfd("huge");
      host.truncate(PAGES * Pages.SIZE);
      region = memory.claim("HUGE", AddrRange.ofLength(REGION, PAGES * Pages.SIZE), false);
      memory.mapFile(region, 0, host, 0, PAGES * Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      MemorySegment bytes =
          PhysicalMemory.storable(memory.window().asSlice(REGION, PAGES * Pages.SIZE));
      for (long page = 0; page < PAGES; page++) {
        bytes.set(ValueLayout.JAVA_LONG, page * Pages.SIZE, page + 1);
      }
      manager =
          new MemoryManager(memory, layout, FrameStrategy.SPECIAL_BIT.on(memory, layout), rules);
      file = new RunFile(REGION >>> Pages.SHIFT, PAGES);
      framesAtBoot = memory.allocator().inUse();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void verify() {
    assertThat(Verifier.verify(manager)).isEmpty();
    assertThat(manager.badEntries().count()).isZero();
  }

  @Override
  public void close() {
    verify();
    manager.spaces().forEach(AddressSpace::close);
    assertThat(memory.allocator().inUse()).isEqualTo(framesAtBoot);
    try {
      memory.release(region);
      host.close();
      memory.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
