/* SPDX-License-Identifier: Apache-2.0 */
/* What other users can do in the folder of a store, and its effects. */
#include "segment_store.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

enum { LOCKS = 12000, NOBODY = 65534 };

static struct xip_segment out;
static char told[256];

static int load(const char *name) {
  return xip_segment_load(store, name, XIP_SEGMENT_SHARED, &out);
}

static int says(const char *words) { return strstr(xip_segment_message(), words) != NULL; }

static void hear(const char *line) { snprintf(told, sizeof told, "%s", line); }

static long size_of(const char *file) {
  struct stat stat;
  char path[PATH_ROOM];

  path_of(path, file);
  return lstat(path, &stat) == 0 ? (long)stat.st_size : -1;
}

/* Puts a link to another file of the store in place of a file. */
static void plant_link(const char *file, const char *target) {
  char path[PATH_ROOM];

  path_of(path, file);
  delete_file(file);
  if (symlink(target, path) != 0) abort();
}

static void a_link_is_not_followed(void) {
  define("N", 1, "SN", 0x100000, 1, 'a');
  write_file("precious", "content", 7);
  plant_link("N.1.data", "precious");
  CLAIM(load("N") == -EIO && says("expected a regular file, found a symbolic link"),
        "a link as data file is refused");
  CLAIM(size_of("precious") == 7, "and what it leads to is not cleared");
  plant_link("N.def", "precious");
  CLAIM(load("N") == -EIO && says("N.def: expected a regular file to read, found a symbolic link"),
        "a link as definition is refused");
  empty_store();
}

static void what_is_no_file_is_not_waited_for(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char path[PATH_ROOM];
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);

  path_of(path, "P.def");
  if (mkfifo(path, 0666) != 0) abort();
  CLAIM(load("P") == -EIO && says("found a pipe"), "a pipe as definition is refused at once");
  path_of(path, "F.def");
  if (mkdir(path, 0777) != 0) abort();
  CLAIM(load("F") == -EIO && says("found a directory"), "and a folder");
  rmdir(path);
  snprintf(address.sun_path, sizeof address.sun_path, "%.60s/S.def", store);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) abort();
  CLAIM(load("S") == -EIO && says("found a socket"), "and a socket");
  close(fd);
  empty_store();
}

static void a_file_of_a_stranger_is_not_believed(void) {
  char path[PATH_ROOM];

  if (geteuid() != 0) {
    printf("SKIPPED: a file of a stranger is not believed: only root can give files away\n");
    return;
  }
  define("X", 1, "SN", 0x100000, 1, 'a');
  path_of(path, "X.1.data");
  if (chown(path, NOBODY, NOBODY) != 0) abort();
  CLAIM(load("X") == -EIO && says("found a file of an owner that the store does not trust"),
        "a data file of another user is not loaded");
  if (chown(store, NOBODY, NOBODY) != 0) abort();
  CLAIM(load("X") >= 0, "unless it is the owner of the folder");
  xip_segment_unload(out.addr);
  if (chown(store, 0, 0) != 0) abort();
  empty_store();
}

static void a_second_name_keeps_stores_out(void) {
  char path[PATH_ROOM], other[PATH_ROOM];

  define("W", 1, "SW", 0x100000, 1, 'a');
  path_of(path, "W.1.data");
  path_of(other, "mine");
  if (link(path, other) != 0) abort();
  CLAIM(load("W") == -EIO && says("has several names"),
        "a file with a second name takes no stores");
  define("R", 1, "SR", 0x200000, 1, 'a');
  path_of(path, "R.1.data");
  path_of(other, "mine as well");
  if (link(path, other) != 0) abort();
  CLAIM(load("R") >= 0, "but can be read");
  xip_segment_unload(out.addr);
  empty_store();
}

