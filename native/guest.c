/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "xip/guest.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>
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

XIP_EXPORT long xip_thread_time(int thread) {
  /* The clock of a thread by its number, as the kernel's posix-timers.h makes it: 4 for a thread, 2
     for its time as the scheduler counts it. */
  clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
  struct timespec time;

  if (clock_gettime(clock, &time) != 0) return -errno;
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

XIP_EXPORT long xip_own_system_time(void) {
  struct rusage usage;

  if (getrusage(RUSAGE_THREAD, &usage) != 0) return -errno;
  return usage.ru_stime.tv_sec * 1000000000L + usage.ru_stime.tv_usec * 1000L;
}
