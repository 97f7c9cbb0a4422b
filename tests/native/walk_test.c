/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

static void small_leaves(void) {
  struct xip_entry end;

  fresh_tables();
  set(0x7f1234567000, leaf(0x500000, USER_PAGE | XIP_X86_64_SPECIAL | XIP_X86_64_NX), 0);
  end = walk(0x7f1234567abc);
  CLAIM(end.state == XIP_WALK_PRESENT && end.level == XIP_LEVEL_PTE, "a 4 KiB leaf is found");
  CLAIM(end.pa == 0x500abc && end.va == 0x7f1234567abc, "the offset in the page goes into pa");
  CLAIM(end.special == 1 && end.page_shift == 12, "the special bit and the page size are told");
  CLAIM(end.pte == 0x8000000000500225, "the entry has the bits that Linux gives it");
  CLAIM(walk(0x7f1234568000).state == XIP_WALK_NONE, "the next page is empty");
  CLAIM(walk(0x7f1234568000).level == XIP_LEVEL_PTE, "which is found in the last table");
  CLAIM(walk(0x1000).level == XIP_LEVEL_PGD, "an empty half of the space is found at the top");
  set(0x7f1234568000, leaf(0x600000, USER_PAGE), 0);
  CLAIM(walk(0x7f1234568000).special == 0, "a leaf without the bit is not special");
}

static void huge_leaves(void) {
  struct xip_entry end;

  fresh_tables();
  set(0x40000000, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE | XIP_X86_64_SPECIAL), 1);
  end = walk(0x401fffff);
  CLAIM(end.level == XIP_LEVEL_PMD && end.page_shift == 21, "a 2 MiB leaf ends the walk");
  CLAIM(end.pa == 0x7fffff, "21 bits of the address are offset in a 2 MiB leaf");
  CLAIM(end.special == 1, "a 2 MiB leaf can be special");
  set(0x80000000, leaf(0x40000000, USER_PAGE | XIP_X86_64_PSE | XIP_X86_64_SPECIAL), 2);
  end = walk(0xbfffffff);
  CLAIM(end.level == XIP_LEVEL_PUD && end.page_shift == 30, "a 1 GiB leaf ends the walk");
  CLAIM(end.pa == 0x7fffffff, "a leaf's frame may lie outside the window: it is not followed");
  set(0x40200000, leaf(0x800000, USER_PAGE | XIP_X86_64_PSE | XIP_X86_64_PAT_LARGE), 1);
  CLAIM(walk(0x40200123).pa == 0x800123, "the PAT bit of a huge leaf is not part of the address");
}

static void entries_that_are_not_pages(void) {
  fresh_tables();
  set(0x1000, XIP_X86_64_ACCESSED, 0);
  CLAIM(walk(0x1000).state == XIP_WALK_NONE, "a stray accessed bit leaves an entry empty");
  set(0x1000, XIP_X86_64_NONE_IGNORE, 0);
  CLAIM(walk(0x1000).state == XIP_WALK_NONE, "stray accessed and dirty bits leave it empty");
  set(0x1000, leaf(0x500000, XIP_X86_64_PROT_NONE | XIP_X86_64_SPECIAL), 0);
  CLAIM(walk(0x1000).state == XIP_WALK_PROT_NONE,
        "bit 8 without bit 0 is a page without any access");
  CLAIM(walk(0x1fff).pa == 0x500fff && walk(0x1000).special == 1, "and it has address and special");
  set(0x1000, 0x123456789a0000, 0);
  CLAIM(walk(0x1000).state == XIP_WALK_NOT_PRESENT, "other bits without bit 0 are no page");
  CLAIM(walk(0x1000).pa == 0, "and have no address");
  set(0x1000, XIP_X86_64_SPECIAL, 0);
  CLAIM(walk(0x1000).state == XIP_WALK_NOT_PRESENT, "the special bit alone is no page");
  CLAIM(walk(0x1000).special == 0, "and does not make it special");
  set(0x40000000, XIP_X86_64_PSE | XIP_X86_64_PROT_NONE | 0x600000, 1);
  CLAIM(walk(0x40000000).state == XIP_WALK_PROT_NONE, "a huge leaf can be untouchable as well");
  set(0x80000000, 0x5000 | XIP_X86_64_RW, 2);
  CLAIM(walk(0x80000000).state == XIP_WALK_NOT_PRESENT, "a pointer without bit 0 is no table");
  set(0x80000000, 0, 2);
  *entry(2, 5) = 0x5000 | XIP_X86_64_PROT_NONE;
  CLAIM(walk(5UL << 21).state == XIP_WALK_NOT_PRESENT, "only leaves can be untouchable");
}

