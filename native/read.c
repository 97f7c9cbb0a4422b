/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* process_vm_readv */

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tables.h"

/* The most pieces of one system call; pieces that adjoin in physical memory are one. */
#define PIECES 16

/* The window and the tables of a read. */
struct source {
  char *window;
  uint64_t window_bytes;
  uint64_t table_bytes;
  uint64_t root_pfn;
  uint32_t layout;
};

/* The bytes from va to the end of its page or of len, as a range of the window; 0 for none. */
static uint64_t locate(const struct source *from, uint64_t va, uint64_t len, char **at) {
  struct xip_entry walk;
  uint64_t n;

  if (xip_walk(from->window, from->table_bytes, from->root_pfn, from->layout, va, &walk)) return 0;
  if (walk.state != XIP_WALK_PRESENT || walk.pa >= from->window_bytes) return 0;
  n = (1UL << walk.page_shift) - (va & ((1UL << walk.page_shift) - 1));
  if (n > from->window_bytes - walk.pa) n = from->window_bytes - walk.pa;
  *at = from->window + walk.pa;
  return n < len ? n : len;
}

/*
 * The bytes from va on that the tables make readable, as ranges of the window, up to len bytes.
 * Returns the number of ranges and adds their lengths up in *bytes.
 */
static int gather(const struct source *from, uint64_t va, uint64_t len, struct iovec *pieces,
                  uint64_t *bytes) {
  int count = 0;

  for (*bytes = 0; *bytes < len;) {
    char *at;
    uint64_t n = locate(from, va + *bytes, len - *bytes, &at);

    if (n == 0) break;
    if (count > 0 && (char *)pieces[count - 1].iov_base + pieces[count - 1].iov_len == at) {
      pieces[count - 1].iov_len += n;
    } else if (count < PIECES) {
      pieces[count++] = (struct iovec){.iov_base = at, .iov_len = n};
    } else {
      break;
    }
    *bytes += n;
  }
  return count;
}

/*
 * The bytes may be those of a mapped file, which can be truncated: a load would then raise SIGBUS
 * in a program that has not installed the guard. process_vm_readv(2) on the own process makes the
 * kernel copy, and a lost page becomes a short count or EFAULT.
 */
XIP_EXPORT int64_t xip_read(const void *window, uint64_t window_bytes, uint64_t table_bytes,
                            uint64_t root_pfn, uint32_t layout, uint64_t va, void *dst,
                            uint64_t len) {
  struct source from = {(char *)(uintptr_t)window, window_bytes, table_bytes, root_pfn, layout};
  struct xip_tables tables;
  uint64_t done = 0;

  if (xip_tables_init(&tables, window, window_bytes, root_pfn, layout) != 0) return -EINVAL;
  if (xip_tables_init(&tables, window, table_bytes, root_pfn, layout) != 0) return -EINVAL;
  if (table_bytes > window_bytes || len > INT64_MAX || (dst == NULL && len != 0)) return -EINVAL;
  while (done < len) {
    struct iovec pieces[PIECES];
    struct iovec to;
    uint64_t want;
    ssize_t got;
    int count = gather(&from, va + done, len - done, pieces, &want);

    if (count == 0) break;
    to = (struct iovec){.iov_base = (char *)dst + done, .iov_len = want};
    got = process_vm_readv(getpid(), &to, 1, pieces, (unsigned long)count, 0);
    if (got < 0 && errno != EFAULT) return done > 0 ? (int64_t)done : -errno;
    if (got > 0) done += (uint64_t)got;
    /* The kernel caps one call near 2 GiB; a short count below that means a lost page. */
    if (got <= 0) break;
  }
  return done == 0 && len != 0 ? -EFAULT : (int64_t)done;
}
