#include "tables.h"

#include <errno.h>

_Static_assert(sizeof(struct xip_walk) == 40, "struct xip_walk is part of the ABI");
_Static_assert(XIP_X86_64_PMD_SHIFT == XIP_X86_64_PTE_SHIFT + XIP_X86_64_INDEX_BITS, "geometry");
_Static_assert(XIP_X86_64_PUD_SHIFT == XIP_X86_64_PMD_SHIFT + XIP_X86_64_INDEX_BITS, "geometry");
_Static_assert(XIP_X86_64_PGD_SHIFT == XIP_X86_64_PUD_SHIFT + XIP_X86_64_INDEX_BITS, "geometry");

int xip_tables_init(struct xip_tables *tables, const void *window, uint64_t window_bytes,
                    uint64_t root_pfn, uint32_t layout) {
  uint64_t frames = window_bytes >> XIP_X86_64_PTE_SHIFT;

  if (window == NULL || (uintptr_t)window % XIP_PAGE_BYTES != 0) return -EINVAL;
  if (window_bytes % XIP_PAGE_BYTES != 0 || window_bytes > UINTPTR_MAX - (uintptr_t)window) {
    return -EINVAL;
  }
  if (layout != XIP_LAYOUT_X86_64 || root_pfn >= frames) return -EINVAL;
  tables->window = window;
  tables->frames = frames;
  tables->path[XIP_LEVEL_PGD] = root_pfn;
  return 0;
}

/* A table that is its own ancestor would make a walk through it endless, or near enough. */
static int is_ancestor(const struct xip_tables *tables, uint64_t pfn, uint32_t level) {
  for (uint32_t above = level; above < XIP_X86_64_LEVELS; above++) {
    if (tables->path[above] == pfn) return 1;
  }
  return 0;
}

/* A 4 KiB entry is always a leaf; higher up PSE says so. At the top PSE is reserved. */
static int is_leaf(uint64_t pte, uint32_t level) {
  return level == XIP_LEVEL_PTE || (pte & XIP_X86_64_PSE) != 0;
}

enum xip_entry xip_classify(const struct xip_tables *tables, uint64_t pte, uint32_t level) {
  if ((pte & ~XIP_X86_64_NONE_IGNORE) == 0) return XIP_ENTRY_NONE;
  if ((pte & (XIP_X86_64_PRESENT | XIP_X86_64_PROT_NONE)) == 0) return XIP_ENTRY_NOT_PRESENT;
  if (is_leaf(pte, level)) {
    if (level == XIP_LEVEL_PGD || xip_misaligned(pte, level)) return XIP_ENTRY_BAD;
    return (pte & XIP_X86_64_PRESENT) != 0 ? XIP_ENTRY_LEAF : XIP_ENTRY_PROT_NONE;
  }
  /* Only leaves can be PROT_NONE: bit 8 alone does not make a pointer to a table. */
  if ((pte & XIP_X86_64_PRESENT) == 0) return XIP_ENTRY_NOT_PRESENT;
  if (xip_pfn(pte) >= tables->frames || is_ancestor(tables, xip_pfn(pte), level)) {
    return XIP_ENTRY_BAD;
  }
  return XIP_ENTRY_TABLE;
}

static uint32_t state_of(enum xip_entry kind) {
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

void xip_describe(struct xip_walk *out, uint64_t va, uint64_t pte, uint32_t level,
                  enum xip_entry kind) {
  uint64_t mask = xip_leaf_mask(level);
  uint64_t below = (1UL << xip_shift(level)) - 1;
  int has_page = kind == XIP_ENTRY_LEAF || kind == XIP_ENTRY_PROT_NONE;

  out->va = va;
  out->pte = pte;
  out->pa = has_page ? (pte & mask) | (va & below) : 0;
  out->level = level;
  out->state = state_of(kind);
  out->special = has_page && (pte & XIP_X86_64_SPECIAL) != 0;
  out->page_shift = xip_shift(level);
}
