/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside libxip: only functions marked XIP_EXPORT are visible outside. Those are the functions that
 * the headers in include/xip declare, and JNI functions, which no program calls but a JVM.
 */
#ifndef XIP_NATIVE_EXPORT_H
#define XIP_NATIVE_EXPORT_H

#define XIP_EXPORT __attribute__((visibility("default")))

#endif
