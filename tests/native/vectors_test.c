/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

/*
 * The entries of pfn 0x80000 in rules.md, "Test vectors": what the header's bits add up to, and
 * what a walk makes of each.
 */
struct vector {
  uint32_t level;
  uint32_t state;
  uint32_t special;
  uint64_t entry;
  uint64_t bits; /* all but the address */
};

#define PTE XIP_LEVEL_PTE
#define PMD XIP_LEVEL_PMD
#define PUD XIP_LEVEL_PUD
#define PRESENT XIP_WALK_PRESENT
#define NO_ACCESS XIP_WALK_PROT_NONE
#define X(bit) XIP_X86_64_##bit
#define S(bit) XIP_S390X_##bit
#define O(bit) XIP_S390X_2008_##bit
#define A(bit) XIP_ARM64_##bit

static const struct vector of_x86_64[] = {
    {PTE, NO_ACCESS, 0, 0x80000120, X(ACCESSED) | X(PROT_NONE)},
    {PTE, PRESENT, 0, 0x8000000080000025, X(PRESENT) | X(USER) | X(ACCESSED) | X(NX)},
    {PTE, PRESENT, 0, 0x80000025, X(PRESENT) | X(USER) | X(ACCESSED)},
    {PTE, PRESENT, 0, 0x8000000080000027, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(NX)},
    {PTE, PRESENT, 0, 0x80000027, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED)},
    {PTE, PRESENT, 0, 0x8000000080000005, X(PRESENT) | X(USER) | X(NX)},
    {PTE, PRESENT, 0, 0x8000000080000067, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(DIRTY) |
      X(NX)},
    {PTE, PRESENT, 0, 0x8400000080000025, X(PRESENT) | X(USER) | X(ACCESSED) | X(SAVED_DIRTY) |
      X(NX)},
    {PTE, NO_ACCESS, 0, 0x400000080000120, X(ACCESSED) | X(PROT_NONE) | X(SAVED_DIRTY)},
    {PTE, NO_ACCESS, 1, 0x80000320, X(ACCESSED) | X(PROT_NONE) | X(SPECIAL)},
    {PTE, PRESENT, 1, 0x8000000080000225, X(PRESENT) | X(USER) | X(ACCESSED) | X(SPECIAL) | X(NX)},
    {PTE, PRESENT, 1, 0x80000225, X(PRESENT) | X(USER) | X(ACCESSED) | X(SPECIAL)},
    {PTE, PRESENT, 1, 0x8000000080000227, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) |
      X(SPECIAL) | X(NX)},
    {PTE, PRESENT, 1, 0x80000227, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(SPECIAL)},
    {PTE, PRESENT, 1, 0x8000000080000205, X(PRESENT) | X(USER) | X(SPECIAL) | X(NX)},
    {PTE, PRESENT, 1, 0x8000000080000267, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(DIRTY) |
      X(SPECIAL) | X(NX)},
    {PTE, PRESENT, 1, 0x8400000080000225, X(PRESENT) | X(USER) | X(ACCESSED) | X(SPECIAL) |
      X(SAVED_DIRTY) | X(NX)},
    {PMD, NO_ACCESS, 0, 0x800001a0, X(ACCESSED) | X(PSE) | X(PROT_NONE)},
    {PMD, PRESENT, 0, 0x80000000800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE) | X(NX)},
    {PMD, PRESENT, 0, 0x800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE)},
    {PMD, PRESENT, 0, 0x80000000800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE) |
      X(NX)},
    {PMD, PRESENT, 0, 0x800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE)},
    {PMD, PRESENT, 1, 0x80000000800002a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE) |
      X(SPECIAL) | X(NX)},
    {PUD, NO_ACCESS, 0, 0x800001a0, X(ACCESSED) | X(PSE) | X(PROT_NONE)},
    {PUD, PRESENT, 0, 0x80000000800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE) | X(NX)},
    {PUD, PRESENT, 0, 0x800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE)},
    {PUD, PRESENT, 0, 0x80000000800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE) |
      X(NX)},
    {PUD, PRESENT, 0, 0x800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE)},
    {PUD, PRESENT, 1, 0x80000000800002a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE) |
      X(SPECIAL) | X(NX)},
};

