/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

/*
 * The same claims for every layout: a special 4 KiB leaf and a huge one as Linux makes them, what
 * is empty, and what hardware does not translate through.
 */
struct sample {
  const char *name;
  uint32_t layout;
  unsigned root_entries;
  uint64_t root_none;
  uint64_t pte_none;
  uint64_t special;      /* a read-only leaf of pfn 0x80000 */
  uint32_t is_special;
  uint64_t prot_none;    /* a leaf of the same page without any access */
  uint64_t not_present;  /* no page at all, and not empty */
  uint32_t pmd_shift;
  uint64_t huge;         /* a read-only PMD leaf of the same frame */
  uint32_t huge_special; /* whether its special bit, if set, counts */
  uint64_t misaligned;   /* a PMD leaf off its boundary */
  uint64_t table;        /* what an entry of a PMD carries that points at PTEs */
  uint64_t tables;       /* frames that the way to a first page takes */
  uint32_t va_bits;
};

static const struct sample samples[] = {
    {"x86-64", XIP_LAYOUT_X86_64, 512, 0, 0, 0x8000000080000225, 1, 0x80000120, 0x80000204, 21,
     0x80000000800002a5, 1, 0x800020a5, 0x67, 3, 47},
    {"x86-64 of 2008", XIP_LAYOUT_X86_64_2008, 512, 0, 0, 0x8000000080000025, 0, 0x800000a0,
     0x80000120, 21, 0x80000000800000a5, 0, 0x800020a5, 0x67, 3, 47},
    {"s390x of 2008", XIP_LAYOUT_S390X_2008, 2048, 0x28, 0x400, 0x80000206, 1, 0x80000401, 0x403,
     20, 0x80000600, 0, 0x80010600, 0, 9, 53},
    {"s390x", XIP_LAYOUT_S390X, 2048, 0x28, 0x400, 0x80000355, 1, 0x80000605, 0x402, 20,
     0x80005741, 0, 0x80015701, 1, 9, 53},
    {"arm64", XIP_LAYOUT_ARM64, 512, 0, 0, 0x0160000080000fc3, 1, 0x0060000080000f82, 0x80000002,
     21, 0x0160000080000fc1, 1, 0x0060000080001fc1, 0x0800000000000403, 3, 48},
};

static const struct sample *on;
static uint64_t next_frame;

static void claim(int holds, const char *text) {
  char line[160];

  snprintf(line, sizeof line, "%s: %s", on->name, text);
  CLAIM(holds, line);
}

/* Empty tables whose root takes the first four frames at most; further frames are dirty. */
static void fresh_root(void) {
  fresh_tables();
  memset(window + 4 * PAGE, 0xff, (TABLE_PAGES - 4) * PAGE);
  for (unsigned i = 0; i < on->root_entries; i++) *entry(ROOT, i) = on->root_none;
  next_frame = 4;
}

static int put(uint64_t va, uint64_t pte, uint32_t level) {
  return xip_set(window, WINDOW_BYTES, ROOT, on->layout, va, pte, level, &next_frame, TABLE_PAGES);
}

static struct xip_entry look(uint64_t va) {
  struct xip_entry out = {.state = UINT32_MAX};

  xip_walk(window, WINDOW_BYTES, ROOT, on->layout, va, &out);
  return out;
}

static void small_leaves(void) {
  struct xip_entry end;
  uint64_t last = (1UL << on->va_bits) - PAGE;

  fresh_root();
  claim(look(0x1000).state == XIP_WALK_NONE, "an empty root is empty");
  claim(put(0x1000, on->special, 0) == 0, "a leaf is set");
  claim(next_frame == 4 + on->tables, "the tables above it take their frames");
  end = look(0x1abc);
  claim(end.state == XIP_WALK_PRESENT && end.pte == on->special, "a leaf is found");
  claim(end.pa == 0x80000abc && end.page_shift == 12, "it translates");
  claim(end.special == on->is_special, "the special bit is told");
  claim(look(0x2000).state == XIP_WALK_NONE && look(0x2000).pte == on->pte_none,
        "its neighbour is the empty entry");
  claim(look(1UL << on->pmd_shift).level == XIP_LEVEL_PMD, "the next table is missing at the PMD");
  claim(put(last, on->special, 0) == 0 && look(last).state == XIP_WALK_PRESENT,
        "the last page of all can be mapped");
  claim(put(last + PAGE, on->special, 0) == -EFAULT, "the first page past it cannot");
  put(0x3000, on->prot_none, 0);
  claim(look(0x3000).state == XIP_WALK_PROT_NONE && look(0x3000).pa == 0x80000000,
        "a page without any access keeps its frame");
  put(0x3000, on->not_present, 0);
  claim(look(0x3000).state == XIP_WALK_NOT_PRESENT && look(0x3000).pa == 0,
        "what has no page has no address");
  put(0x3000, on->pte_none, 0);
  claim(look(0x3000).state == XIP_WALK_NONE, "the empty entry clears");
}

