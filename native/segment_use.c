/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* F_OFD_SETLK */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"

/* Byte 0: locked shared by every user, exclusively by a first user that clears the file. */
#define GATE 0

#define NAMES_TRIES 100 /* of some milliseconds each */

/* Each user has a byte of its own from here up to the greatest offset: exclusive ones in its upper
 * half. Within a half, the process number comes above 32 random bits. */
#define USERS (INT64_C(1) << 62)
#define EXCLUSIVE_USERS (USERS + (INT64_C(1) << 61))
#define PID_SHIFT 32
#define LAST_USER (INT64_MAX - 1)

#define MOST_USERS 16384

int xip_lock_file(int fd, int command, short type, int64_t start, int64_t length) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  int result;

  do {
    result = fcntl(fd, command, &lock);
  } while (result != 0 && errno == EINTR);
  return result;
}

/* Fails because of the data file; format tells what is wrong with it. */
__attribute__((format(printf, 4, 5))) static int fail_data(const struct xip_store *store,
                                                           const struct xip_segment *segment,
                                                           int code, const char *format, ...) {
  char file[XIP_FILE_NAME], problem[256];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(problem, sizeof problem, format, arguments);
  va_end(arguments);
  xip_data_file(segment, file);
  return xip_fail(code, "segment %s: data file %s/%s: %s", segment->name, store->path, file,
                  problem);
}

int xip_open_data(const struct xip_store *store, const struct xip_segment *segment, int how) {
  char file[XIP_FILE_NAME];
  const char *found;
  int fd;

  xip_data_file(segment, file);
  fd = xip_open_file(store, file, how, &found);
  if (fd >= 0) return fd;
  /* ENOENT would say that there is no such segment. */
  return fail_data(store, segment, fd == -ENOENT ? EIO : -fd,
                   "expected a regular file, found %s", fd == -ENOENT ? "none" : found);
}

