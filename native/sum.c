/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

/*
 * A plain loop over a mapped file, compiled with -O2: the limit that benchmarks compare sums of
 * mapped files with.
 */
XIP_EXPORT uint64_t xip_sum_longs(const uint64_t *longs, uint64_t count) {
  uint64_t sum = 0;

  for (uint64_t i = 0; i < count; i++) sum += longs[i];
  return sum;
}