static const struct vector of_s390x[] = {
    {PTE, NO_ACCESS, 0, 0x80000605, S(PRESENT) | S(YOUNG) | S(PROTECT) | S(INVALID)},
    {PTE, PRESENT, 0, 0x80000315, S(PRESENT) | S(YOUNG) | S(READ) | S(NOEXEC) | S(PROTECT)},
    {PTE, PRESENT, 0, 0x80000215, S(PRESENT) | S(YOUNG) | S(READ) | S(PROTECT)},
    {PTE, PRESENT, 0, 0x80000335, S(PRESENT) | S(YOUNG) | S(READ) | S(WRITE) | S(NOEXEC) |
      S(PROTECT)},
    {PTE, PRESENT, 0, 0x80000235, S(PRESENT) | S(YOUNG) | S(READ) | S(WRITE) | S(PROTECT)},
    {PTE, NO_ACCESS, 0, 0x80000711, S(PRESENT) | S(READ) | S(NOEXEC) | S(PROTECT) | S(INVALID)},
    {PTE, PRESENT, 0, 0x8000013d, S(PRESENT) | S(YOUNG) | S(DIRTY) | S(READ) | S(WRITE) |
      S(NOEXEC)},
    {PTE, PRESENT, 0, 0x8000031d, S(PRESENT) | S(YOUNG) | S(DIRTY) | S(READ) | S(NOEXEC) |
      S(PROTECT)},
    {PTE, NO_ACCESS, 0, 0x8000060d, S(PRESENT) | S(YOUNG) | S(DIRTY) | S(PROTECT) | S(INVALID)},
    {PTE, NO_ACCESS, 1, 0x80000645, S(PRESENT) | S(YOUNG) | S(SPECIAL) | S(PROTECT) | S(INVALID)},
    {PTE, PRESENT, 1, 0x80000355, S(PRESENT) | S(YOUNG) | S(READ) | S(SPECIAL) | S(NOEXEC) |
      S(PROTECT)},
    {PTE, PRESENT, 1, 0x80000255, S(PRESENT) | S(YOUNG) | S(READ) | S(SPECIAL) | S(PROTECT)},
    {PTE, PRESENT, 1, 0x80000375, S(PRESENT) | S(YOUNG) | S(READ) | S(WRITE) | S(SPECIAL) |
      S(NOEXEC) | S(PROTECT)},
    {PTE, PRESENT, 1, 0x80000275, S(PRESENT) | S(YOUNG) | S(READ) | S(WRITE) | S(SPECIAL) |
      S(PROTECT)},
    {PTE, NO_ACCESS, 1, 0x80000751, S(PRESENT) | S(READ) | S(SPECIAL) | S(NOEXEC) | S(PROTECT) |
      S(INVALID)},
    {PTE, PRESENT, 1, 0x8000017d, S(PRESENT) | S(YOUNG) | S(DIRTY) | S(READ) | S(WRITE) |
      S(SPECIAL) | S(NOEXEC)},
    {PTE, PRESENT, 1, 0x8000035d, S(PRESENT) | S(YOUNG) | S(DIRTY) | S(READ) | S(SPECIAL) |
      S(NOEXEC) | S(PROTECT)},
    {PMD, NO_ACCESS, 0, 0x80001621, S(UPPER_PRESENT) | S(UPPER_INVALID) | S(UPPER_PROTECT) |
      S(UPPER_LARGE) | S(HUGE_YOUNG)},
    {PMD, PRESENT, 0, 0x80005701, S(UPPER_PRESENT) | S(UPPER_NOEXEC) | S(UPPER_PROTECT) |
      S(UPPER_LARGE) | S(HUGE_YOUNG) | S(HUGE_READ)},
    {PMD, PRESENT, 0, 0x80005601, S(UPPER_PRESENT) | S(UPPER_PROTECT) | S(UPPER_LARGE) |
      S(HUGE_YOUNG) | S(HUGE_READ)},
    {PMD, PRESENT, 0, 0x8000d701, S(UPPER_PRESENT) | S(UPPER_NOEXEC) | S(UPPER_PROTECT) |
      S(UPPER_LARGE) | S(HUGE_YOUNG) | S(HUGE_READ) | S(HUGE_WRITE)},
    {PMD, PRESENT, 0, 0x8000d601, S(UPPER_PRESENT) | S(UPPER_PROTECT) | S(UPPER_LARGE) |
      S(HUGE_YOUNG) | S(HUGE_READ) | S(HUGE_WRITE)},
    {PUD, NO_ACCESS, 0, 0x80001625, S(UPPER_PRESENT) | S(PUD_TYPE) | S(UPPER_INVALID) |
      S(UPPER_PROTECT) | S(UPPER_LARGE) | S(HUGE_YOUNG)},
    {PUD, PRESENT, 0, 0x80005705, S(UPPER_PRESENT) | S(PUD_TYPE) | S(UPPER_NOEXEC) |
      S(UPPER_PROTECT) | S(UPPER_LARGE) | S(HUGE_YOUNG) | S(HUGE_READ)},
    {PUD, PRESENT, 0, 0x80005605, S(UPPER_PRESENT) | S(PUD_TYPE) | S(UPPER_PROTECT) |
      S(UPPER_LARGE) | S(HUGE_YOUNG) | S(HUGE_READ)},
    {PUD, PRESENT, 0, 0x8000d705, S(UPPER_PRESENT) | S(PUD_TYPE) | S(UPPER_NOEXEC) |
      S(UPPER_PROTECT) | S(UPPER_LARGE) | S(HUGE_YOUNG) | S(HUGE_READ) | S(HUGE_WRITE)},
    {PUD, PRESENT, 0, 0x8000d605, S(UPPER_PRESENT) | S(PUD_TYPE) | S(UPPER_PROTECT) |
      S(UPPER_LARGE) | S(HUGE_YOUNG) | S(HUGE_READ) | S(HUGE_WRITE)},
};