int xip_is_in_store(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  char file[XIP_FILE_NAME];
  struct stat open, named;

  xip_data_file(segment, file);
  return fstat(fd, &open) == 0 && fstatat(store->fd, file, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* The size, or -1. */
static int64_t size_of(int fd) {
  struct stat stat;

  return fstat(fd, &stat) == 0 ? stat.st_size : -1;
}

/*
 * Tries to lock byte 0 shared; for SN exclusively first: of several loaders at once one gets that
 * lock, becomes the first user and clears the file, and the others wait. If it is killed before it
 * has restored the file's length, there is no user yet, so the next loader is the first. Returns 1,
 * 0 if a lock conflicts, or -1 with errno.
 */
static int enter(const struct xip_segment *segment, int fd) {
  int64_t bytes = (int64_t)segment->bytes;
  int clears = segment->type == XIP_SEGMENT_SN;

  if (clears && xip_lock_file(fd, F_OFD_SETLK, F_WRLCK, GATE, 1) == 0 &&
      (ftruncate(fd, 0) != 0 || ftruncate(fd, bytes) != 0)) {
    return -1;
  }
  if (xip_lock_file(fd, F_OFD_SETLK, F_RDLCK, GATE, 1) != 0) {
    return errno == EAGAIN || errno == EACCES ? 0 : -1;
  }
  if (!clears || size_of(fd) >= bytes) return 1;
  return xip_lock_file(fd, F_OFD_SETLK, F_UNLCK, GATE, 1);
}

static int pass_gate(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  char file[XIP_FILE_NAME], holder[XIP_HOLDER];
  struct xip_wait wait = {0};
  int entered;

  xip_data_file(segment, file);
  do {
    entered = enter(segment, fd);
    if (entered == 1) return 0;
    if (entered < 0) {
      return fail_data(store, segment, errno,
                       "expected a file to lock, and to clear if SN, found %s", strerror(errno));
    }
  } while (xip_wait(&wait, fd, file));
  return fail_data(store, segment, EBUSY, "locked exclusively by %s", xip_lock_holder(fd, holder));
}

/* A second name may be a hard link that another user made to a file of the caller's. */
static int check_names(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  struct xip_wait wait = {0};
  struct stat stat;
  char file[XIP_FILE_NAME];

  xip_data_file(segment, file);
  for (;;) {
    if (fstat(fd, &stat) != 0) return fail_data(store, segment, errno, "%s", strerror(errno));
    if (stat.st_nlink <= 1) return 0;
    /* A file that is moved into the store briefly has its old name too. */
    if (wait.tries == NAMES_TRIES || !xip_wait(&wait, fd, file)) break;
  }
  return fail_data(store, segment, EIO, "has several names, and stores would reach it");
}

static int check_size(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  int64_t size = size_of(fd);

  if (size >= (int64_t)segment->bytes) return 0;
  return fail_data(store, segment, EIO, "expected 0x%" PRIx64 " bytes, found 0x%" PRIx64,
                   segment->bytes, size);
}

static int take_slot(const struct xip_store *store, const struct xip_segment *segment,
                     uint32_t mode, int fd) {
  int64_t slot = mode == XIP_SEGMENT_EXCLUSIVE ? EXCLUSIVE_USERS : USERS;
  uint32_t random;

  if (getrandom(&random, sizeof random, 0) == sizeof random) {
    slot += ((int64_t)getpid() << PID_SHIFT) + random;
    if (xip_lock_file(fd, F_OFD_SETLK, F_RDLCK, slot, 1) == 0) return 0;
  }
  return fail_data(store, segment, errno, "cannot lock a byte for this user: %s",
                   strerror(errno));
}

int xip_begin_use(const struct xip_store *store, const struct xip_segment *segment, uint32_t mode) {
  int stored = segment->type == XIP_SEGMENT_SN ||
               (xip_is_writable(segment->type, mode) && !xip_is_private(segment->type, mode));
  int fd = xip_open_data(store, segment, stored ? O_RDWR : O_RDONLY);
  int error;

  if (fd < 0) return fd;
  error = stored ? check_names(store, segment, fd) : 0;
  if (error == 0) error = pass_gate(store, segment, fd);
  if (error == 0) error = check_size(store, segment, fd);
  if (error == 0) error = take_slot(store, segment, mode, fd);
  if (error == 0) return fd;
  close(fd);
  return error;
}

/* Ranges that have not been searched. */
struct ranges {
  struct range {
    int64_t start;
    int64_t end; /* inclusive */
  } * range;
  size_t count;
  size_t room;
};

static int push(struct ranges *left, int64_t start, int64_t end) {
  if (start > end) return 0;
  if (left->count == left->room) {
    size_t room = left->room == 0 ? 64 : left->room * 2;
    struct range *range = realloc(left->range, room * sizeof *range);
    if (range == NULL) return -1;
    left->range = range;
    left->room = room;
  }
  left->range[left->count++] = (struct range){start, end};
  return 0;
}

/*
 * F_OFD_GETLK reports one lock of a range; the bytes on either side are searched next. Each call
 * takes time in proportion to the locks, so the count ends at MOST_USERS.
 */
int xip_count_users(int fd, struct xip_segment *out) {
  struct ranges left = {0};
  int error = push(&left, USERS, LAST_USER);

  out->shared_users = out->exclusive_users = 0;
  while (error == 0 && left.count > 0 && out->shared_users + out->exclusive_users < MOST_USERS) {
    struct range asked = left.range[--left.count];
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = asked.start,
                         .l_len = asked.end - asked.start + 1};
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) continue;
    if (lock.l_len == 1) {
      *(lock.l_start < EXCLUSIVE_USERS ? &out->shared_users : &out->exclusive_users) += 1;
    }
    error = push(&left, asked.start, lock.l_start - 1);
    if (error == 0 && lock.l_len != 0) error = push(&left, lock.l_start + lock.l_len, asked.end);
  }
  free(left.range);
  return error == 0 ? 0 : xip_fail(ENOMEM, "segment %s: expected memory to count its users, found "
                                   "none", out->name);
}

int xip_has_users(int fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = GATE, .l_len = 1};

  return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
