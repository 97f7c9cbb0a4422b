/* Inside libxip: everything is hidden but what is marked. */
#ifndef XIP_NATIVE_EXPORT_H
#define XIP_NATIVE_EXPORT_H

#define XIP_EXPORT __attribute__((visibility("default")))

#endif
