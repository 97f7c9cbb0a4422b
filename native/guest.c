/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "xip/guest.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "export.h"

#ifdef __x86_64__
extern const char xip_guest_image[];
XIP_EXPORT const void *xip_guest_pages(void) { return xip_guest_image; }
#else
XIP_EXPORT const void *xip_guest_pages(void) { return NULL; }
#endif

/* A real-time signal: neither the JVM nor libc uses it. */
#define KICK (SIGRTMIN + 7)

static void kicked(int signal) { (void)signal; }

XIP_EXPORT int xip_kick_prepare(void) {
  struct sigaction before, ours = {.sa_handler = kicked, .sa_flags = SA_RESTART};

  if (sigaction(KICK, NULL, &before) != 0) return -errno;
  if (before.sa_handler == kicked) return 0;
  if (before.sa_handler != SIG_DFL) return -EBUSY;
  return sigaction(KICK, &ours, NULL) == 0 ? 0 : -errno;
}

XIP_EXPORT int xip_kick_thread(void) { return gettid(); }

XIP_EXPORT int xip_kick(int thread) { return tgkill(getpid(), thread, KICK) == 0 ? 0 : -errno; }