static const struct vector of_arm64[] = {
    {PTE, NO_ACCESS, 0, 0x60000080000f82, A(TYPE_TABLE) | A(RDONLY) | A(SHARED) | A(AF) |
      A(PROT_NONE) | A(PXN) | A(UXN)},
    {PTE, PRESENT, 0, 0x60000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(PXN) | A(UXN)},
    {PTE, PRESENT, 0, 0x20000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(PXN)},
    {PTE, PRESENT, 0, 0x68000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(WRITE) | A(PXN) | A(UXN)},
    {PTE, PRESENT, 0, 0x28000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(WRITE) | A(PXN)},
    {PTE, PRESENT, 0, 0x60000080000bc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(NG) | A(PXN) | A(UXN)},
    {PTE, PRESENT, 0, 0xe8000080000f43, A(VALID) | A(TYPE_TABLE) | A(USER) | A(SHARED) | A(AF) |
      A(NG) | A(WRITE) | A(PXN) | A(UXN) | A(DIRTY)},
    {PTE, PRESENT, 0, 0xe0000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(PXN) | A(UXN) | A(DIRTY)},
    {PTE, NO_ACCESS, 0, 0xe0000080000f82, A(TYPE_TABLE) | A(RDONLY) | A(SHARED) | A(AF) |
      A(PROT_NONE) | A(PXN) | A(UXN) | A(DIRTY)},
    {PTE, NO_ACCESS, 1, 0x160000080000f82, A(TYPE_TABLE) | A(RDONLY) | A(SHARED) | A(AF) |
      A(PROT_NONE) | A(PXN) | A(UXN) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x160000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(PXN) | A(UXN) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x120000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(PXN) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x168000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(WRITE) | A(PXN) | A(UXN) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x128000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(WRITE) | A(PXN) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x160000080000bc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(NG) | A(PXN) | A(UXN) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x1e8000080000f43, A(VALID) | A(TYPE_TABLE) | A(USER) | A(SHARED) | A(AF) |
      A(NG) | A(WRITE) | A(PXN) | A(UXN) | A(DIRTY) | A(SPECIAL)},
    {PTE, PRESENT, 1, 0x1e0000080000fc3, A(VALID) | A(TYPE_TABLE) | A(USER) | A(RDONLY) |
      A(SHARED) | A(AF) | A(NG) | A(PXN) | A(UXN) | A(DIRTY) | A(SPECIAL)},
    {PMD, NO_ACCESS, 0, 0x60000080000f80, A(RDONLY) | A(SHARED) | A(AF) | A(PROT_NONE) | A(PXN) |
      A(UXN)},
    {PMD, PRESENT, 0, 0x60000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(PXN) | A(UXN)},
    {PMD, PRESENT, 0, 0x20000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(PXN)},
    {PMD, PRESENT, 0, 0x68000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(WRITE) | A(PXN) | A(UXN)},
    {PMD, PRESENT, 0, 0x28000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(WRITE) | A(PXN)},
    {PMD, PRESENT, 1, 0x160000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(PXN) | A(UXN) | A(SPECIAL)},
    {PUD, NO_ACCESS, 0, 0x60000080000f80, A(RDONLY) | A(SHARED) | A(AF) | A(PROT_NONE) | A(PXN) |
      A(UXN)},
    {PUD, PRESENT, 0, 0x60000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(PXN) | A(UXN)},
    {PUD, PRESENT, 0, 0x20000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(PXN)},
    {PUD, PRESENT, 0, 0x68000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(WRITE) | A(PXN) | A(UXN)},
    {PUD, PRESENT, 0, 0x28000080000fc1, A(VALID) | A(USER) | A(RDONLY) | A(SHARED) | A(AF) |
      A(NG) | A(WRITE) | A(PXN)},
};

