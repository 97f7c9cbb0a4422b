#define _GNU_SOURCE /* F_OFD_SETLK */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "segment.h"

/* Byte 0: shared by every user; exclusive while a first user clears. */
#define GATE 0
#define GATE_TRIES 2000 /* of a millisecond each */

/* Each user has a byte of its own from here up to the greatest offset: exclusive ones in its upper
 * half. Within a half, the process number comes above 32 random bits. */
#define USERS (INT64_C(1) << 62)
#define EXCLUSIVE_USERS (USERS + (INT64_C(1) << 61))
#define PID_SHIFT 32
#define LAST_USER (INT64_MAX - 1)

int xip_lock_file(int fd, int command, short type, int64_t start, int64_t length) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  int result;

  do {
    result = fcntl(fd, command, &lock);
  } while (result != 0 && errno == EINTR);
  return result;
}

static int fail_data(const struct xip_store *store, const struct xip_segment *segment, int code,
                     const char *expected, const char *found) {
  char file[XIP_FILE_NAME];

  xip_data_file(segment, file);
  return xip_fail(code, "segment %s: data file %s/%s: expected %s, found %s", segment->name,
                  store->path, file, expected, found);
}

int xip_open_data(const struct xip_store *store, const struct xip_segment *segment, int how) {
  char file[XIP_FILE_NAME];
  struct stat stat;
  int fd;

  xip_data_file(segment, file);
  /* Without O_NONBLOCK the open of a named pipe would wait for its other end. */
  fd = openat(store->fd, file, how | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) { /* that code would say that there is no such segment */
    return fail_data(store, segment, EIO, "a file", "none");
  }
  if (fd < 0) return fail_data(store, segment, errno, "a file to open", strerror(errno));
  if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) return fd;
  close(fd);
  return fail_data(store, segment, EIO, "a regular file", "another kind");
}

int xip_is_in_store(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  char file[XIP_FILE_NAME];
  struct stat open, named;

  xip_data_file(segment, file);
  return fstat(fd, &open) == 0 && fstatat(store->fd, file, &named, 0) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* -1 if the system does not tell. */
static int64_t size_of(int fd) {
  struct stat stat;

  return fstat(fd, &stat) == 0 ? stat.st_size : -1;
}

/*
 * Tries to lock byte 0 shared. For SN the exclusive lock comes first, so that of several who come
 * at once one is the first user, and the others wait until it has cleared the file. One that was
 * killed before it gave the file its length again has left no user, so the next is the first.
 * Returns 1, 0 if somebody is in the way, or -1 with errno.
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
  static const struct timespec millisecond = {.tv_nsec = 1000000};
  int entered = 0;

  for (int tries = 0; tries < GATE_TRIES; tries++) {
    entered = enter(segment, fd);
    if (entered == 1) return 0;
    if (entered < 0) {
      return fail_data(store, segment, errno, "a file to lock, and to clear if SN",
                       strerror(errno));
    }
    nanosleep(&millisecond, NULL);
  }
  return fail_data(store, segment, EBUSY, "a file to share", "it locked exclusively");
}

static int check_size(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  char expected[32], found[32];
  int64_t size = size_of(fd);

  if (size >= (int64_t)segment->bytes) return 0;
  snprintf(expected, sizeof expected, "0x%" PRIx64 " bytes", segment->bytes);
  snprintf(found, sizeof found, "0x%" PRIx64, size);
  return fail_data(store, segment, EIO, expected, found);
}

static int take_slot(const struct xip_store *store, const struct xip_segment *segment,
                     uint32_t mode, int fd) {
  int64_t slot = mode == XIP_SEGMENT_EXCLUSIVE ? EXCLUSIVE_USERS : USERS;
  uint32_t random;

  if (getrandom(&random, sizeof random, 0) == sizeof random) {
    slot += ((int64_t)getpid() << PID_SHIFT) + random;
    if (xip_lock_file(fd, F_OFD_SETLK, F_RDLCK, slot, 1) == 0) return 0;
  }
  return fail_data(store, segment, errno, "to lock a byte for this user", strerror(errno));
}

int xip_begin_use(const struct xip_store *store, const struct xip_segment *segment, uint32_t mode) {
  int stored = segment->type == XIP_SEGMENT_SN ||
               (xip_is_writable(segment->type, mode) && !xip_is_private(segment->type, mode));
  int fd = xip_open_data(store, segment, stored ? O_RDWR : O_RDONLY);
  int error;

  if (fd < 0) return fd;
  error = pass_gate(store, segment, fd);
  if (error == 0) error = check_size(store, segment, fd);
  if (error == 0) error = take_slot(store, segment, mode, fd);
  if (error == 0) return fd;
  close(fd);
  return error;
}

/* Counts the locks in [start, end]: the one that is told of, and those on either side of it. */
static void count(int fd, int64_t start, int64_t end, struct xip_segment *out) {
  while (start <= end) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = end - start + 1};
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return;
    if (lock.l_len == 1) {
      *(lock.l_start < EXCLUSIVE_USERS ? &out->shared_users : &out->exclusive_users) += 1;
    }
    count(fd, start, lock.l_start - 1, out);
    if (lock.l_len == 0 || lock.l_start + (lock.l_len - 1) >= end) return;
    start = lock.l_start + lock.l_len;
  }
}

void xip_count_users(int fd, struct xip_segment *out) {
  out->shared_users = out->exclusive_users = 0;
  count(fd, USERS, LAST_USER, out);
}

int xip_has_users(int fd) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = GATE, .l_len = 1};

  return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
