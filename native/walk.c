/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "tables.h"

XIP_EXPORT int xip_walk(const void *window, uint64_t window_bytes, uint64_t root_pfn,
                        uint32_t layout, uint64_t va, struct xip_entry *out) {
  struct xip_tables tables;
  uint32_t level = XIP_LEVEL_PGD;
  int error = xip_tables_init(&tables, window, window_bytes, root_pfn, layout);

  if (error != 0 || out == NULL) return -EINVAL;
  if (va >= xip_va_end(tables.layout)) return -EFAULT;
  for (;;) {
    uint64_t pte = xip_load(xip_slot(&tables, level, xip_index(tables.layout, va, level)));
    enum xip_kind kind = xip_classify(&tables, pte, level);

    if (kind != XIP_ENTRY_TABLE) {
      xip_describe(tables.layout, out, va, pte, level, kind);
      return 0;
    }
    tables.path[--level] = xip_pfn(tables.layout, pte);
  }
}
