/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside libxip: one step of a walk, shared so that all functions agree on what an entry is.
 */
#ifndef XIP_TABLES_H
#define XIP_TABLES_H

#include <stddef.h>

#include "export.h"
#include "xip/pte.h"
#include "xip/xip.h"

#define XIP_PAGE_BYTES (1UL << XIP_PAGE_SHIFT)

/* Bits that must have given values. */
struct xip_pattern {
  uint64_t mask;
  uint64_t value;
};

/* What the tables and entries of one architecture look like. */
struct xip_layout {
  uint32_t pte_index_bits; /* address bits that index a table of PTEs */
  uint32_t index_bits;     /* and a table of any other level */
  uint32_t va_bits;        /* addresses lie below 1 << va_bits */
  uint32_t top_leaf;       /* the highest level that may hold a leaf */
  uint32_t top_special;    /* the highest level whose leaves may be special */
  uint64_t pfn_mask;       /* the physical address */
  uint64_t leaf_ignored;   /* bits in the address of a huge leaf that mean something else */
  uint64_t special;        /* 0 if there is no special bit */

  struct xip_pattern pte_none; /* a PTE is empty; the value is the empty entry */
  struct xip_pattern present;  /* a PTE is a leaf: this ... */
  struct xip_pattern also_present; /* ... or this */
  struct xip_pattern valid;        /* and hardware uses it */

  /* Entries above PTEs, by the level of the table that they are in. */
  uint64_t none[XIP_LEVELS];   /* the empty entry */
  uint64_t none_ignored;       /* bits that may be set in it all the same */
  uint64_t link[XIP_LEVELS];   /* bits of a link to a lower table, beside the address */
  uint64_t type_mask;          /* bits that must tell the level, */
  uint64_t type[XIP_LEVELS];   /* and what they tell */
  struct xip_pattern table;    /* points at a table */
  struct xip_pattern huge;     /* is a leaf that hardware uses */
  struct xip_pattern prot_none_huge; /* is a leaf that allows no access */
};

/* The layout of that number, or NULL. */
const struct xip_layout *xip_layout_of(uint32_t number);

/* One set of tables, and the path of a walk from the root. */
struct xip_tables {
  const char *window;
  const struct xip_layout *layout;
  uint64_t frames;           /* frames in the window */
  uint64_t path[XIP_LEVELS]; /* first frame of the table at each level of the present path */
};

/* What an entry is, seen from the level of its table. */
enum xip_kind {
  XIP_ENTRY_NONE,
  XIP_ENTRY_TABLE, /* points at a lower table that lies in the window */
  XIP_ENTRY_LEAF,
  XIP_ENTRY_PROT_NONE,
  XIP_ENTRY_NOT_PRESENT,
  XIP_ENTRY_BAD,
};

/* Checks the arguments all functions share, puts the root on top of the path. 0 or -EINVAL. */
int xip_tables_init(struct xip_tables *tables, const void *window, uint64_t window_bytes,
                    uint64_t root_pfn, uint32_t layout);

/*
 * Classifies pte, found at level on the present path. An entry may point at no table above itself.
 */
enum xip_kind xip_classify(const struct xip_tables *tables, uint64_t pte, uint32_t level);

/* Fills a record for the entry pte of the given kind, which decides about va. */
void xip_describe(const struct xip_layout *layout, struct xip_entry *out, uint64_t va, uint64_t pte,
                  uint32_t level, enum xip_kind kind);

static inline int xip_matches(struct xip_pattern pattern, uint64_t pte) {
  return (pte & pattern.mask) == pattern.value;
}

static inline uint64_t xip_va_end(const struct xip_layout *layout) {
  return 1UL << layout->va_bits;
}

static inline uint32_t xip_index_bits(const struct xip_layout *layout, uint32_t level) {
  return level == XIP_LEVEL_PTE ? layout->pte_index_bits : layout->index_bits;
}

static inline uint32_t xip_entries(const struct xip_layout *layout, uint32_t level) {
  return 1U << xip_index_bits(layout, level);
}

/* Frames that one table takes: a table smaller than a page has a page to itself. */
static inline uint64_t xip_table_frames(const struct xip_layout *layout, uint32_t level) {
  uint64_t bytes = (uint64_t)xip_entries(layout, level) << XIP_PTE_BYTES_SHIFT;
  return (bytes + XIP_PAGE_BYTES - 1) >> XIP_PAGE_SHIFT;
}

static inline uint32_t xip_shift(const struct xip_layout *layout, uint32_t level) {
  if (level == XIP_LEVEL_PTE) return XIP_PAGE_SHIFT;
  return XIP_PAGE_SHIFT + layout->pte_index_bits + (level - 1) * layout->index_bits;
}

static inline uint32_t xip_index(const struct xip_layout *layout, uint64_t va, uint32_t level) {
  return (uint32_t)(va >> xip_shift(layout, level)) & (xip_entries(layout, level) - 1);
}

static inline uint64_t xip_pfn(const struct xip_layout *layout, uint64_t pte) {
  return (pte & layout->pfn_mask) >> XIP_PAGE_SHIFT;
}

/* The bits of pte that are a leaf's address at this level. */
static inline uint64_t xip_leaf_mask(const struct xip_layout *layout, uint32_t level) {
  return layout->pfn_mask & ~((1UL << xip_shift(layout, level)) - 1);
}

static inline uint64_t xip_none(const struct xip_layout *layout, uint32_t level) {
  return level == XIP_LEVEL_PTE ? layout->pte_none.value : layout->none[level];
}

/* Whether an entry above PTEs says by its own bits that it is a leaf. */
static inline int xip_is_huge(const struct xip_layout *layout, uint64_t pte) {
  return xip_matches(layout->huge, pte) || xip_matches(layout->prot_none_huge, pte);
}

/*
 * Whether a huge leaf is valid at its level: the level has leaves, the type fits, the frame is
 * aligned.
 */
static inline int xip_huge_fits(const struct xip_layout *layout, uint64_t pte, uint32_t level) {
  uint64_t reserved = layout->pfn_mask & ~xip_leaf_mask(layout, level) & ~layout->leaf_ignored;

  return level <= layout->top_leaf && (pte & layout->type_mask) == layout->type[level] &&
         (pte & reserved) == 0;
}

/* Where entry number index of the table on the path at level lies in memory. */
static inline uint64_t *xip_slot(const struct xip_tables *tables, uint32_t level, uint32_t index) {
  const char *table = tables->window + (tables->path[level] << XIP_PAGE_SHIFT);
  return (uint64_t *)(uintptr_t)table + index;
}

/* Pairs with the release store that linked a table: its entries are seen initialised. */
static inline uint64_t xip_load(const uint64_t *slot) {
  return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

static inline void xip_store(uint64_t *slot, uint64_t pte) {
  __atomic_store_n(slot, pte, __ATOMIC_RELEASE);
}

#endif
