/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

static void tables_are_made_on_the_way(void) {
  fresh_tables();
  memset(window + PAGE, 0xff, TABLE_PAGES * PAGE);
  CLAIM(set(0x1000, leaf(0x500000, USER_PAGE), 0) == 0 && next_table == 4,
        "a first page takes three tables");
  CLAIM(walk(0x2000).state == XIP_WALK_NONE, "a table is zeroed before it is linked");
  CLAIM(*entry(ROOT, 0) == (0x1000 | XIP_X86_64_TABLE), "a table is linked with table rights");
  CLAIM(set(0x2000, leaf(0x600000, USER_PAGE), 0) == 0 && next_table == 4,
        "its neighbour takes none");
  CLAIM(set(0x200000, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE), 1) == 0 && next_table == 4,
        "a 2 MiB leaf beside them takes none");
  CLAIM(set(0x1000, leaf(0x700000, USER_PAGE), 0) == 0 && walk(0x1000).pa == 0x700000,
        "an entry can be replaced");
  CLAIM(set(0x1000, 0, 0) == 0 && walk(0x1000).state == XIP_WALK_NONE, "an entry can be cleared");
}

static void what_is_in_the_way_is_kept(void) {
  uint64_t before;

  fresh_tables();
  set(0x200000, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE), 1);
  CLAIM(set(0x201000, leaf(0x500000, USER_PAGE), 0) == -EEXIST, "a huge leaf is not split");
  set(0x1000, leaf(0x500000, USER_PAGE), 0);
  CLAIM(set(0, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE), 1) == -EEXIST,
        "a table is not dropped for a leaf");
  CLAIM(set(0, 0, 1) == -EEXIST, "a table is not cleared");
  CLAIM(walk(0x1000).pa == 0x500000, "what it held is still there");
  *entry(ROOT, 1) = PAGES << 12 | XIP_X86_64_TABLE;
  before = next_table;
  CLAIM(set(1UL << 39, leaf(0x500000, USER_PAGE), 0) == -ELOOP, "a bad table is not entered");
  CLAIM(next_table == before, "and no frame is taken for it");
}

static void wrong_arguments(void) {
  uint64_t next = 1;

  fresh_tables();
  CLAIM(set(0x1800, leaf(0x500000, USER_PAGE), 0) == -EINVAL, "an address in a page is refused");
  CLAIM(set(0x1000, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE), 1) == -EINVAL,
        "so is one inside a huge page");
  CLAIM(set(0, leaf(0x600000, USER_PAGE), 1) == -EINVAL, "a huge leaf needs its bit");
  CLAIM(set(0, leaf(0x602000, USER_PAGE | XIP_X86_64_PSE), 1) == -EINVAL,
        "a huge leaf needs an aligned frame");
  CLAIM(set(0, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE), 3) == -EINVAL,
        "the top level takes no leaf");
  CLAIM(set(1UL << 47, leaf(0x500000, USER_PAGE), 0) == -EFAULT,
        "an address past the low half is refused");
  CLAIM(next_table == 1, "none of these took a table");
  CLAIM(xip_set(window, WINDOW_BYTES, ROOT, 0, 0, 0, 0, NULL, 9) == -EINVAL,
        "a supply of tables must be given");
  CLAIM(xip_set(window, WINDOW_BYTES, ROOT, 0, 0, USER_PAGE, 0, &next, 3) == -ENOMEM && next == 3,
        "a supply that runs out is told");
  CLAIM(walk(0).state == XIP_WALK_NONE, "and leaves the address empty");
  next = PAGES;
  CLAIM(xip_set(window, WINDOW_BYTES, ROOT, 0, 1UL << 39, USER_PAGE, 0, &next,
                PAGES + 1) == -ENOMEM,
        "a supply past the window is not touched");
}

int main(void) {
  tables_are_made_on_the_way();
  what_is_in_the_way_is_kept();
  wrong_arguments();
  return claims_done();
}
