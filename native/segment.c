/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* realpath */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export.h"
#include "segment.h"

#define MEGABYTE_SHIFT 20

/* Where x86-64 Linux ends the address space of a process. */
#define USER_ADDRESS_BITS 47

/* A segment on the list. */
struct loaded {
  struct loaded *next;
  char *store; /* the absolute path of the store's folder when it was loaded */
  dev_t dev;   /* and which folder that was */
  ino_t ino;
  int fd; /* its data file, locked */
  struct xip_segment segment;
};

/*
 * Guards the list. Held over whole calls, so that a child of fork never inherits a call half done.
 */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct loaded *list;

static void lock(void) { pthread_mutex_lock(&mutex); }

static void unlock(void) { pthread_mutex_unlock(&mutex); }

static void keep_over_fork(void) { pthread_atfork(lock, unlock, unlock); }

static void begin(void) {
  pthread_once(&once, keep_over_fork);
  xip_no_message();
  lock();
}

static struct loaded *find(const struct xip_store *store, const char *name) {
  struct loaded *each = list;

  while (each != NULL && (each->dev != store->dev || each->ino != store->ino ||
                          strcmp(each->segment.name, name) != 0)) {
    each = each->next;
  }
  return each;
}

/* Checks collisions before the limit, as the kernel does. Two parts of one megabyte collide. */
static int check_room(const struct xip_segment *wanted) {
  for (struct loaded *each = list; each != NULL; each = each->next) {
    const struct xip_segment *other = &each->segment;
    if (wanted->pa >> MEGABYTE_SHIFT <= other->pa_end >> MEGABYTE_SHIFT &&
        other->pa >> MEGABYTE_SHIFT <= wanted->pa_end >> MEGABYTE_SHIFT) {
      return xip_fail(EBUSY,
                      "segment %s [0x%" PRIx64 ", 0x%" PRIx64
                      "): expected megabytes without a segment, found [0x%" PRIx64 ", 0x%" PRIx64
                      ") %s",
                      wanted->name, wanted->pa, wanted->pa_end + 1, other->pa, other->pa_end + 1,
                      other->name);
    }
  }
  if (wanted->bytes < UINT64_C(1) << USER_ADDRESS_BITS) return 0;
  return xip_fail(ERANGE,
                  "segment %s: expected less than 0x%" PRIx64
                  " bytes, the address space of a process, found 0x%" PRIx64,
                  wanted->name, UINT64_C(1) << USER_ADDRESS_BITS, wanted->bytes);
}

/*
 * Whether the store still has the definition that was read before fd was opened: 1 or 0, or an
 * error. A data file of the same name is another one if the segment was removed and defined anew.
 */
static int is_current(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  struct xip_segment now;
  int error = xip_read_definition(store, segment->name, &now);

  if (error != 0) return error;
  return now.version == segment->version && now.parts == segment->parts &&
         memcmp(now.part, segment->part, sizeof now.part) == 0 &&
         (fd < 0 || xip_is_in_store(store, segment, fd));
}

/* Undoes use_current. */
static void end_use(const struct xip_store *store, const struct xip_segment *segment, int fd) {
  close(fd);
  xip_leave_version(store, segment->name, segment->version);
}

/* Becomes a user of the current version and fills segment. Returns the descriptor. */
static int use_current(const struct xip_store *store, const char *name, uint32_t mode,
                       struct xip_segment *segment) {
  for (;;) {
    int error = xip_read_definition(store, name, segment);
    int fd, current;

    if (error == 0) error = check_room(segment);
    if (error != 0) return error;
    fd = xip_begin_use(store, segment, mode);
    current = is_current(store, segment, fd);
    if (current == 1) return fd;
    /* A process that unloaded it meanwhile saw this user and kept the files, so clean up here. */
    if (fd >= 0) end_use(store, segment, fd);
    if (current < 0) return current;
  }
}

/* Uses and maps the current version. Returns the descriptor. */
static int use_and_map(const struct xip_store *store, const char *name, uint32_t mode,
                       struct xip_segment *segment) {
  int fd = use_current(store, name, mode, segment);
  int error = fd < 0 ? 0 : xip_map_parts(fd, mode, segment);

  if (error == 0) return fd;
  end_use(store, segment, fd);
  return error;
}

/*
 * Loads a segment; a failure changes nothing. Preconditions: it is not loaded, the mutex is held.
 */
static int add(const struct xip_store *store, const char *name, uint32_t mode,
               struct loaded **added) {
  struct loaded *new = calloc(1, sizeof *new);
  int error;

  if (new == NULL || (new->store = realpath(store->path, NULL)) == NULL) {
    error = xip_fail(errno, "segment %s: store %s: realpath: %s", name, store->path,
                     strerror(errno));
    free(new);
    return error;
  }
  new->fd = use_and_map(store, name, mode, &new->segment);
  if (new->fd < 0) {
    error = new->fd;
    free(new->store);
    free(new);
    return error;
  }
  new->dev = store->dev;
  new->ino = store->ino;
  new->segment.mode = mode;
  new->segment.loaded_version = new->segment.version;
  new->next = list;
  list = *added = new;
  return 0;
}

