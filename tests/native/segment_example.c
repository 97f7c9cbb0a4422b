/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that uses segments, by hand or by script: it takes commands from its standard input, a
 * line each, and answers each with one line. Numbers are decimal or, with 0x, hexadecimal. When its
 * input ends it unloads what it loaded.
 *
 *   segment_example STORE
 *     load NAME shared|exclusive    loads a segment and says what and where
 *     query NAME                    says what the store has, and where it is loaded
 *     sum NAME                      reads every byte and says their checksum
 *     peek NAME OFFSET              says the byte at that offset
 *     poke NAME OFFSET BYTE         stores a byte
 *     unload NAME                   drops a reference
 *     wait MILLISECONDS             sets how long a command waits for other processes at most
 *
 * A command that succeeds is answered by "ok" and its result, one that fails by "failed" and the
 * reason.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xip/segment.h"

enum { LOADED = 64, WORDS = 4 };

static const char *const types[] = {"SW", "EW", "SR", "ER", "SN", "EN", "SC", "EWEN"};

/* A place in the list of loaded segments: a segment with references, or empty. */
static struct xip_segment loaded[LOADED];

static struct xip_segment *place_of(const char *name) {
  for (unsigned i = 0; i < LOADED; i++) {
    if (loaded[i].references != 0 && strcasecmp(loaded[i].name, name) == 0) return &loaded[i];
  }
  return NULL;
}

static struct xip_segment *empty_place(void) {
  for (unsigned i = 0; i < LOADED; i++) {
    if (loaded[i].references == 0) return &loaded[i];
  }
  return NULL;
}

/* Prints the reason of a failed call of libxip. */
static void failed(int error) {
  printf("failed %s: %s\n", strerrorname_np(-error), xip_segment_message());
}

static void describe(int type, const struct xip_segment *segment) {
  printf("ok type=%s pa=0x%" PRIx64 "-0x%" PRIx64 " bytes=%" PRIu64 " version=%" PRIu64
         " parts=%u shared=%u exclusive=%u",
         types[type], segment->pa, segment->pa_end, segment->bytes, segment->version,
         segment->parts, segment->shared_users, segment->exclusive_users);
  if (segment->references != 0) {
    printf(" addr=0x%" PRIxPTR "-0x%" PRIxPTR " loaded=%" PRIu64 " mode=%s references=%u",
           (uintptr_t)segment->addr, (uintptr_t)segment->end, segment->loaded_version,
           segment->mode == XIP_SEGMENT_SHARED ? "shared" : "exclusive", segment->references);
  }
  printf("\n");
}

static void load(const char *store, const char *name, const char *mode) {
  struct xip_segment *held = place_of(name);
  struct xip_segment segment;
  int type = xip_segment_load(
      store, name, strcmp(mode, "exclusive") == 0 ? XIP_SEGMENT_EXCLUSIVE : XIP_SEGMENT_SHARED,
      &segment);

  if (type < 0) {
    failed(type);
    return;
  }
  if (held == NULL) held = empty_place();
  if (held == NULL) {
    xip_segment_unload(segment.addr);
    printf("failed: no more than %d segments\n", LOADED);
    return;
  }
  *held = segment;
  describe(type, held);
}

static void query(const char *store, const char *name) {
  struct xip_segment segment;
  int type = xip_segment_query(store, name, &segment);

  if (type < 0) {
    failed(type);
  } else {
    describe(type, &segment);
  }
}

static int unload(struct xip_segment *held) {
  int error = xip_segment_unload(held->addr);

  if (error == 0) held->references--;
  return error;
}

/* Each word is mixed in whole: fast enough to touch all of a large segment. */
static uint64_t checksum(const struct xip_segment *held) {
  const uint64_t *words = held->addr;
  uint64_t sum = 0;

  for (uint64_t i = 0; i < held->bytes / sizeof *words; i++) {
    sum = (sum ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
  }
  return sum;
}

/* The commands about the bytes of a segment that is loaded. */
static void use(const char *verb, struct xip_segment *held, const char *where, const char *what) {
  volatile unsigned char *bytes = held->addr;
  uint64_t offset = strtoull(where, NULL, 0);

  if (offset >= held->bytes) {
    printf("failed: offset %s is not in %s\n", where, held->name);
  } else if (strcmp(verb, "sum") == 0) {
    printf("ok %016" PRIx64 "\n", checksum(held));
  } else if (strcmp(verb, "peek") == 0) {
    printf("ok %u\n", bytes[offset]);
  } else if (strcmp(verb, "poke") == 0) {
    bytes[offset] = (unsigned char)strtoul(what, NULL, 0);
    printf("ok\n");
  } else {
    printf("failed: unknown command %s\n", verb);
  }
}

static void say(const char *line) { fprintf(stderr, "%s\n", line); }

static void obey(const char *store, char *word[WORDS]) {
  struct xip_segment *held = place_of(word[1]);
  int error;

  if (strcmp(word[0], "wait") == 0) {
    xip_segment_wait((unsigned)strtoul(word[1], NULL, 0), say);
    printf("ok\n");
  } else if (strcmp(word[0], "load") == 0) {
    load(store, word[1], word[2]);
  } else if (strcmp(word[0], "query") == 0) {
    query(store, word[1]);
  } else if (held == NULL) {
    printf("failed: %s is not loaded\n", word[1]);
  } else if (strcmp(word[0], "unload") == 0) {
    error = unload(held);
    error == 0 ? (void)printf("ok\n") : failed(error);
  } else {
    use(word[0], held, word[2], word[3]);
  }
}

int main(int argc, char **argv) {
  char *line = NULL;
  size_t room = 0;

  if (argc != 2) {
    fprintf(stderr, "usage: segment_example STORE <COMMANDS\n");
    return 2;
  }
  while (getline(&line, &room, stdin) > 0) {
    char *word[WORDS];
    char *rest = line;
    for (int i = 0; i < WORDS; i++) {
      word[i] = strsep(&rest, " \n");
      if (word[i] == NULL) word[i] = line + strlen(line); /* an empty word */
    }
    obey(argv[1], word);
    fflush(stdout);
  }
  free(line);
  for (unsigned i = 0; i < LOADED; i++) {
    while (loaded[i].references != 0 && unload(&loaded[i]) == 0) {
    }
  }
  return 0;
}
