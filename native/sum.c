#include "tables.h"

/*
 * The loop that anybody would write over a file that is mapped, as a compiler makes it at -O2: the
 * limit that sums of mapped files are compared with. Nothing but comparisons needs it.
 */
XIP_EXPORT uint64_t xip_sum_longs(const uint64_t *longs, uint64_t count) {
  uint64_t sum = 0;

  for (uint64_t i = 0; i < count; i++) sum += longs[i];
  return sum;
}
