/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of segments: a store in a folder of its own, written by hand. */
#ifndef XIP_SEGMENT_STORE_H
#define XIP_SEGMENT_STORE_H

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xip/segment.h"

enum { PATH_ROOM = PATH_MAX + 264 };

static char store[PATH_MAX];

/* The processor's own CRC-32C. */
__attribute__((target("sse4.2"))) static inline uint32_t hardware_crc32c(const char *text) {
  uint32_t sum = ~0u;

  while (*text != 0) sum = __builtin_ia32_crc32qi(sum, (unsigned char)*text++);
  return ~sum;
}

static inline void path_of(char path[PATH_ROOM], const char *file) {
  snprintf(path, PATH_ROOM, "%s/%s", store, file);
}

static inline void write_file(const char *file, const char *bytes, size_t length) {
  char path[PATH_ROOM];
  int fd;

  path_of(path, file);
  fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0 || write(fd, bytes, length) != (ssize_t)length || close(fd) != 0) abort();
}

static inline int exists(const char *file) {
  char path[PATH_ROOM];

  path_of(path, file);
  return access(path, F_OK) == 0;
}

static inline void delete_file(const char *file) {
  char path[PATH_ROOM];

  path_of(path, file);
  unlink(path);
}

/* A data file whose pages are filled with letters from a on. */
static inline void write_data(const char *file, char letter, unsigned pages) {
  char *bytes = malloc(pages * PAGE);

  if (bytes == NULL) abort();
  for (unsigned i = 0; i < pages; i++) memset(bytes + i * PAGE, letter + (char)i, PAGE);
  write_file(file, bytes, pages * PAGE);
  free(bytes);
}

/* A definition of the given lines, with its sum. */
static inline void write_definition(const char *name, const char *lines) {
  char text[2048], file[32];

  snprintf(text, sizeof text, "xip segment 1\n%s", lines);
  snprintf(text + strlen(text), sizeof text - strlen(text), "crc32c %08x\n",
           hardware_crc32c(text));
  snprintf(file, sizeof file, "%s.def", name);
  write_file(file, text, strlen(text));
}

/* A segment of one part, with a data file full of letters. */
static inline void define(const char *name, int version, const char *type, uint64_t first_page,
                          unsigned pages, char letter) {
  char lines[512], data[64];

  snprintf(data, sizeof data, "%s.%d.data", name, version);
  write_data(data, letter, pages);
  snprintf(lines, sizeof lines,
           "name %s\nversion %d\npart %" PRIx64 "-%" PRIx64 " %s\ndata %s %lu\n", name, version,
           first_page, first_page + pages - 1, type, data, pages * PAGE);
  write_definition(name, lines);
}

static inline unsigned files_in(const char *folder) {
  DIR *open = opendir(folder);
  unsigned count = 0;

  if (open == NULL) abort();
  while (readdir(open) != NULL) count++;
  closedir(open);
  return count;
}

/* The resources of this process: descriptors, and mappings of files of the store. */
static inline unsigned held(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  unsigned count = files_in("/proc/self/fd");
  char line[PATH_ROOM];

  if (maps == NULL) abort();
  while (fgets(line, sizeof line, maps) != NULL) count += strstr(line, store) != NULL;
  fclose(maps);
  return count;
}

/* The rights and sharing of the mapping that begins at addr, as the system tells them. */
static inline const char *rights_at(const void *addr) {
  static char rights[8];
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[PATH_ROOM], start[32];

  if (maps == NULL) abort();
  snprintf(start, sizeof start, "%" PRIxPTR "-", (uintptr_t)addr);
  strcpy(rights, "none");
  while (fgets(line, sizeof line, maps) != NULL) {
    if (strncmp(line, start, strlen(start)) == 0) sscanf(line, "%*s %7s", rights);
  }
  fclose(maps);
  return rights;
}

static inline void empty_store(void) {
  DIR *open = opendir(store);
  struct dirent *entry;

  if (open == NULL) abort();
  while ((entry = readdir(open)) != NULL) delete_file(entry->d_name);
  closedir(open);
}

static inline void make_store(void) {
  const char *folder = getenv("TMPDIR");

  /* As /proc/self/maps shows it. */
  if (realpath(folder != NULL ? folder : "/tmp", store) == NULL) abort();
  if (strlen(store) >= sizeof store - 32) abort();
  strcat(store, "/xip-store-XXXXXX");
  if (mkdtemp(store) == NULL) abort();
}

static inline void remove_store(void) {
  empty_store();
  rmdir(store);
}

#endif
