package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Sketch;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.GetUserPages;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.util.List;

/** October 2017: DAX, the heir of XIP, goes back to struct pages. */
final class StructPagesAgain implements Step {
  @Override
  public Account account() {
    return new Account(
        "oct-2017",
        "October 2017",
        "The decision turned round: DAX requires struct pages",
        List.of(
            new Mail("Dan Williams", "commit 569d0365f571"),
            new Mail("Dave Jiang", "commit e1fb4a086495, June 2018")),
        "DAX replaced XIP for persistent memory, at first without struct pages. What cannot be"
            + " counted cannot be used: direct I/O into such a mapping, gdb that reads it and fork"
            + " of its process ended in SIGBUS. Since 4.3 a driver may make struct pages for its"
            + " memory (devm_memremap_pages); now file systems with DAX require them. Drivers such"
            + " as dcssblk, read for the most part, may go on without (FS_DAX_LIMITED), by special"
            + " entries. In June 2018 DAX gives up VM_MIXEDMAP.",
        "In Linux 6.19 dcssblk has struct pages too. The special bit stays, for memory of devices,"
            + " the zero page and huge leaves without struct pages.",
        List.of(GetUserPages.class, PageFrames.class),
        List.of("dev.xip.vm.GetUserPagesTest", "dev.xip.vm.GetUserPagesMatrixTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    try (Trial trial = Trial.of(FrameStrategy.SPECIAL_BIT)) {
      AddressSpace space = trial.manager().newAddressSpace("reader");
      AddrRange range =
          space.map(MapRequest.privately(trial.machine().spread(1), Access.READ_WRITE));
      Trial.touch(space, range, Access.READ);
      findings.add(
          new Sketch(
              List.of(Findings.entry("a page of the segment", space, range.start())),
              List.of(),
              ""));
      findings.broken(
          "get_user_pages of the page, as direct I/O and gdb need it", pin(space, range, false));
      findings.expect("the same after a store made a private copy", "", pin(space, range, true));
      findings.add(
          new Sketch(
              List.of(Findings.entry("the private copy", space, range.start())), List.of(), ""));
      findings.expect(
          "frames of RAM that the copy takes",
          1L,
          trial.machine().memory().allocator().inUse(FrameUse.ANONYMOUS));
      space.close();
    }
    findings.fact(
        "what struct pages cost that make it possible",
        "%,d bytes for each GiB".formatted((1L << 30 - 12) * PageFrames.RECORD_BYTES),
        true);
  }

  /** {@return the refusal; empty if the page was given out} */
  private static String pin(AddressSpace space, AddrRange range, boolean write) {
    try {
      space.getUserPages().pin(range.start(), 1, write, false).close();
      return "";
    } catch (MapException e) {
      return e.getMessage();
    }
  }
}
