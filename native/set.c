/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "tables.h"

/* Refuses tables, which only xip_set itself links, and leaves that a walk would call bad. */
static int fits_level(const struct xip_layout *layout, uint64_t pte, uint32_t level) {
  if (level == XIP_LEVEL_PTE || pte == xip_none(layout, level)) return 1;
  if (xip_is_huge(layout, pte)) return xip_huge_fits(layout, pte, level);
  return !xip_matches(layout->table, pte);
}

/* Takes the next frames for a table of a level and fills it with empty entries. 0 or -ENOMEM. */
static int take_table(const struct xip_tables *tables, uint32_t level, uint64_t *next_pfn,
                      uint64_t end_pfn, uint64_t *pfn) {
  uint64_t frames = xip_table_frames(tables->layout, level);
  uint64_t end = end_pfn < tables->frames ? end_pfn : tables->frames;
  uint64_t none = xip_none(tables->layout, level);
  char *at;

  if (*next_pfn >= end || end - *next_pfn < frames) return -ENOMEM;
  *pfn = *next_pfn;
  *next_pfn += frames;
  at = (char *)(uintptr_t)tables->window + (*pfn << XIP_PAGE_SHIFT);
  memset(at, 0, frames * XIP_PAGE_BYTES);
  for (uint32_t i = 0; none != 0 && i < xip_entries(tables->layout, level); i++) {
    ((uint64_t *)(void *)at)[i] = none;
  }
  return 0;
}

/* Makes path[level - 1] the table below the entry for va at level. 0 or a negative errno. */
static int descend(struct xip_tables *tables, uint32_t level, uint64_t va, uint64_t *next_pfn,
                   uint64_t end_pfn) {
  uint64_t *slot = xip_slot(tables, level, xip_index(tables->layout, va, level));
  uint64_t pte = xip_load(slot);
  uint64_t pfn;
  int error;

  switch (xip_classify(tables, pte, level)) {
    case XIP_ENTRY_TABLE:
      tables->path[level - 1] = xip_pfn(tables->layout, pte);
      return 0;
    case XIP_ENTRY_NONE:
      error = take_table(tables, level - 1, next_pfn, end_pfn, &pfn);
      if (error != 0) return error;
      /* Released only now, filled: a reader that sees the link sees an empty table. */
      xip_store(slot, pfn << XIP_PAGE_SHIFT | tables->layout->link[level]);
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
  if (va >= xip_va_end(tables.layout)) return -EFAULT;
  if (va % (1UL << xip_shift(tables.layout, level)) != 0) return -EINVAL;
  if (!fits_level(tables.layout, pte, level)) return -EINVAL;
  for (uint32_t at = XIP_LEVEL_PGD; at > level; at--) {
    error = descend(&tables, at, va, next_pfn, end_pfn);
    if (error != 0) return error;
  }
  slot = xip_slot(&tables, level, xip_index(tables.layout, va, level));
  if (xip_classify(&tables, xip_load(slot), level) == XIP_ENTRY_TABLE) return -EEXIST;
  xip_store(slot, pte);
  return 0;
}