static const char *mode_name(uint32_t mode) {
  return mode == XIP_SEGMENT_SHARED ? "SHARED" : "EXCLUSIVE";
}

/* Ends the use of a data file, and cleans up the store if its folder is still at its path. */
static void leave(const struct loaded *held) {
  struct xip_store store;

  close(held->fd);
  xip_mute(1);
  if (xip_open_store(held->store, &store) == 0) {
    if (store.dev == held->dev && store.ino == held->ino) {
      xip_leave_version(&store, held->segment.name, held->segment.version);
    }
    close(store.fd);
  }
  xip_mute(0);
}

/*
 * Drops a reference; the last one takes the segment off the list. Precondition: the mutex is held.
 */
static int drop(struct loaded **at) {
  struct loaded *held = *at;

  if (held->segment.references == 1) {
    if (munmap(held->segment.addr, held->segment.bytes) != 0) {
      return xip_fail(errno, "segment %s: munmap: %s", held->segment.name, strerror(errno));
    }
    *at = held->next;
    leave(held);
    free(held->store);
    free(held);
  } else {
    held->segment.references--;
  }
  return 0;
}

/* Drops the reference of a load that has failed. Precondition: the mutex is held. */
static void give_back(const struct loaded *held) {
  struct loaded **at = &list;

  while (*at != held) at = &(*at)->next;
  xip_mute(1);
  drop(at);
  xip_mute(0);
}

/* Preconditions: the mutex is held. */
static int load(const struct xip_store *store, const char *name, uint32_t mode,
                struct xip_segment *out) {
  struct loaded *held = find(store, name);
  int error = 0;

  if (held == NULL) {
    error = add(store, name, mode, &held);
  } else if (held->segment.mode != mode) {
    error = xip_fail(EPERM, "segment %s: already loaded %s, not %s", name,
                     mode_name(held->segment.mode), mode_name(mode));
  }
  if (error != 0) return error;
  held->segment.references++;
  *out = held->segment;
  error = xip_count_users(held->fd, out);
  if (error != 0) {
    give_back(held);
    *out = (struct xip_segment){0};
    return error;
  }
  *(mode == XIP_SEGMENT_SHARED ? &out->shared_users : &out->exclusive_users) += 1; /* its own */
  return (int)out->type;
}

/* Checks the arguments of load and query, and opens the store. */
static int open_call(const char *path, const char *name, struct xip_segment *out, char folded[16],
                     struct xip_store *store) {
  int error;

  if (out != NULL) *out = (struct xip_segment){0};
  if (path == NULL || name == NULL || out == NULL) {
    return xip_fail(EINVAL, "segment: expected a store, a name and room for *out, found NULL");
  }
  error = xip_fold_name(name, folded);
  return error == 0 ? xip_open_store(path, store) : error;
}

XIP_EXPORT int xip_segment_load(const char *path, const char *name, int mode,
                                struct xip_segment *out) {
  struct xip_store store;
  char folded[16];
  int result;

  begin();
  if (mode != XIP_SEGMENT_SHARED && mode != XIP_SEGMENT_EXCLUSIVE) {
    if (out != NULL) *out = (struct xip_segment){0};
    result = xip_fail(EINVAL, "segment: expected mode %d or %d, found %d", XIP_SEGMENT_SHARED,
                      XIP_SEGMENT_EXCLUSIVE, mode);
  } else {
    result = open_call(path, name, out, folded, &store);
    if (result == 0) {
      result = load(&store, folded, (uint32_t)mode, out);
      close(store.fd);
    }
  }
  unlock();
  return result;
}

/* Fills *out with the current version and its users. */
static int query(const struct xip_store *store, const char *name, struct xip_segment *out) {
  for (;;) {
    int error = xip_read_definition(store, name, out);
    int fd, current;

    if (error != 0) return error;
    fd = xip_open_data(store, out, O_RDONLY);
    error = fd < 0 ? fd : xip_count_users(fd, out);
    current = is_current(store, out, fd);
    if (fd >= 0) close(fd);
    if (current < 0) return current;
    if (current == 1) return error;
  }
}

XIP_EXPORT int xip_segment_query(const char *path, const char *name, struct xip_segment *out) {
  struct xip_store store;
  struct loaded *held;
  char folded[16];
  int result;

  begin();
  result = open_call(path, name, out, folded, &store);
  if (result == 0) {
    result = query(&store, folded, out);
    held = find(&store, folded);
    if (result == 0 && held != NULL) {
      out->addr = held->segment.addr;
      out->end = held->segment.end;
      out->loaded_version = held->segment.version;
      out->mode = held->segment.mode;
      out->references = held->segment.references;
    }
    if (result == 0) {
      result = (int)out->type;
    } else {
      *out = (struct xip_segment){0};
    }
    close(store.fd);
  }
  unlock();
  return result;
}

XIP_EXPORT int xip_segment_unload(const void *addr) {
  struct loaded **at = &list;
  int error;

  begin();
  while (*at != NULL && (*at)->segment.addr != addr) at = &(*at)->next;
  error = *at != NULL ? drop(at)
                      : xip_fail(EINVAL, "segment: none loaded at %p", addr);
  unlock();
  return error;
}
