package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import java.io.IOException;

/**
 * A process with entries for pages of 512 segments, in a machine with one strategy of the
 * normal-page test. For one thread.
 */
public final class ForkedProcess implements AutoCloseable {
  /** The pages that it maps. */
  public static final int PAGES = 100_000;

  private static final int SEGMENTS = 512;
  private static final int PER_TABLE = 512;

  private final NormalPageMachine machine;
  private final AddressSpace space;

  /** The entries in the tables of the process. */
  public enum Content {
    /** Special entries for all pages. */
    WHOLE,
    /** Special entries, and in each table one entry of a private copy. */
    ONE_COPY_IN_EACH_TABLE,
    /** A special entry for every second page. */
    EVERY_OTHER_PAGE
  }

  /**
   * Boots the machine and touches the pages.
   *
   * @param strategy the machine's strategy
   * @param content the entries of the process
   * @throws IOException if there is no room for it
   */
  public ForkedProcess(FrameStrategy strategy, Content content) throws IOException {
    machine = NormalPageMachine.boot(X8664Layout.INSTANCE, SEGMENTS);
    space = machine.manager(strategy).newAddressSpace("parent");
    Access access = content == Content.ONE_COPY_IN_EACH_TABLE ? Access.READ_WRITE : Access.READ;
    long start = space.map(MapRequest.privately(machine.spread(PAGES), access)).start();
    int step = content == Content.EVERY_OTHER_PAGE ? 2 : 1;
    for (int page = 0; page < PAGES; page += step) {
      long va = start + ((long) page << Pages.SHIFT);
      touch(va, Access.READ);
      if (content == Content.ONE_COPY_IN_EACH_TABLE && page % PER_TABLE == 7) {
        touch(va, Access.WRITE);
      }
    }
  }

  private void touch(long va, Access access) throws IOException {
    space.fault(va, access).orThrow();
  }

  /**
   * Forks a child, which exits at once.
   *
   * @return the number of pages
   * @throws IOException if there is no room for the child
   */
  public long forkAndExit() throws IOException {
    AddressSpace child = space.fork("child");
    child.close();
    return PAGES;
  }

  /** Ends the process and the machine. */
  @Override
  public void close() {
    space.close();
    machine.close();
  }
}