static const struct vector of_x86_64_2008[] = {
    {PTE, NO_ACCESS, 0, 0x800000a0, X(ACCESSED) | X(2008_PROT_NONE)},
    {PTE, PRESENT, 0, 0x8000000080000025, X(PRESENT) | X(USER) | X(ACCESSED) | X(NX)},
    {PTE, PRESENT, 0, 0x80000025, X(PRESENT) | X(USER) | X(ACCESSED)},
    {PTE, PRESENT, 0, 0x8000000080000027, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(NX)},
    {PTE, PRESENT, 0, 0x80000027, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED)},
    {PTE, PRESENT, 0, 0x8000000080000005, X(PRESENT) | X(USER) | X(NX)},
    {PTE, PRESENT, 0, 0x8000000080000067, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(DIRTY) |
      X(NX)},
    {PTE, PRESENT, 0, 0x8000000080000065, X(PRESENT) | X(USER) | X(ACCESSED) | X(DIRTY) | X(NX)},
    {PTE, NO_ACCESS, 0, 0x800000e0, X(ACCESSED) | X(DIRTY) | X(2008_PROT_NONE)},
    {PMD, NO_ACCESS, 0, 0x800000a0, X(ACCESSED) | X(PSE)},
    {PMD, PRESENT, 0, 0x80000000800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE) | X(NX)},
    {PMD, PRESENT, 0, 0x800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE)},
    {PMD, PRESENT, 0, 0x80000000800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE) |
      X(NX)},
    {PMD, PRESENT, 0, 0x800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE)},
    {PUD, NO_ACCESS, 0, 0x800000a0, X(ACCESSED) | X(PSE)},
    {PUD, PRESENT, 0, 0x80000000800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE) | X(NX)},
    {PUD, PRESENT, 0, 0x800000a5, X(PRESENT) | X(USER) | X(ACCESSED) | X(PSE)},
    {PUD, PRESENT, 0, 0x80000000800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE) |
      X(NX)},
    {PUD, PRESENT, 0, 0x800000a7, X(PRESENT) | X(RW) | X(USER) | X(ACCESSED) | X(PSE)},
};

static const struct vector of_s390x_2008[] = {
    {PTE, NO_ACCESS, 0, 0x80000401, O(SWT) | O(INVALID)},
    {PTE, PRESENT, 0, 0x80000200, O(RO)},
    {PTE, PRESENT, 0, 0x80000202, O(SWX) | O(RO)},
    {PTE, PRESENT, 0, 0x80000000, 0},
    {PTE, PRESENT, 0, 0x80000002, O(SWX)},
    {PTE, NO_ACCESS, 1, 0x80000405, O(SWT) | O(SPECIAL) | O(INVALID)},
    {PTE, PRESENT, 1, 0x80000204, O(SPECIAL) | O(RO)},
    {PTE, PRESENT, 1, 0x80000206, O(SWX) | O(SPECIAL) | O(RO)},
    {PTE, PRESENT, 1, 0x80000004, O(SPECIAL)},
    {PTE, PRESENT, 1, 0x80000006, O(SWX) | O(SPECIAL)},
    {PMD, NO_ACCESS, 0, 0x80000620, S(UPPER_INVALID) | S(UPPER_PROTECT) | S(UPPER_LARGE)},
    {PMD, PRESENT, 0, 0x80000600, S(UPPER_PROTECT) | S(UPPER_LARGE)},
    {PMD, PRESENT, 0, 0x80000400, S(UPPER_LARGE)},
};

