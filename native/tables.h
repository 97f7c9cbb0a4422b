/*
 * Inside libxip: one step of a walk, shared so that all functions agree on what an entry is.
 */
#ifndef XIP_TABLES_H
#define XIP_TABLES_H

#include <stddef.h>

#include "xip/pte.h"
#include "xip/xip.h"

#define XIP_EXPORT __attribute__((visibility("default")))

#define XIP_PAGE_BYTES (1UL << XIP_X86_64_PTE_SHIFT)
#define XIP_TABLE_ENTRIES (1U << XIP_X86_64_INDEX_BITS)
#define XIP_VA_END (1UL << XIP_X86_64_VA_BITS)

/* One set of tables, and the way from the root to where a walk stands. */
struct xip_tables {
  const char *window;
  uint64_t frames;                  /* frames in the window */
  uint64_t path[XIP_X86_64_LEVELS]; /* frame of the table at each level of the present path */
};

/* What an entry is, seen from the level of its table. */
enum xip_entry {
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

/* Judges pte, found at level on the present path. An entry may point at no table above itself. */
enum xip_entry xip_classify(const struct xip_tables *tables, uint64_t pte, uint32_t level);

/* Fills a record for the entry pte, judged as kind, that decides about va. */
void xip_describe(struct xip_walk *out, uint64_t va, uint64_t pte, uint32_t level,
                  enum xip_entry kind);

static inline uint32_t xip_shift(uint32_t level) {
  return XIP_X86_64_PTE_SHIFT + level * XIP_X86_64_INDEX_BITS;
}

static inline uint32_t xip_index(uint64_t va, uint32_t level) {
  return (uint32_t)(va >> xip_shift(level)) & (XIP_TABLE_ENTRIES - 1);
}

static inline uint64_t xip_pfn(uint64_t pte) {
  return (pte & XIP_X86_64_PFN_MASK) >> XIP_X86_64_PTE_SHIFT;
}

/* The bits of pte that are a leaf's address at this level. */
static inline uint64_t xip_leaf_mask(uint32_t level) {
  return XIP_X86_64_PFN_MASK & ~((1UL << xip_shift(level)) - 1);
}

/*
 * Whether a huge leaf's frame is not aligned to its size. Bit 12 is the leaf's PAT bit; the address
 * bits between it and the size must be clear.
 */
static inline int xip_misaligned(uint64_t pte, uint32_t level) {
  uint64_t reserved = XIP_X86_64_PFN_MASK & ~xip_leaf_mask(level) & ~XIP_X86_64_PAT_LARGE;

  return level != XIP_LEVEL_PTE && (pte & reserved) != 0;
}

/* Where entry number index of the table on the path at level lies in memory. */
static inline uint64_t *xip_slot(const struct xip_tables *tables, uint32_t level, uint32_t index) {
  const char *table = tables->window + (tables->path[level] << XIP_X86_64_PTE_SHIFT);
  return (uint64_t *)(uintptr_t)table + index;
}

/* Pairs with the release store of whoever linked a table: its zeroed entries are seen as such. */
static inline uint64_t xip_load(const uint64_t *slot) {
  return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

static inline void xip_store(uint64_t *slot, uint64_t pte) {
  __atomic_store_n(slot, pte, __ATOMIC_RELEASE);
}

#endif
