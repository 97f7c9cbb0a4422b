/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of the native tests: claims printed as "ok - ..." or "not ok - ...", and one set of
 * tables to test. A program ends with return claims_done().
 */
#ifndef XIP_CHECK_H
#define XIP_CHECK_H

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xip/pte.h"
#include "xip/xip.h"

static int claims_held, claims_failed;

/* States a claim and whether it holds. */
#define CLAIM(holds, text)                                                     \
  do {                                                                         \
    if (holds) {                                                               \
      claims_held++;                                                           \
      printf("ok - %s\n", text);                                               \
    } else {                                                                   \
      claims_failed++;                                                         \
      printf("not ok - %s (%s:%d: %s)\n", text, __FILE__, __LINE__, #holds);   \
    }                                                                          \
  } while (0)

static inline int claims_done(void) {
  printf("%d claims hold, %d do not\n", claims_held, claims_failed);
  return claims_failed == 0 ? 0 : 1;
}

/* The window of a test: PAGES pages, the root in the first, tables taken from the next ones. */
#define PAGES 2048UL
#define PAGE 4096UL
#define TABLE_PAGES 64UL
#define ROOT 0UL
#define WINDOW_BYTES (PAGES * PAGE)

static char *window;
static uint64_t next_table;

/* A fresh, empty set of tables in a zeroed window. */
static inline void fresh_tables(void) {
  if (window != NULL) munmap(window, WINDOW_BYTES);
  window = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (window == MAP_FAILED) abort();
  next_table = ROOT + 1;
}

static inline int set(uint64_t va, uint64_t pte, uint32_t level) {
  return xip_set(window, WINDOW_BYTES, ROOT, XIP_LAYOUT_X86_64, va, pte, level, &next_table,
                 TABLE_PAGES);
}

/* The end of a walk; a failed call is state UINT32_MAX with the error in pte. */
static inline struct xip_entry walk(uint64_t va) {
  struct xip_entry out = {0};
  int error = xip_walk(window, WINDOW_BYTES, ROOT, XIP_LAYOUT_X86_64, va, &out);

  if (error != 0) out = (struct xip_entry){.state = UINT32_MAX, .pte = (uint64_t)(int64_t)error};
  return out;
}

/* Entry number index of a table, for tests that damage one by hand. */
static inline uint64_t *entry(uint64_t table_pfn, unsigned index) {
  return (uint64_t *)(void *)(window + table_pfn * PAGE) + index;
}

#define USER_PAGE (XIP_X86_64_PRESENT | XIP_X86_64_USER | XIP_X86_64_ACCESSED)

static inline uint64_t leaf(uint64_t pa, uint64_t bits) { return pa | bits; }

#endif
