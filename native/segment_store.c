#define _GNU_SOURCE /* O_PATH, F_OFD_SETLKW */

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
  return 0;
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
  ssize_t length = -1;
  int fd, error;

  *out = (struct xip_segment){0};
  snprintf(out->name, sizeof out->name, "%s", name);
  snprintf(file, sizeof file, "%s.def", name);
  /* Without O_NONBLOCK the open of a named pipe would wait for its other end. */
  fd = openat(store->fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT) {
    return xip_fail(ENOENT, "segment %s: expected a segment of that name in %s, found none", name,
                    store->path);
  }
  if (fd >= 0) length = read_all(fd, text, sizeof text);
  error = errno;
  if (fd >= 0) close(fd);
  if (length < 0) {
    return xip_fail(error, "segment %s: definition: %s/%s: expected a file to read, found: %s",
                    name, store->path, file, strerror(error));
  }
  return xip_parse_definition(store->path, text, (size_t)length, out);
}

/* Tells a version's file by its name: NAME.VERSION and the suffix. Returns the version or 0. */
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

/* Deletes a version that is not the current one, unless somebody uses it. */
static void delete_version(const struct xip_store *store, const char *name, uint64_t version) {
  char file[XIP_FILE_NAME], purge[XIP_FILE_NAME];
  int fd, used;

  snprintf(file, sizeof file, "%s.%" PRIu64 ".data", name, version);
  fd = openat(store->fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno != ENOENT) return;
  used = fd >= 0 && xip_has_users(fd);
  if (fd >= 0) close(fd);
  if (used) return;
  snprintf(purge, sizeof purge, "%s.%" PRIu64 ".purge", name, version);
  if (unlinkat(store->fd, purge, 0) == 0 || errno == ENOENT) unlinkat(store->fd, file, 0);
}

/* Deletes what nobody can load or has loaded. The caller holds the store's lock. */
static void sweep(const struct xip_store *store, const char *name, uint64_t current) {
  int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd < 0 ? NULL : fdopendir(fd);
  char next[XIP_FILE_NAME];
  struct dirent *entry;

  if (folder == NULL) {
    if (fd >= 0) close(fd);
    return;
  }
  snprintf(next, sizeof next, "%s.def.new", name);
  while ((entry = readdir(folder)) != NULL) {
    uint64_t data = version_of(entry->d_name, name, ".data");
    uint64_t purge = version_of(entry->d_name, name, ".purge");
    uint64_t version = data != 0 ? data : purge;
    if (version != 0 && version != current) {
      delete_version(store, name, version);
    } else if (purge != 0 || strcmp(entry->d_name, next) == 0) {
      unlinkat(store->fd, entry->d_name, 0);
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

/* Sweeps if the version has been left, as far as that can be done. */
static void look_after(const struct xip_store *store, const char *name, uint64_t version) {
  int64_t current = current_version(store, name);
  int fd;

  if (current < 0 || (uint64_t)current == version) return;
  fd = openat(store->fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (fd < 0) return;
  if (xip_lock_file(fd, F_OFD_SETLKW, F_WRLCK, 0, 0) == 0) {
    current = current_version(store, name); /* of a writer that was waited for */
    if (current >= 0) sweep(store, name, (uint64_t)current);
  }
  close(fd);
}

void xip_leave_version(const char *path, const char *name, uint64_t version) {
  struct xip_store store;

  xip_mute(1);
  if (xip_open_store(path, &store) == 0) {
    look_after(&store, name, version);
    close(store.fd);
  }
  xip_mute(0);
}
