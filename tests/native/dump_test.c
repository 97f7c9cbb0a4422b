/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#define ALL (1UL << 47)

static struct xip_entry found[8];

static int64_t dump(uint64_t start, uint64_t end, uint64_t capacity) {
  memset(found, 0, sizeof found);
  return xip_dump(window, WINDOW_BYTES, ROOT, XIP_LAYOUT_X86_64, start, end, found, capacity);
}

static void entries_come_in_address_order(void) {
  fresh_tables();
  CLAIM(dump(0, ALL, 8) == 0, "empty tables have no entries");
  set(ALL - PAGE, leaf(0x700000, USER_PAGE), 0);
  set(0x80000000, leaf(0x40000000, USER_PAGE | XIP_X86_64_PSE), 2);
  set(0x200000, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE | XIP_X86_64_SPECIAL), 1);
  set(0x1000, leaf(0x500000, USER_PAGE), 0);
  CLAIM(dump(0, ALL, 8) == 4, "all leaves of the whole half are counted");
  CLAIM(found[0].va == 0x1000 && found[0].level == XIP_LEVEL_PTE, "a 4 KiB leaf comes first");
  CLAIM(found[1].va == 0x200000 && found[1].special == 1, "then the special 2 MiB leaf");
  CLAIM(found[2].va == 0x80000000 && found[2].page_shift == 30, "then the 1 GiB leaf");
  CLAIM(found[3].va == ALL - PAGE && found[3].pa == 0x700000, "then the last page of all");
  CLAIM(dump(0x1000, 0x1000, 8) == 0, "an empty range has no entries");
  CLAIM(dump(0x1000, 0x200000, 8) == 1, "the end is not part of the range");
  CLAIM(dump(0x2000, 0x200001, 8) == 1 && found[0].va == 0x200000, "a cut leaf is, as a whole");
  CLAIM(dump(0x3fffff, 0x400000, 8) == 1 && found[0].pa == 0x600000, "also when its head is cut");
  CLAIM(dump(0, ALL, 2) == 4 && found[2].page_shift == 0, "what has no room is counted only");
  CLAIM(xip_dump(window, WINDOW_BYTES, ROOT, 0, 0, ALL, NULL, 0) == 4, "counting needs no room");
}

static void entries_that_are_not_pages_are_listed(void) {
  fresh_tables();
  set(0x1000, XIP_X86_64_NONE_IGNORE, 0);
  set(0x2000, XIP_X86_64_PROT_NONE | 0x500000, 0);
  set(0x3000, 0x7700, 0);
  set(0x4000, 0x7600, 0);
  *entry(ROOT, 3) = PAGES << 12 | XIP_X86_64_TABLE;
  *entry(ROOT, 4) = ROOT << 12 | XIP_X86_64_TABLE;
  CLAIM(dump(0, ALL, 8) == 5, "all but empty entries are listed");
  CLAIM(found[0].state == XIP_WALK_PROT_NONE && found[0].pa == 0x500000, "an untouchable page is");
  CLAIM(found[1].state == XIP_WALK_PROT_NONE, "bit 8 decides even among other bits");
  CLAIM(found[2].state == XIP_WALK_NOT_PRESENT && found[2].pte == 0x7600, "a swapped page is");
  CLAIM(found[3].state == XIP_WALK_BAD && found[3].va == 3UL << 39, "a table past the window is");
  CLAIM(found[4].state == XIP_WALK_BAD && found[4].page_shift == 39, "and a loop is, and ends");
}

static void wrong_arguments(void) {
  fresh_tables();
  CLAIM(dump(0x2000, 0x1000, 8) == -EINVAL, "a reversed range is refused");
  CLAIM(dump(0, ALL + 1, 8) == -EFAULT, "a range past the low half is refused");
  CLAIM(xip_dump(window, WINDOW_BYTES, ROOT, 0, 0, ALL, NULL, 1) == -EINVAL,
        "room without memory is refused");
  CLAIM(xip_dump(window, WINDOW_BYTES, PAGES, 0, 0, ALL, found, 8) == -EINVAL,
        "a root past the window is refused");
}

int main(void) {
  entries_come_in_address_order();
  entries_that_are_not_pages_are_listed();
  wrong_arguments();
  return claims_done();
}
