/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* O_PATH, F_OFD_SETLK */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment.h"

#define LOCK_FILE "store.lock"

int xip_open_store(const char *path, struct xip_store *store) {
  struct stat stat;

  *store = (struct xip_store){.path = path, .fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (store->fd < 0) {
    return xip_fail(errno, "segment store %s: expected a folder, found %s", path,
                    errno == ENOTDIR ? "something else" : strerror(errno));
  }
  if (fstat(store->fd, &stat) != 0) {
    int error = errno;
    close(store->fd);
    return xip_fail(error, "segment store %s: fstat: %s", path, strerror(error));
  }
  store->dev = stat.st_dev;
  store->ino = stat.st_ino;
  store->owner = stat.st_uid;
  store->group = stat.st_gid;
  store->mode = stat.st_mode;
  return 0;
}

static const char *kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return "a symbolic link";
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a pipe";
    case S_IFSOCK:
      return "a socket";
    case S_IFREG:
      return "a file of an owner that the store does not trust";
    default:
      return "a device";
  }
}

int xip_open_file(const struct xip_store *store, const char *file, int how, const char **found) {
  struct stat stat = {0};
  /* Without O_NONBLOCK the open of a named pipe would wait for its other end. */
  int fd = openat(store->fd, file, how | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
  int error = errno;

  if (fd < 0) {
    *found = strerror(error);
    if (fstatat(store->fd, file, &stat, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(stat.st_mode)) {
      return -error;
    }
  } else if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
             (stat.st_uid == store->owner || stat.st_uid == geteuid() || stat.st_uid == 0)) {
    return fd;
  } else {
    close(fd);
  }
  *found = kind_of(stat.st_mode);
  return -EIO;
}

/* Reads until the buffer is full or the file ends. Returns the bytes read, or -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t capacity) {
  size_t length = 0;
  ssize_t n = 1;

  while (n != 0 && length < capacity) {
    n = read(fd, text + length, capacity - length);
    if (n < 0 && errno != EINTR) return -1;
    if (n > 0) length += (size_t)n;
  }
  return (ssize_t)length;
}

int xip_read_definition(const struct xip_store *store, const char *name, struct xip_segment *out) {
  char text[XIP_DEFINITION_MAX + 1], file[XIP_FILE_NAME];
  const char *found;
  ssize_t length;
  int fd, error;

  *out = (struct xip_segment){0};
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(file, sizeof file, "%s.def", name);
  fd = xip_open_file(store, file, O_RDONLY, &found);
  if (fd == -ENOENT) {
    return xip_fail(ENOENT, "segment %s: expected a segment of that name in %s, found none", name,
                    store->path);
  }
  if (fd < 0) {
    return xip_fail(-fd, "segment %s: definition: %s/%s: expected a regular file to read, found %s",
                    name, store->path, file, found);
  }
  length = read_all(fd, text, sizeof text);
  error = errno;
  close(fd);
  if (length < 0) {
    return xip_fail(error, "segment %s: definition: %s/%s: read: %s", name, store->path, file,
                    strerror(error));
  }
  return xip_parse_definition(store->path, text, (size_t)length, out);
}

/* Parses the name of a version's file: NAME.VERSION and the suffix. Returns the version or 0. */
static uint64_t version_of(const char *file, const char *name, const char *suffix) {
  struct xip_segment segment = {0};
  char data[XIP_FILE_NAME];
  char rest[XIP_FILE_NAME];
  size_t length = strlen(name);

  if (strncmp(file, name, length) != 0 || file[length] != '.') return 0;
  if (sscanf(file + length + 1, "%18" SCNu64 "%40s", &segment.version, rest) != 2) return 0;
  snprintf(data, sizeof data, "%s.%" PRIu64 "%s", name, segment.version, suffix);
  return strcmp(file, data) == 0 ? segment.version : 0;
}

/* Deletes a regular file; anything else with the name stays. */
static int delete_file(const struct xip_store *store, const char *file) {
  struct stat stat;

  if (fstatat(store->fd, file, &stat, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  return S_ISREG(stat.st_mode) && unlinkat(store->fd, file, 0) == 0;
}

/* Whether no process can have the data file of a version loaded: it has no users or is missing. */
static int is_unused(const struct xip_store *store, const char *file) {
  struct stat stat;
  int fd = openat(store->fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
  int unused;

  if (fd < 0) return errno == ENOENT;
  unused = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && !xip_has_users(fd);
  close(fd);
  return unused;
}

/* Deletes a version that is not current, unless it has users. */
static void delete_version(const struct xip_store *store, const char *name, uint64_t version) {
  char file[XIP_FILE_NAME], purge[XIP_FILE_NAME];

  snprintf(file, sizeof file, "%s.%" PRIu64 ".data", name, version);
  snprintf(purge, sizeof purge, "%s.%" PRIu64 ".purge", name, version);
  if (is_unused(store, file) && delete_file(store, purge)) delete_file(store, file);
}

/*
 * Deletes versions that are not current and have no users. Precondition: the store's lock is held.
 */
static void sweep(const struct xip_store *store, const char *name, uint64_t current) {
  int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  struct dirent *entry;

  if (folder == NULL) {
    if (fd >= 0) close(fd);
    return;
  }
  while ((entry = readdir(folder)) != NULL) {
    uint64_t data = version_of(entry->d_name, name, ".data");
    uint64_t purge = version_of(entry->d_name, name, ".purge");
    uint64_t version = data != 0 ? data : purge;
    if (version != 0 && version != current) {
      delete_version(store, name, version);
    } else if (purge != 0 || version_of(entry->d_name, name, ".new") != 0) {
      delete_file(store, entry->d_name);
    }
  }
  closedir(folder);
}

/* The version that NAME.def names, 0 if there is none, or a negative errno. */
static int64_t current_version(const struct xip_store *store, const char *name) {
  struct xip_segment segment;
  int error = xip_read_definition(store, name, &segment);

  return error == 0 ? (int64_t)segment.version : error == -ENOENT ? 0 : error;
}

/*
 * Opens the file that a process locks to change the store, and makes it if it is missing: only
 * users that may write to the folder can open it, as another user's shared lock would block all
 * changes. Returns its descriptor, or -1.
 */
static int open_lock(const struct xip_store *store) {
  int how = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY;
  mode_t mode = 0600 | (store->mode & 0020 ? 0060 : 0) | (store->mode & 0002 ? 0006 : 0);
  int fd = openat(store->fd, LOCK_FILE, how);
  struct stat stat;

  if (fd < 0 && errno == ENOENT) {
    fd = openat(store->fd, LOCK_FILE, how | O_CREAT | O_EXCL, 0600);
    if (fd < 0) return errno == EEXIST ? openat(store->fd, LOCK_FILE, how) : -1;
    if (fchown(fd, (uid_t)-1, store->group) != 0 && (mode & 0060)) mode |= 0006;
    if (fchmod(fd, mode) != 0) mode = 0600; /* then its owner alone can use it */
  }
  if (fd >= 0 && (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))) {
    close(fd);
    return -1;
  }
  return fd;
}

/* Sweeps if the version is not current any more. Failures are ignored. */
static void sweep_if_replaced(const struct xip_store *store, const char *name, uint64_t version) {
  int64_t current = current_version(store, name);
  struct xip_wait wait = {0};
  int fd;

  if (current < 0 || (uint64_t)current == version) return;
  fd = open_lock(store);
  if (fd < 0) return;
  while (xip_lock_file(fd, F_OFD_SETLK, F_WRLCK, 0, 0) != 0) {
    if ((errno != EAGAIN && errno != EACCES) || !xip_wait(&wait, fd, LOCK_FILE)) {
      close(fd);
      return;
    }
  }
  current = current_version(store, name); /* a writer may have changed it during the wait */
  if (current >= 0) sweep(store, name, (uint64_t)current);
  close(fd);
}

void xip_leave_version(const struct xip_store *store, const char *name, uint64_t version) {
  xip_mute(1);
  sweep_if_replaced(store, name, version);
  xip_mute(0);
}
