#include <errno.h>
#include <string.h>

#include "tables.h"

/* A leaf must be one by its own bits, and its frame aligned, or walks would call it bad. */
static int fits_level(uint64_t pte, uint32_t level) {
  if (level == XIP_LEVEL_PTE) return 1;
  if ((pte & (XIP_X86_64_PRESENT | XIP_X86_64_PROT_NONE)) == 0) return 1;
  return (pte & XIP_X86_64_PSE) != 0 && !xip_misaligned(pte, level);
}

/* Takes the next frame for a table and zeroes it. Returns 0 or -ENOMEM. */
static int take_table(const struct xip_tables *tables, uint64_t *next_pfn, uint64_t end_pfn,
                      uint64_t *pfn) {
  if (*next_pfn >= end_pfn || *next_pfn >= tables->frames) return -ENOMEM;
  *pfn = (*next_pfn)++;
  memset((char *)(uintptr_t)tables->window + (*pfn << XIP_X86_64_PTE_SHIFT), 0, XIP_PAGE_BYTES);
  return 0;
}

/* Makes path[level - 1] the table below the entry for va at level. 0 or a negative errno. */
static int descend(struct xip_tables *tables, uint32_t level, uint64_t va, uint64_t *next_pfn,
                   uint64_t end_pfn) {
  uint64_t *slot = xip_slot(tables, level, xip_index(va, level));
  uint64_t pte = xip_load(slot);
  uint64_t pfn;
  int error;

  switch (xip_classify(tables, pte, level)) {
    case XIP_ENTRY_TABLE:
      tables->path[level - 1] = xip_pfn(pte);
      return 0;
    case XIP_ENTRY_NONE:
      error = take_table(tables, next_pfn, end_pfn, &pfn);
      if (error != 0) return error;
      /* Released only now, zeroed: a reader that sees the link sees an empty table. */
      xip_store(slot, pfn << XIP_X86_64_PTE_SHIFT | XIP_X86_64_TABLE);
      tables->path[level - 1] = pfn;
      return 0;
    case XIP_ENTRY_BAD:
      return -ELOOP;
    default:
      return -EEXIST;
  }
}

XIP_EXPORT int xip_set(void *window, uint64_t window_bytes, uint64_t root_pfn, uint32_t layout,
                       uint64_t va, uint64_t pte, uint32_t level, uint64_t *next_pfn,
                       uint64_t end_pfn) {
  struct xip_tables tables;
  uint64_t *slot;
  int error = xip_tables_init(&tables, window, window_bytes, root_pfn, layout);

  if (error != 0 || next_pfn == NULL || level > XIP_LEVEL_PUD) return -EINVAL;
  if (va >= XIP_VA_END) return -EFAULT;
  if (va % (1UL << xip_shift(level)) != 0 || !fits_level(pte, level)) return -EINVAL;
  for (uint32_t at = XIP_LEVEL_PGD; at > level; at--) {
    error = descend(&tables, at, va, next_pfn, end_pfn);
    if (error != 0) return error;
  }
  slot = xip_slot(&tables, level, xip_index(va, level));
  if (xip_classify(&tables, xip_load(slot), level) == XIP_ENTRY_TABLE) return -EEXIST;
  xip_store(slot, pte);
  return 0;
}
