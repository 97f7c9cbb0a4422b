/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

int main(void) {
  uint64_t longs[1000];
  uint64_t expected = 0;

  for (uint64_t i = 0; i < 1000; i++) {
    longs[i] = (i + 1) * 0x9e3779b97f4a7c15UL;
    expected += longs[i];
  }
  CLAIM(xip_sum_longs(longs, 1000) == expected, "a thousand numbers are added up past 2^64");
  CLAIM(xip_sum_longs(longs + 999, 1) == longs[999], "a single one is its own sum");
  CLAIM(xip_sum_longs(NULL, 0) == 0, "no numbers are 0");
  return claims_done();
}
