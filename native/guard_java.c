/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JNI functions of class dev.xip.host.GuardCalls: the guard, and what loading the library
 * needs. The JVM binds them by name in microseconds, where linking a call through java.lang.foreign
 * takes milliseconds, longer than most commands run.
 * The first two arguments, the JVM's environment and the class, are not used, so no header of the
 * JDK is needed.
 */
#define _GNU_SOURCE /* F_ADD_SEALS */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "export.h"
#include "xip/guard.h"
#include "xip/xip.h"

#define JNI_VERSION_10 0x000a0000
#define JNI_ERR (-1)

int32_t JNI_OnLoad(void *vm, void *reserved);
int32_t Java_dev_xip_host_GuardCalls_abiVersion(void *env, void *type);
int32_t Java_dev_xip_host_GuardCalls_add(void *env, void *type, int64_t start, int64_t bytes,
                                         uint8_t writable, int64_t lost);
int32_t Java_dev_xip_host_GuardCalls_seal(void *env, void *type, int32_t fd);
void Java_dev_xip_host_GuardCalls_remove(void *env, void *type, int32_t id);
void Java_dev_xip_host_GuardCalls_watch(void *env, void *type, int64_t word);

/* Called when a JVM loads the library: from now on a truncated file cannot end the JVM. */
XIP_EXPORT int32_t JNI_OnLoad(void *vm, void *reserved) {
  (void)vm;
  (void)reserved;
  return xip_guard_install() == 0 ? JNI_VERSION_10 : JNI_ERR;
}

XIP_EXPORT int32_t Java_dev_xip_host_GuardCalls_abiVersion(void *env, void *type) {
  (void)env;
  (void)type;
  return xip_abi_version();
}

XIP_EXPORT int32_t Java_dev_xip_host_GuardCalls_add(void *env, void *type, int64_t start,
                                                    int64_t bytes, uint8_t writable,
                                                    int64_t lost) {
  (void)env;
  (void)type;
  return xip_guard_add((const void *)start, (uint64_t)bytes, writable, (uint64_t *)lost);
}

XIP_EXPORT int32_t Java_dev_xip_host_GuardCalls_seal(void *env, void *type, int32_t fd) {
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  (void)env;
  (void)type;
  return fcntl(fd, F_ADD_SEALS, seals) == 0 ? 0 : -errno;
}

XIP_EXPORT void Java_dev_xip_host_GuardCalls_remove(void *env, void *type, int32_t id) {
  (void)env;
  (void)type;
  xip_guard_remove(id);
}

XIP_EXPORT void Java_dev_xip_host_GuardCalls_watch(void *env, void *type, int64_t word) {
  (void)env;
  (void)type;
  xip_guard_watch((uint64_t *)word);
}
