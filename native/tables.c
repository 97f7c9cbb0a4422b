/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

#include <errno.h>

_Static_assert(sizeof(struct xip_entry) == 40, "struct xip_entry is part of the ABI");

/* Whether the table at pfn lies wholly inside the window. */
static int in_window(const struct xip_tables *tables, uint64_t pfn, uint32_t level) {
  uint64_t needed = xip_table_frames(tables->layout, level);

  return needed <= tables->frames && pfn <= tables->frames - needed;
}

int xip_tables_init(struct xip_tables *tables, const void *window, uint64_t window_bytes,
                    uint64_t root_pfn, uint32_t layout) {
  if (window == NULL || (uintptr_t)window % XIP_PAGE_BYTES != 0) return -EINVAL;
  if (window_bytes % XIP_PAGE_BYTES != 0 || window_bytes > UINTPTR_MAX - (uintptr_t)window) {
    return -EINVAL;
  }
  tables->window = window;
  tables->layout = xip_layout_of(layout);
  tables->frames = window_bytes >> XIP_PAGE_SHIFT;
  if (tables->layout == NULL || !in_window(tables, root_pfn, XIP_LEVEL_PGD)) return -EINVAL;
  tables->path[XIP_LEVEL_PGD] = root_pfn;
  return 0;
}

/* A table that overlaps an ancestor is a loop, in which a dump would visit billions of entries. */
static int in_ancestor(const struct xip_tables *tables, uint64_t pfn, uint32_t level) {
  uint64_t frames = xip_table_frames(tables->layout, level);

  for (uint32_t above = level + 1; above < XIP_LEVELS; above++) {
    uint64_t end = tables->path[above] + xip_table_frames(tables->layout, above);
    if (pfn < end && tables->path[above] < pfn + frames) return 1;
  }
  return 0;
}

static enum xip_kind classify_pte(const struct xip_layout *layout, uint64_t pte) {
  if (xip_matches(layout->pte_none, pte)) return XIP_ENTRY_NONE;
  if (!xip_matches(layout->present, pte) && !xip_matches(layout->also_present, pte)) {
    return XIP_ENTRY_NOT_PRESENT;
  }
  return xip_matches(layout->valid, pte) ? XIP_ENTRY_LEAF : XIP_ENTRY_PROT_NONE;
}

enum xip_kind xip_classify(const struct xip_tables *tables, uint64_t pte, uint32_t level) {
  const struct xip_layout *layout = tables->layout;

  if (level == XIP_LEVEL_PTE) return classify_pte(layout, pte);
  if (((pte ^ layout->none[level]) & ~layout->none_ignored) == 0) return XIP_ENTRY_NONE;
  if (xip_is_huge(layout, pte)) {
    if (!xip_huge_fits(layout, pte, level)) return XIP_ENTRY_BAD;
    return xip_matches(layout->huge, pte) ? XIP_ENTRY_LEAF : XIP_ENTRY_PROT_NONE;
  }
  if (!xip_matches(layout->table, pte)) return XIP_ENTRY_NOT_PRESENT;
  if ((pte & layout->type_mask) != layout->type[level] ||
      !in_window(tables, xip_pfn(layout, pte), level - 1) ||
      in_ancestor(tables, xip_pfn(layout, pte), level - 1)) {
    return XIP_ENTRY_BAD;
  }
  return XIP_ENTRY_TABLE;
}

static uint32_t state_of(enum xip_kind kind) {
  switch (kind) {
    case XIP_ENTRY_NONE:
      return XIP_WALK_NONE;
    case XIP_ENTRY_LEAF:
      return XIP_WALK_PRESENT;
    case XIP_ENTRY_PROT_NONE:
      return XIP_WALK_PROT_NONE;
    case XIP_ENTRY_NOT_PRESENT:
      return XIP_WALK_NOT_PRESENT;
    default:
      return XIP_WALK_BAD;
  }
}

void xip_describe(const struct xip_layout *layout, struct xip_entry *out, uint64_t va, uint64_t pte,
                  uint32_t level, enum xip_kind kind) {
  uint64_t mask = xip_leaf_mask(layout, level);
  uint64_t below = (1UL << xip_shift(layout, level)) - 1;
  int has_page = kind == XIP_ENTRY_LEAF || kind == XIP_ENTRY_PROT_NONE;

  out->va = va;
  out->pte = pte;
  out->pa = has_page ? (pte & mask) | (va & below) : 0;
  out->level = level;
  out->state = state_of(kind);
  out->special = has_page && level <= layout->top_special && (pte & layout->special) != 0;
  out->page_shift = xip_shift(layout, level);
}