static void huge_leaves(void) {
  uint64_t bytes = 1UL << on->pmd_shift;

  fresh_root();
  claim(put(bytes, on->huge, 1) == 0, "a huge leaf is set");
  claim(look(bytes + 0x12345).pa == 0x80012345 && look(bytes).page_shift == on->pmd_shift,
        "it translates its whole size");
  claim(look(bytes).special == on->huge_special, "it is special where its level can be");
  claim(put(bytes, on->misaligned, 1) == -EINVAL, "a huge leaf off its boundary is refused");
  claim(put(bytes + PAGE, on->special, 0) == -EEXIST, "a huge leaf is not split");
  put(0, on->special, 0);
  claim(put(2 * bytes, 0x5000 | on->table, 1) == -EINVAL, "a table is not linked by hand");
  claim(look(0).state == XIP_WALK_PRESENT, "and its neighbour still answers");
}

static void reads_and_dumps(void) {
  struct xip_entry found[4];
  char byte = 0;

  fresh_root();
  put(0x1000, on->special, 0);
  put(0x3000, on->prot_none, 0);
  put(1UL << on->pmd_shift, on->huge, 1);
  put(0x2000, (on->special & ~0xfffff000UL) | 0x500000, 0);
  claim(xip_dump(window, WINDOW_BYTES, ROOT, on->layout, 0, 1UL << on->va_bits, found, 4) == 4,
        "a dump lists what is not empty");
  claim(found[0].special == on->is_special && found[2].state == XIP_WALK_PROT_NONE &&
            found[3].va == 1UL << on->pmd_shift,
        "in address order");
  claim(xip_read(window, WINDOW_BYTES, WINDOW_BYTES, ROOT, on->layout, 0x3000, &byte, 1) == -EFAULT,
        "an untouchable page is not read");
  window[0x500007] = 'x';
  claim(xip_read(window, WINDOW_BYTES, WINDOW_BYTES, ROOT, on->layout, 0x2007, &byte, 1) == 1 &&
            byte == 'x',
        "bytes are read through the tables");
}

static void damage(void) {
  fresh_root();
  put(0x1000, on->special, 0);
  *entry(ROOT, 1) = *entry(ROOT, 0) + (PAGES << 12);
  claim(look(on->root_entries == 2048 ? 1UL << 42 : 1UL << 39).state == XIP_WALK_BAD,
        "a table past the window is bad");
  claim(xip_walk(window, 3 * PAGE, ROOT, on->layout, 0, &(struct xip_entry){0}) ==
            (on->root_entries == 2048 ? -EINVAL : 0),
        "a root must lie in the window as a whole");
}

/* Claims for s390x alone: types of upper entries, and entries that trap until they are young. */
static void s390x_alone(void) {
  fresh_root();
  put(0x1000, on->special, 0);
  *entry(ROOT, 1) = 0x4007;
  claim(look(1UL << 42).state == XIP_WALK_BAD, "an entry of another level is bad");
  *entry(ROOT, 1) = 0x200b;
  claim(look(1UL << 42).state == XIP_WALK_BAD, "a table inside the root's frames is bad");
  *entry(ROOT, 1) = 0;
  claim(look(1UL << 42).state == XIP_WALK_BAD, "an entry of zeros in the root is bad");
  if (on->layout == XIP_LAYOUT_S390X) {
    put(0x1000, 0x80000751, 0);
    claim(look(0x1000).state == XIP_WALK_PROT_NONE && look(0x1000).special == 1,
          "an old page is there and traps");
    claim(put(1UL << 31, 0x80005705, 2) == 0 && look(1UL << 31).page_shift == 31,
          "a 2 GiB leaf is set");
    claim(put(1UL << 20, 0x80005700, 1) == 0 && look(1UL << 20).state == XIP_WALK_NOT_PRESENT,
          "an upper entry that is not present is no leaf");
  } else {
    claim(put(1UL << 31, 0x80000604, 2) == -EINVAL, "there are no 2 GiB leaves");
  }
}

int main(void) {
  for (unsigned i = 0; i < sizeof samples / sizeof samples[0]; i++) {
    on = &samples[i];
    small_leaves();
    huge_leaves();
    reads_and_dumps();
    damage();
    if (on->root_entries == 2048) s390x_alone();
  }
  return claims_done();
}
