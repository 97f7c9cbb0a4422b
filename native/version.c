#include "tables.h"

XIP_EXPORT int xip_abi_version(void) { return XIP_ABI_VERSION; }
