package dev.xip.process;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.GetUserPages;
import dev.xip.vm.MapException;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import dev.xip.vm.PinnedPages;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * The stack of a program that is about to start, filled from its end downwards with strings. Each
 * page is obtained from the new address space through get_user_pages, although no program runs
 * there yet: the stack is ordinary memory, so every exec takes this path. Linux counterpart: {@code
 * struct linux_binprm} (fs/exec.c).
 */
final class ArgumentPages {
  /** The longest string, its end included. Linux counterpart: {@code MAX_ARG_STRLEN}. */
  static final int LONGEST_STRING = 32 * (int) Pages.SIZE;

  /** The most bytes of all strings: a quarter of the longest stack. Linux: {@code get_arg_page}. */
  static final long MOST_BYTES = 2L << 20;

  private final String what;
  private final long top;
  private final GetUserPages pages;

  /** The lowest address written so far. Linux counterpart: {@code bprm->p}. */
  private long position;

  /**
   * The page that strings are being copied to, or null. Linux counterpart: {@code kmapped_page}.
   */
  private PinnedPages page;

  /** The address that {@link #page} lies at. */
  private long pageStart;

  /**
   * Puts a stack of one page under the top of a new address space. Linux counterpart: {@code
   * bprm_mm_init}.
   */
  ArgumentPages(AddressSpace space, String what) throws MapException {
    this.what = what;
    // The last page of all is left out, as TASK_SIZE_MAX of x86-64 does.
    this.top = space.manager().addressLimit() - Pages.SIZE;
    this.pages = space.getUserPages();
    space.map(
        MapRequest.anonymous(Pages.SIZE, Access.READ_WRITE)
            .with(MapFlag.GROWSDOWN)
            .at(top - Pages.SIZE));
    // A word of zeros ends the stack.
    this.position = top - Long.BYTES;
  }

  /** Where the stack ends. */
  long top() {
    return top;
  }

  /**
   * Copies strings, each ended by a NUL, so that the first lies lowest. Linux counterpart: {@code
   * copy_strings}.
   *
   * @return where they lie
   * @throws ExecException E2BIG for every failure
   */
  AddrRange copyStrings(List<byte[]> strings) throws ExecException {
    long end = position;
    try {
      for (byte[] string : strings.reversed()) {
        if (string.length >= LONGEST_STRING) {
          throw tooBig("a string of %d bytes".formatted(string.length), null);
        }
        // One byte more than the string, for its NUL.
        copyString(MemorySegment.ofArray(Arrays.copyOf(string, string.length + 1)));
      }
    } finally {
      putArgPage();
    }
    return new AddrRange(position, end);
  }

  private void copyString(MemorySegment string) throws ExecException {
    long left = string.byteSize();
    while (left > 0) {
      long inPage = position & Pages.OFFSET_MASK;
      long bytes = Math.min(left, inPage == 0 ? Pages.SIZE : inPage);
      position -= bytes;
      left -= bytes;
      PinnedPages target = getArgPage(position);
      target.write(0, position & Pages.OFFSET_MASK, string.asSlice(left, bytes));
    }
  }

  /** The page that holds an address; the current one if it does. */
  private PinnedPages getArgPage(long va) throws ExecException {
    if (page != null && Pages.roundDown(va) == pageStart) {
      return page;
    }
    putArgPage();
    if (top - va > MOST_BYTES) {
      throw tooBig("more than 0x%x bytes of strings".formatted(MOST_BYTES), null);
    }
    try {
      page = pages.pin(va, 1, true, true);
    } catch (MapException e) {
      throw tooBig("no page for the strings at 0x%x".formatted(va), e);
    }
    pageStart = Pages.roundDown(va);
    return page;
  }

  private ExecException tooBig(String why, Throwable cause) {
    return new ExecException(Errno.E2BIG, what, why, cause);
  }

  /** Releases the current page. */
  private void putArgPage() {
    if (page != null) {
      page.close();
      page = null;
    }
  }
}
