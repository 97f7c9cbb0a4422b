/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C ABI of libxip: C code that walks, dumps, reads through and writes the page tables that Java
 * keeps in the physical memory window. The window is one range of address space in which physical
 * address pa lies at window + pa, so a page frame number is turned into a pointer by one shift and
 * one add, and a root frame number is all that a walk needs.
 *
 * Common to all functions that take a window:
 * - window is page aligned and window_bytes is a multiple of the page size; root_pfn names a table
 *   inside it. -EINVAL otherwise, also for an unknown layout.
 * - A frame number found in an entry is checked against the window before it is followed. A load
 *   from a lost page of a truncated file kills the process, or gives zeros where the file is
 *   guarded (xip/guard.h), so tables must not be followed into mapped files: where only the first
 *   part of the window is plain memory, that part is the window of xip_walk, xip_dump and xip_set,
 *   and the table_bytes of xip_read.
 * - Entries are loaded with acquire and stored with release, so a walk may run concurrently with a
 *   writer and sees each entry as it was at some moment, never half of it.
 * - layout is one of XIP_LAYOUT_*. A table larger than a page lies in frames side by side and is
 *   named by the first. Only the user's addresses are translated, those below 1 << VA_BITS of the
 *   layout; others give -EFAULT.
 * - Nothing is allocated, locked, printed or kept between calls.
 * Errors are negative errno values; errno itself is not part of the contract.
 */
#ifndef XIP_XIP_H
#define XIP_XIP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The N of libxip.so.N. Incremented when a struct, a number or a function of the headers in this
 * folder changes its meaning or goes away.
 */
#define XIP_ABI_VERSION 5

/* Levels, lowest first. */
#define XIP_LEVEL_PTE 0
#define XIP_LEVEL_PMD 1
#define XIP_LEVEL_PUD 2
#define XIP_LEVEL_PGD 3

/* What the entry that ended a walk is. */
#define XIP_WALK_NONE 0        /* empty: nothing was ever put there */
#define XIP_WALK_PRESENT 1     /* a leaf that hardware would use */
#define XIP_WALK_PROT_NONE 2   /* a leaf with a page that hardware does not let one touch: no access
                                  is allowed, or (s390x) the next one is to be noted */
#define XIP_WALK_NOT_PRESENT 3 /* something else than a page: swapped, migrating, a marker */
#define XIP_WALK_BAD 4         /* damage: see xip_walk */

/* The end of one walk: the entry found and what it means. 40 bytes. */
struct xip_entry {
  uint64_t va;         /* xip_walk: the address asked for; xip_dump: the first one it covers */
  uint64_t pte;        /* the entry itself, as loaded */
  uint64_t pa;         /* where va lies, if PRESENT or PROT_NONE; otherwise 0 */
  uint32_t level;      /* XIP_LEVEL_*: the level of the table that holds the entry */
  uint32_t state;      /* XIP_WALK_* */
  uint32_t special;    /* 1 if a leaf (PRESENT or PROT_NONE) of a level that has a special bit has
                          it set, otherwise 0 */
  uint32_t page_shift; /* the entry covers 1 << page_shift bytes of address space */
};

/* XIP_ABI_VERSION of the library, to be compared with that of the header. */
int xip_abi_version(void);

/*
 * Walks from the root to the entry that decides about va and describes it in *out. The state is
 * XIP_WALK_BAD, and level and pte name the culprit, where an entry points at a table outside the
 * window or into one of its own ancestors, says that it is of another level, or is a huge leaf of a
 * level that has none or whose frame is not aligned to its size. The frame of a leaf is reported
 * but not followed, so it may lie outside the window. Returns 0, -EINVAL or -EFAULT; on an error
 * *out is left alone.
 */
int xip_walk(const void *window, uint64_t window_bytes, uint64_t root_pfn, uint32_t layout,
             uint64_t va, struct xip_entry *out);

/*
 * Copies len bytes that begin at va to dst, through the tables, which lie in the first table_bytes
 * of the window; the bytes may lie anywhere in it. Stops at the first address that cannot be read:
 * no PRESENT entry, a frame outside the window, or a lost page of a truncated file. Returns the
 * bytes copied; -EFAULT if there are none although len is not 0; -EINVAL; or the negative errno of
 * process_vm_readv(2) where the host forbids that call.
 */
int64_t xip_read(const void *window, uint64_t window_bytes, uint64_t table_bytes,
                 uint64_t root_pfn, uint32_t layout, uint64_t va, void *dst, uint64_t len);

/*
 * Lists the entries that decide about [va_start, va_end): every one whose state is not
 * XIP_WALK_NONE, in address order, including those that the range cuts. Writes at most capacity
 * records to out and returns how many the range holds, which may be more. out may be NULL if
 * capacity is 0. -EINVAL also for va_start > va_end.
 */
int64_t xip_dump(const void *window, uint64_t window_bytes, uint64_t root_pfn, uint32_t layout,
                 uint64_t va_start, uint64_t va_end, struct xip_entry *out, uint64_t capacity);

/*
 * Stores pte as the entry for va in the table of the given level; the layout's empty entry clears.
 * Missing tables on the way are taken from the frames [*next_pfn, end_pfn) in order, emptied, and
 * linked; *next_pfn moves past those taken, even on an error. One thread may call it on one root at
 * a time; walks may run concurrently.
 * -EINVAL: level above XIP_LEVEL_PUD; va not aligned to the level's size; above XIP_LEVEL_PTE a pte
 *   that points at a table, or a leaf that a walk would call bad.
 * -EEXIST: a huge or non-present entry is on the path, or a table is where pte should go.
 * -ENOMEM: the frames for tables have run out or lie outside the window.
 * -ELOOP: a bad entry is on the path.
 */
int xip_set(void *window, uint64_t window_bytes, uint64_t root_pfn, uint32_t layout, uint64_t va,
            uint64_t pte, uint32_t level, uint64_t *next_pfn, uint64_t end_pfn);

#ifdef __cplusplus
}
#endif

#endif
