/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "segment.h"

int xip_is_writable(uint32_t type, uint32_t mode) {
  switch (type) {
    case XIP_SEGMENT_SC:
      return 0;
    case XIP_SEGMENT_SR:
    case XIP_SEGMENT_ER:
      return mode == XIP_SEGMENT_EXCLUSIVE;
    default:
      return 1;
  }
}

int xip_is_private(uint32_t type, uint32_t mode) {
  return mode == XIP_SEGMENT_EXCLUSIVE || type == XIP_SEGMENT_EW || type == XIP_SEGMENT_ER ||
         type == XIP_SEGMENT_EN || type == XIP_SEGMENT_EWEN;
}

static int refused(const struct xip_segment *segment, int error) {
  return xip_fail(error, "segment %s: mmap: expected 0x%" PRIx64 " bytes of memory, found: %s",
                  segment->name, segment->bytes, strerror(error));
}

int xip_map_parts(int fd, uint32_t mode, struct xip_segment *out) {
  char *base;

  /* Reserves the whole range first, so that no other mapping takes the place of a part. */
  base = mmap(NULL, out->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return refused(out, errno);
  for (uint32_t i = 0; i < out->parts; i++) {
    const struct xip_segment_part *part = &out->part[i];
    uint64_t start = (part->first_page << XIP_PAGE_SHIFT) - out->pa;
    uint64_t length = (part->last_page - part->first_page + 1) << XIP_PAGE_SHIFT;
    int rights = xip_is_writable(part->type, mode) ? PROT_READ | PROT_WRITE : PROT_READ;
    int sharing = xip_is_private(part->type, mode) ? MAP_PRIVATE : MAP_SHARED;
    if (mmap(base + start, length, rights, sharing | MAP_FIXED, fd, (off_t)start) == MAP_FAILED) {
      int error = errno;
      munmap(base, out->bytes);
      return refused(out, error);
    }
  }
  out->addr = base;
  out->end = base + out->bytes - 1;
  return 0;
}
