/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "tables.h"

/* The state of the recursion over the levels. */
struct dump {
  struct xip_tables tables;
  uint64_t end; /* first address past the range */
  struct xip_entry *out;
  uint64_t capacity;
  int64_t count;
};

/*
 * Visits the entries from va on in the table on the path at level. An empty entry costs one load,
 * however much address space it stands for. The recursion is as deep as there are levels.
 */
static void dump_table(struct dump *dump, uint32_t level, uint64_t va) {
  const struct xip_layout *layout = dump->tables.layout;
  uint64_t covers = 1UL << xip_shift(layout, level);

  for (uint32_t index = xip_index(layout, va, level); index < xip_entries(layout, level);
       index++) {
    uint64_t pte = xip_load(xip_slot(&dump->tables, level, index));
    enum xip_kind kind = xip_classify(&dump->tables, pte, level);

    if (kind == XIP_ENTRY_TABLE) {
      dump->tables.path[level - 1] = xip_pfn(layout, pte);
      dump_table(dump, level - 1, va);
    } else if (kind != XIP_ENTRY_NONE) {
      if ((uint64_t)dump->count < dump->capacity) {
        xip_describe(layout, &dump->out[dump->count], va & ~(covers - 1), pte, level, kind);
      }
      dump->count++;
    }
    /* The range ends within 53 bits, so the next entry's first address cannot wrap round. */
    va = (va & ~(covers - 1)) + covers;
    if (va >= dump->end) return;
  }
}

XIP_EXPORT int64_t xip_dump(const void *window, uint64_t window_bytes, uint64_t root_pfn,
                            uint32_t layout, uint64_t va_start, uint64_t va_end,
                            struct xip_entry *out, uint64_t capacity) {
  struct dump dump = {.end = va_end, .out = out, .capacity = capacity};
  int error = xip_tables_init(&dump.tables, window, window_bytes, root_pfn, layout);

  if (error != 0 || va_start > va_end || (out == NULL && capacity != 0)) return -EINVAL;
  if (va_end > xip_va_end(dump.tables.layout)) return -EFAULT;
  if (va_start < va_end) dump_table(&dump, XIP_LEVEL_PGD, va_start);
  return dump.count;
}