/* A load that meets a lock that is never released. */
static void a_wait_has_a_limit(void) {
  struct timespec before, after;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  char path[PATH_ROOM], self[64];
  int fd;

  define("L", 1, "SN", 0x100000, 1, 'a');
  path_of(path, "L.1.data");
  fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) != 0) abort();
  snprintf(self, sizeof self, "process %d", getpid());
  xip_segment_wait(1300, hear);
  clock_gettime(CLOCK_MONOTONIC, &before);
  CLAIM(load("L") == -EBUSY && says(self), "a lock that stays is EBUSY, and the holder is named");
  clock_gettime(CLOCK_MONOTONIC, &after);
  CLAIM(after.tv_sec - before.tv_sec < 5, "when the limit has passed");
  CLAIM(strstr(told, self) != NULL && strstr(told, "L.1.data") != NULL,
        "and it was told meanwhile");
  close(fd);
  CLAIM(load("L") >= 0, "a load after that succeeds");
  xip_segment_unload(out.addr);
  xip_segment_wait(XIP_SEGMENT_WAIT, NULL);
  empty_store();
}

/* The lock file that an unload needs must not be made through a link. */
static void an_unload_makes_nothing_elsewhere(void) {
  char path[PATH_ROOM];

  define("V", 1, "SR", 0x100000, 1, 'a');
  if (load("V") < 0) abort();
  define("V", 2, "SR", 0x100000, 1, 'b');
  plant_link("store.lock", "made");
  path_of(path, "V.7.data");
  if (mkfifo(path, 0666) != 0) abort();
  CLAIM(xip_segment_unload(out.addr) == 0 && !exists("made"),
        "a link called store.lock leads to nothing new");
  delete_file("store.lock");
  if (load("V") < 0) abort();
  define("V", 3, "SR", 0x100000, 1, 'c');
  CLAIM(xip_segment_unload(out.addr) == 0 && !exists("V.2.data") && exists("V.7.data"),
        "and a pipe with the name of a version is passed over");
  path_of(path, "store.lock");
  CLAIM(access(path, F_OK) == 0 && size_of("store.lock") == 0, "the lock is made");
  empty_store();
}

/* Any reader of a data file may take locks, each below the last. */
static pid_t take_locks(void) {
  char path[PATH_ROOM], byte;
  int said[2];
  pid_t child;

  path_of(path, "A.1.data");
  if (pipe(said) != 0) abort();
  child = fork();
  if (child == 0) {
    for (int64_t i = 0; i < LOCKS; i++) {
      struct flock lock = {.l_type = F_RDLCK,
                           .l_whence = SEEK_SET,
                           .l_start = (INT64_C(1) << 62) + 2 * (LOCKS - i),
                           .l_len = 1};
      int fd = open(path, O_RDONLY);
      if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) != 0) _exit(1);
    }
    if (write(said[1], "y", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(said[1]);
  if (read(said[0], &byte, 1) != 1) abort();
  close(said[0]);
  return child;
}

static void *ask(void *result) {
  *(int *)result = xip_segment_query(store, "A", &out);
  return NULL;
}

static void many_users_are_counted_on_a_small_stack(void) {
  struct rlimit files;
  pthread_attr_t small;
  pthread_t thread;
  int result = -1;
  pid_t child;

  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < LOCKS + 100) {
    printf("SKIPPED: many users on a small stack: RLIMIT_NOFILE is below %d\n", LOCKS + 100);
    return;
  }
  define("A", 1, "SR", 0x100000, 1, 'a');
  child = take_locks();
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  if (pthread_create(&thread, &small, ask, &result) != 0) abort();
  pthread_join(thread, NULL);
  CLAIM(result == XIP_SEGMENT_SR && out.shared_users == LOCKS,
        "12,000 users are counted in a thread with a stack of 64 KiB");
  kill(child, 9);
  waitpid(child, NULL, 0);
  empty_store();
}

int main(void) {
  make_store();
  a_link_is_not_followed();
  what_is_no_file_is_not_waited_for();
  a_file_of_a_stranger_is_not_believed();
  a_second_name_keeps_stores_out();
  a_wait_has_a_limit();
  an_unload_makes_nothing_elsewhere();
  many_users_are_counted_on_a_small_stack();
  remove_store();
  return claims_done();
}