struct layout {
  const char *name;
  uint32_t number;
  uint64_t none[XIP_LEVELS]; /* the empty entry of each level */
  uint64_t link[XIP_LEVELS]; /* what an entry that points at a table carries */
  const struct vector *vectors;
  size_t count;
};

#define VECTORS(of) of, sizeof of / sizeof of[0]

static const struct layout layouts[] = {
    {"x86-64", XIP_LAYOUT_X86_64, {0}, {0, 0x67, 0x67, 0x67}, VECTORS(of_x86_64)},
    {"s390x", XIP_LAYOUT_S390X, {0x400, 0x20, 0x24, 0x28}, {0, 1, 7, 0xb}, VECTORS(of_s390x)},
    {"arm64", XIP_LAYOUT_ARM64, {0}, {0, 0x800000000000403, 0x800000000000403, 0x800000000000403},
     VECTORS(of_arm64)},
    {"x86-64 of 2008", XIP_LAYOUT_X86_64_2008, {0}, {0, 0x67, 0x67, 0x67},
     VECTORS(of_x86_64_2008)},
    {"s390x of 2008", XIP_LAYOUT_S390X_2008, {0x400, 0x20, 0x24, 0x28}, {0, 0, 7, 0xb},
     VECTORS(of_s390x_2008)},
};

static const struct layout *on;
static uint64_t next_frame;

static void claim(int holds, uint64_t entry, const char *text) {
  char line[160];

  snprintf(line, sizeof line, "%s, 0x%" PRIx64 ": %s", on->name, entry, text);
  CLAIM(holds, line);
}

/* A root of empty entries in the first four frames. */
static void fresh_root(void) {
  fresh_tables();
  for (unsigned i = 0; i < 4 * PAGE / 8; i++) *entry(ROOT, i) = on->none[XIP_LEVEL_PGD];
  next_frame = 4;
}

static void one_vector(const struct vector *vector) {
  uint64_t va = 1UL << 31; /* a boundary of every level but the root */
  struct xip_entry out = {.state = UINT32_MAX};

  fresh_root();
  claim((0x80000000 | vector->bits) == vector->entry, vector->entry, "the header has its bits");
  claim(xip_set(window, WINDOW_BYTES, ROOT, on->number, va, vector->entry, vector->level,
                &next_frame, TABLE_PAGES) == 0,
        vector->entry, "it is set");
  xip_walk(window, WINDOW_BYTES, ROOT, on->number, va, &out);
  claim(out.pte == vector->entry && out.pa == 0x80000000 && out.level == vector->level &&
            out.state == vector->state && out.special == vector->special,
        vector->entry, "a walk tells what it is");
}

/* A leaf at address 0, and then the links that lead to it and the entries beside them. */
static void tables_above(void) {
  uint64_t table = ROOT;

  fresh_root();
  xip_set(window, WINDOW_BYTES, ROOT, on->number, 0, on->vectors[1].entry, PTE, &next_frame,
          TABLE_PAGES);
  for (uint32_t level = XIP_LEVEL_PGD; level > PTE; level--) {
    uint64_t link = *entry(table, 0);

    claim((link & ~0xffff000UL) == on->link[level], link, "a link has the kernel's bits");
    claim(*entry(table, 1) == on->none[level], *entry(table, 1), "an empty entry stands beside it");
    table = (link & 0xffff000UL) >> 12;
  }
  claim(*entry(table, 1) == on->none[PTE], *entry(table, 1), "the empty PTE stands beside it");
}

/* Numbers whose bits had another meaning in older headers. */
static void retired_numbers(void) {
  struct xip_entry out;

  fresh_tables();
  for (uint32_t number = 1; number <= 3; number += 2) {
    CLAIM(xip_walk(window, WINDOW_BYTES, ROOT, number, 0, &out) == -EINVAL,
          "a layout number that is not in use any more is refused");
  }
}

int main(void) {
  for (unsigned i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
    on = &layouts[i];
    for (size_t j = 0; j < on->count; j++) one_vector(&on->vectors[j]);
    tables_above();
  }
  retired_numbers();
  return claims_done();
}
