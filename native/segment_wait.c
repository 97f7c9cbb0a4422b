/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "export.h"
#include "segment.h"

#define TELL_AFTER 1000 /* milliseconds */
#define LONGEST_SLEEP 20

static atomic_uint limit = XIP_SEGMENT_WAIT;
static _Atomic(xip_segment_told) tell;

XIP_EXPORT void xip_segment_wait(unsigned milliseconds, xip_segment_told told) {
  limit = milliseconds;
  tell = told;
}

static unsigned passed(const struct timespec *start) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (unsigned)((now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000);
}

int xip_wait(struct xip_wait *wait, int fd, const char *file) {
  long sleep = wait->tries < LONGEST_SLEEP ? wait->tries + 1 : LONGEST_SLEEP;
  struct timespec pause = {.tv_nsec = sleep * 1000000};
  char holder[XIP_HOLDER], line[128];
  xip_segment_told told = tell;
  unsigned waited;

  if (wait->tries++ == 0) clock_gettime(CLOCK_MONOTONIC, &wait->start);
  waited = passed(&wait->start);
  if (waited >= limit) return 0;
  if (waited >= TELL_AFTER && !wait->told && told != NULL) {
    snprintf(line, sizeof line, "waiting for %s, which has locked %s",
             xip_lock_holder(fd, holder), file);
    told(line);
    wait->told = 1;
  }
  nanosleep(&pause, NULL);
  return 1;
}

/* Whether fdinfo shows a lock of an open file of a process. */
static int has_lock(int folder, const char *number) {
  char text[4096], name[64];
  ssize_t length;
  int fd;

  snprintf(name, sizeof name, "fdinfo/%.40s", number);
  fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length < 0) return 0;
  text[length] = 0;
  return strstr(text, "lock:") != NULL;
}

/* Whether a process has an open file with a lock on this file. */
static int locks(int process, const struct stat *file) {
  int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *entry;
  struct stat stat;
  int found = 0;

  if (folder == NULL) {
    if (fd >= 0) close(fd);
    return 0;
  }
  while (!found && (entry = readdir(folder)) != NULL) {
    found = fstatat(fd, entry->d_name, &stat, 0) == 0 && stat.st_dev == file->st_dev &&
            stat.st_ino == file->st_ino && has_lock(process, entry->d_name);
  }
  closedir(folder);
  return found;
}

/* F_OFD_GETLK reports no owner, so the open files of all processes are searched. */
const char *xip_lock_holder(int fd, char holder[XIP_HOLDER]) {
  struct dirent *entry;
  struct stat file;
  DIR *all = opendir("/proc");

  strcpy(holder, "an unknown process");
  if (all == NULL) return holder;
  while (fstat(fd, &file) == 0 && (entry = readdir(all)) != NULL) {
    int process;
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    process = openat(dirfd(all), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) continue;
    if (locks(process, &file)) {
      snprintf(holder, XIP_HOLDER, "process %.20s", entry->d_name);
      close(process);
      break;
    }
    close(process);
  }
  closedir(all);
  return holder;
}
