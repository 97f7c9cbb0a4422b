/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE, siginfo_t, ucontext_t */

#include "xip/guard.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "export.h"
#include "tables.h"

/*
 * A signal handler looks ranges up, and may take no lock. So a range is in a slot that never moves,
 * is complete before its start is published, and its slot is reused only after every handler that
 * may have seen it has returned.
 */
struct range {
  uintptr_t start; /* 0: no range here */
  uintptr_t end;
  int protection;
  uint64_t *lost;
};

#define CHUNK 512
#define CHUNKS 256

static struct range *chunks[CHUNKS];

/* The number of handlers that are looking at ranges now. */
static int inside;

/* The word that each fault increments; see xip_guard_watch. */
static uint64_t *watched;

/* Guards changes of the ranges and of the handler; no handler takes it. */
static pthread_mutex_t changes = PTHREAD_MUTEX_INITIALIZER;

static int installed;
static struct sigaction previous;

static void note(struct range *range, uintptr_t page) {
  uint64_t before = __atomic_load_n(range->lost, __ATOMIC_ACQUIRE);
  uint64_t *word = __atomic_load_n(&watched, __ATOMIC_ACQUIRE);

  while ((before == 0 || before > page) &&
         !__atomic_compare_exchange_n(range->lost, &before, page, 0, __ATOMIC_SEQ_CST,
                                      __ATOMIC_ACQUIRE)) {
  }
  if (word != NULL) __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
}

/* Records the loss first, then maps zeros. */
static int mend(uintptr_t at) {
  uintptr_t page = at & ~(uintptr_t)(XIP_PAGE_BYTES - 1);

  for (unsigned i = 0; i < CHUNKS; i++) {
    struct range *chunk = __atomic_load_n(&chunks[i], __ATOMIC_ACQUIRE);

    for (unsigned j = 0; chunk != NULL && j < CHUNK; j++) {
      uintptr_t start = __atomic_load_n(&chunk[j].start, __ATOMIC_SEQ_CST);

      if (start == 0 || at < start || at >= chunk[j].end) continue;
      note(&chunk[j], page);
      return mmap((void *)page, chunk[j].end - page, chunk[j].protection,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
    }
  }
  return 0;
}

/* Restores the default action: the fault comes again, or a sent signal is raised again. */
static void default_action(const siginfo_t *info) {
  struct sigaction action = {.sa_handler = SIG_DFL};

  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
  if (info->si_code <= 0) raise(SIGBUS);
}

static void call_previous(int number, siginfo_t *info, void *context) {
  sigset_t mask = previous.sa_mask, now;
  int takes_info = (previous.sa_flags & SA_SIGINFO) != 0;

  if (!takes_info && previous.sa_handler == SIG_IGN && info->si_code <= 0) return;
  if (!takes_info && (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)) {
    default_action(info);
    return;
  }
  if (!(previous.sa_flags & SA_NODEFER)) sigaddset(&mask, number);
  sigorset(&mask, &mask, &((ucontext_t *)context)->uc_sigmask);
  pthread_sigmask(SIG_SETMASK, &mask, &now);
  if (takes_info) {
    previous.sa_sigaction(number, info, context);
  } else {
    previous.sa_handler(number);
  }
  pthread_sigmask(SIG_SETMASK, &now, NULL);
}

static void on_sigbus(int number, siginfo_t *info, void *context) {
  int error = errno;
  int mended;

  __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
  mended = info->si_code == BUS_ADRERR && mend((uintptr_t)info->si_addr);
  __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
  if (!mended) call_previous(number, info, context);
  errno = error;
}

static void lock(void) { pthread_mutex_lock(&changes); }

static void unlock(void) { pthread_mutex_unlock(&changes); }

/* The child of a fork has one thread; no handler of the parent's other threads runs in it. */
static void unlock_in_child(void) {
  __atomic_store_n(&inside, 0, __ATOMIC_SEQ_CST);
  unlock();
}

static int install(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

  action.sa_sigaction = on_sigbus;
  sigfillset(&action.sa_mask);
  if (installed) return 0;
  /* Queried first: the handler may run before one call that does both has returned. */
  if (sigaction(SIGBUS, NULL, &previous) != 0) return -errno;
  if (sigaction(SIGBUS, &action, NULL) != 0) return -errno;
  pthread_atfork(lock, unlock, unlock_in_child);
  installed = 1;
  return 0;
}

XIP_EXPORT int xip_guard_install(void) {
  int error;

  lock();
  error = install();
  unlock();
  return error;
}

/* The first slot without a range, or -1; allocates a chunk if all are full. */
static int free_slot(void) {
  for (int i = 0; i < CHUNKS; i++) {
    if (chunks[i] == NULL) {
      struct range *chunk = calloc(CHUNK, sizeof *chunk);

      if (chunk == NULL) return -1;
      __atomic_store_n(&chunks[i], chunk, __ATOMIC_RELEASE);
    }
    for (int j = 0; j < CHUNK; j++) {
      if (chunks[i][j].start == 0) return i * CHUNK + j;
    }
  }
  return -1;
}

XIP_EXPORT int xip_guard_add(const void *start, uint64_t bytes, int writable, uint64_t *lost) {
  uintptr_t from = (uintptr_t)start;
  uintptr_t end = (from + bytes + XIP_PAGE_BYTES - 1) & ~(uintptr_t)(XIP_PAGE_BYTES - 1);
  int id;

  if (from == 0 || from % XIP_PAGE_BYTES != 0 || bytes == 0 || lost == NULL) return -EINVAL;
  if (bytes > UINTPTR_MAX - XIP_PAGE_BYTES || end <= from) return -EINVAL;
  lock();
  id = free_slot();
  if (id >= 0) {
    struct range *range = &chunks[id / CHUNK][id % CHUNK];

    range->end = end;
    range->protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    range->lost = lost;
    __atomic_store_n(&range->start, from, __ATOMIC_SEQ_CST);
  }
  unlock();
  return id >= 0 ? id : -ENOMEM;
}

XIP_EXPORT int xip_guard_remove(int id) {
  struct range *range = NULL;

  lock();
  if (id >= 0 && id < CHUNK * CHUNKS && chunks[id / CHUNK] != NULL) {
    range = &chunks[id / CHUNK][id % CHUNK];
    if (range->start == 0) range = NULL;
  }
  if (range != NULL) {
    __atomic_store_n(&range->start, 0, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) != 0) sched_yield();
  }
  unlock();
  return range != NULL ? 0 : -EINVAL;
}

XIP_EXPORT void xip_guard_watch(uint64_t *word) {
  lock();
  __atomic_store_n(&watched, word, __ATOMIC_SEQ_CST);
  /* A handler may still be adding to the word before. */
  while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) != 0) sched_yield();
  unlock();
}
