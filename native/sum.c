/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "export.h"

int64_t Java_dev_xip_host_Libxip_sum(void *env, void *type, int64_t address, int64_t count);

/*
 * A JNI function of class dev.xip.host.Libxip, for its benchmarks: a plain loop over a mapped file,
 * compiled with -O2, the limit that sums of mapped files are compared with.
 */
XIP_EXPORT int64_t Java_dev_xip_host_Libxip_sum(void *env, void *type, int64_t address,
                                                int64_t count) {
  const uint64_t *longs = (const uint64_t *)address;
  uint64_t sum = 0;

  (void)env;
  (void)type;
  for (int64_t i = 0; i < count; i++) sum += longs[i];
  return (int64_t)sum;
}