static void damaged_tables(void) {
  struct xip_entry end;

  fresh_tables();
  set(0x1000, leaf(0x500000, USER_PAGE), 0);
  *entry(ROOT, 1) = PAGES << 12 | XIP_X86_64_TABLE;
  end = walk(1UL << 39);
  CLAIM(end.state == XIP_WALK_BAD && end.level == XIP_LEVEL_PGD, "a table past the window is bad");
  *entry(ROOT, 1) = XIP_X86_64_PFN_MASK | XIP_X86_64_TABLE;
  CLAIM(walk(1UL << 39).state == XIP_WALK_BAD, "so is one at the largest frame number");
  *entry(ROOT, 1) = ROOT << 12 | XIP_X86_64_TABLE;
  CLAIM(walk(1UL << 39).state == XIP_WALK_BAD, "a table that is its own ancestor is bad");
  *entry(ROOT, 1) = 0x200000 | XIP_X86_64_TABLE | XIP_X86_64_PSE;
  CLAIM(walk(1UL << 39).state == XIP_WALK_BAD, "a leaf in the top level is bad");
  *entry(2, 5) = 0x601000 | USER_PAGE | XIP_X86_64_PSE;
  CLAIM(walk(5UL << 21).state == XIP_WALK_PRESENT, "bit 12 of a 2 MiB leaf may be set");
  *entry(2, 5) = 0x602000 | USER_PAGE | XIP_X86_64_PSE;
  CLAIM(walk(5UL << 21).state == XIP_WALK_BAD, "bits 13 to 20 of a 2 MiB leaf may not");
  *entry(1, 5) = 0x20000000 | USER_PAGE | XIP_X86_64_PSE;
  CLAIM(walk(5UL << 30).state == XIP_WALK_BAD, "a 1 GiB leaf aligned to 512 MiB is bad");
  CLAIM(walk(0x1000).state == XIP_WALK_PRESENT, "the rest of the tables still answers");
}

static void wrong_arguments(void) {
  struct xip_entry out = {.va = 42};

  fresh_tables();
  CLAIM(xip_walk(NULL, WINDOW_BYTES, ROOT, 0, 0, &out) == -EINVAL, "no window is refused");
  CLAIM(xip_walk(window + 8, WINDOW_BYTES - PAGE, ROOT, 0, 0, &out) == -EINVAL,
        "a window off its page boundary is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES - 1, ROOT, 0, 0, &out) == -EINVAL,
        "a window of half a page is refused");
  CLAIM(xip_walk(window, -PAGE, ROOT, 0, 0, &out) == -EINVAL,
        "a window past the end of memory is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES, PAGES, 0, 0, &out) == -EINVAL,
        "a root past the window is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES, 1UL << 60, 0, 0, &out) == -EINVAL,
        "a root whose address would overflow is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES, ROOT, 77, 0, &out) == -EINVAL,
        "an unknown layout is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES, ROOT, 0, 0, NULL) == -EINVAL, "no result is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES, ROOT, 0, 1UL << 47, &out) == -EFAULT,
        "the first address past the low half is refused");
  CLAIM(xip_walk(window, WINDOW_BYTES, ROOT, 0, UINT64_MAX, &out) == -EFAULT,
        "the last address of all is refused");
  CLAIM(out.va == 42, "a refused call leaves the result alone");
  CLAIM(walk((1UL << 47) - 1).state == XIP_WALK_NONE, "the last address of the low half is walked");
}

int main(void) {
  CLAIM(xip_abi_version() == XIP_ABI_VERSION, "library and header are of one version");
  small_leaves();
  huge_leaves();
  entries_that_are_not_pages();
  damaged_tables();
  wrong_arguments();
  return claims_done();
}
