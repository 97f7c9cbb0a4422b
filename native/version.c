/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

XIP_EXPORT int xip_abi_version(void) { return XIP_ABI_VERSION; }
