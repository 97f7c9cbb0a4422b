/* SPDX-License-Identifier: Apache-2.0 */
/* A guarded range of a file that is truncated, by one thread and by several; other faults. */
#include "check.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xip/guard.h"

#define FILE_PAGES 16UL

static int file;

/* A file of pages that each hold their number plus 1 in all bytes, mapped. */
static char *map(int flags, int prot) {
  char page[PAGE];
  char *at;

  if (ftruncate(file, 0) != 0) abort();
  for (unsigned i = 0; i < FILE_PAGES; i++) {
    memset(page, (int)i + 1, sizeof page);
    if (pwrite(file, page, sizeof page, (off_t)(i * PAGE)) != PAGE) abort();
  }
  at = mmap(NULL, FILE_PAGES * PAGE, prot, flags, file, 0);
  if (at == MAP_FAILED) abort();
  return at;
}

static void cut(unsigned long pages) {
  if (ftruncate(file, (off_t)(pages * PAGE)) != 0) abort();
}

/* The compiler must assume that the handler has changed memory. */
static void settle(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

static char load(const char *at) {
  char value = *(const volatile char *)at;

  settle();
  return value;
}

static void store(char *at, char value) {
  *(volatile char *)at = value;
  settle();
}

static void a_lost_page_is_zeros_and_noted(void) {
  uint64_t lost = 0, watched = 0;
  char *at = map(MAP_SHARED, PROT_READ);
  int id = xip_guard_add(at, FILE_PAGES * PAGE - 5, 0, &lost);

  xip_guard_watch(&watched);
  CLAIM(id >= 0, "a range is guarded");
  cut(4);
  CLAIM(load(at + 3 * PAGE) == 4 && lost == 0, "what is left of a cut file is read as it is");
  CLAIM(load(at + 6 * PAGE + 7) == 0, "a page that is gone reads as zeros");
  CLAIM(lost == (uintptr_t)at + 6 * PAGE, "and is noted as the first that is lost");
  CLAIM(watched == 1, "the watched word is told once");
  CLAIM(load(at + FILE_PAGES * PAGE - 1) == 0 && watched == 1, "one fault served all behind");
  CLAIM(load(at + 5 * PAGE) == 0 && lost == (uintptr_t)at + 5 * PAGE,
        "a lower page that is gone lowers the note");
  cut(FILE_PAGES);
  CLAIM(load(at + 5 * PAGE) == 0 && lost != 0, "a file that grows again changes nothing");
  CLAIM(load(at + 3 * PAGE) == 4, "nor what was not lost");
  CLAIM(xip_guard_remove(id) == 0 && lost == (uintptr_t)at + 5 * PAGE, "the note outlives the range");
  CLAIM(xip_guard_remove(id) == -EINVAL, "a range is removed once");
  xip_guard_watch(NULL);
  munmap(at, FILE_PAGES * PAGE);
}

static void a_lost_page_can_be_stored_into_if_the_range_can(void) {
  uint64_t lost = 0;
  char *at = map(MAP_SHARED, PROT_READ | PROT_WRITE);
  int id = xip_guard_add(at, FILE_PAGES * PAGE, 1, &lost);
  char byte = 9;

  cut(2);
  store(at + 2 * PAGE, 5);
  CLAIM(load(at + 2 * PAGE) == 5 && lost == (uintptr_t)at + 2 * PAGE,
        "a store to a page that is gone is kept in private memory and noted");
  CLAIM(pread(file, &byte, 1, 2 * PAGE) == 0, "and reaches no file");
  xip_guard_remove(id);
  munmap(at, FILE_PAGES * PAGE);
}

static void arguments_are_checked(void) {
  uint64_t lost = 0;

  CLAIM(xip_guard_add((void *)0x1001, 1, 0, &lost) == -EINVAL, "a start between pages is refused");
  CLAIM(xip_guard_add((void *)0x1000, 0, 0, &lost) == -EINVAL, "so is an empty range");
  CLAIM(xip_guard_add(NULL, 1, 0, &lost) == -EINVAL, "and one at no address");
  CLAIM(xip_guard_add((void *)0x1000, 1, 0, NULL) == -EINVAL, "and one with no place for the note");
  CLAIM(xip_guard_add((void *)0x1000, UINT64_MAX, 0, &lost) == -EINVAL, "and one without an end");
  CLAIM(xip_guard_add((void *)-PAGE, 2 * PAGE, 0, &lost) == -EINVAL, "and one past the last page");
  CLAIM(xip_guard_remove(-1) == -EINVAL && xip_guard_remove(1 << 30) == -EINVAL,
        "no range has such a number");
}

static void a_thousand_ranges_are_guarded_at_once(void) {
  enum { RANGES = 1500 };
  static uint64_t lost[RANGES];
  static char *at[RANGES];
  static int id[RANGES];
  int right = 0;

  for (int i = 0; i < RANGES; i++) {
    at[i] = i == 0 ? map(MAP_SHARED, PROT_READ) : mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    id[i] = xip_guard_add(at[i], PAGE, 0, &lost[i]);
  }
  cut(0);
  for (int i = 1; i < RANGES; i += 2) right += id[i] >= 0 && load(at[i]) == 0 && lost[i] != 0;
  CLAIM(right == RANGES / 2, "each range that is touched is mended and noted");
  for (int i = right = 0; i < RANGES; i += 2) right += lost[i] == 0;
  CLAIM(right == RANGES / 2, "and none that is not");
  for (int i = 0; i < RANGES; i++) {
    xip_guard_remove(id[i]);
    munmap(at[i], i == 0 ? FILE_PAGES * PAGE : PAGE);
  }
}

/* Threads that read all of a range, from a barrier on. */
struct reader {
  const char *at;
  const uint64_t *lost;
  pthread_barrier_t *start;
  int untrue; /* zeros that were not recorded when they were read */
};

static void *read_all(void *of) {
  struct reader *reader = of;

  pthread_barrier_wait(reader->start);
  for (unsigned long page = 0; page < FILE_PAGES; page++) {
    const char *at = reader->at + page * PAGE;
    char value = load(at);
    uint64_t lost = __atomic_load_n(reader->lost, __ATOMIC_ACQUIRE);

    if (value != (char)(page + 1) && (lost == 0 || lost > (uintptr_t)at)) reader->untrue++;
  }
  return NULL;
}

static void threads_that_fault_at_once_are_all_told(void) {
  int untrue = 0, noted = 0, rounds = 500;

  for (int round = 0; round < rounds; round++) {
    pthread_barrier_t start;
    pthread_t threads[3];
    struct reader readers[3];
    uint64_t lost = 0;
    char *at = map(MAP_SHARED, PROT_READ);
    int id = xip_guard_add(at, FILE_PAGES * PAGE, 0, &lost);

    pthread_barrier_init(&start, NULL, 3);
    cut(3);
    for (int i = 0; i < 3; i++) {
      readers[i] = (struct reader){at, &lost, &start, 0};
      if (pthread_create(&threads[i], NULL, read_all, &readers[i]) != 0) abort();
    }
    for (int i = 0; i < 3; i++) {
      pthread_join(threads[i], NULL);
      untrue += readers[i].untrue;
    }
    noted += lost == (uintptr_t)at + 3 * PAGE;
    xip_guard_remove(id);
    munmap(at, FILE_PAGES * PAGE);
    pthread_barrier_destroy(&start);
  }
  CLAIM(untrue == 0, "no thread reads a zero that is not noted yet");
  CLAIM(noted == rounds, "the first page that is gone is noted");
}

static int over;

/* Faults in its own range as often as it can. */
static void *fault_on(void *of) {
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
    uint64_t lost = 0;
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, *(int *)of, 0);
    int id = xip_guard_add(at, PAGE, 0, &lost);

    if (load(at) != 0 || lost == 0) abort();
    xip_guard_remove(id);
    munmap(at, PAGE);
  }
  return NULL;
}

static void ranges_come_and_go_while_others_fault(void) {
  pthread_t threads[2];
  int right = 0, rounds = 2000;

  cut(0);
  for (int i = 0; i < 2; i++) {
    if (pthread_create(&threads[i], NULL, fault_on, &file) != 0) abort();
  }
  for (int i = 0; i < rounds; i++) {
    uint64_t lost = 0;
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
    int id = xip_guard_add(at, PAGE, 0, &lost);

    if (i % 2) load(at);
    right += xip_guard_remove(id) == 0 && (lost != 0) == i % 2;
    munmap(at, PAGE);
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  CLAIM(right == rounds, "each range is noted for its own fault alone");
}

static sigjmp_buf away;
static volatile int caught;
static void *volatile caught_at;
static sigset_t caught_mask;

static void catch(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  caught++;
  caught_at = info->si_addr;
  pthread_sigmask(SIG_SETMASK, NULL, &caught_mask);
  if (info->si_code > 0) siglongjmp(away, 1);
}

static void what_is_not_guarded_goes_to_the_handler_before(void) {
  char *at = map(MAP_SHARED, PROT_READ);

  cut(0);
  if (sigsetjmp(away, 1) == 0) load(at + PAGE);
  CLAIM(caught == 1 && caught_at == at + PAGE, "a fault outside all ranges reaches it");
  CLAIM(sigismember(&caught_mask, SIGUSR1) == 1 && sigismember(&caught_mask, SIGUSR2) == 0,
        "under the mask that it was installed with");
  raise(SIGBUS);
  CLAIM(caught == 2, "so does a signal that is sent");
  if (sigsetjmp(away, 1) == 0) load(at + PAGE);
  CLAIM(caught == 3, "and the next fault");
  munmap(at, FILE_PAGES * PAGE);
}

/* Runs a function in a child whose guard replaced the default action. Returns how it ended. */
static int end_of(void (*run)(void)) {
  int status;
  pid_t child = fork();

  if (child == 0) {
    signal(SIGBUS, SIG_DFL);
    if (xip_guard_install() != 0) _exit(1);
    run();
    _exit(0);
  }
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void fault(void) {
  char *at = map(MAP_SHARED, PROT_READ);

  cut(0);
  load(at);
}

static void send(void) { raise(SIGBUS); }

static void mend(void) {
  uint64_t lost = 0;
  char *at = map(MAP_SHARED, PROT_READ);

  xip_guard_add(at, FILE_PAGES * PAGE, 0, &lost);
  cut(0);
  load(at);
  if (lost == 0) raise(SIGBUS);
}

static void the_default_action_stays_what_it_was(void) {
  CLAIM(end_of(fault) == SIGBUS, "without a handler a fault outside all ranges ends the process");
  CLAIM(end_of(send) == SIGBUS, "so does a signal that is sent");
  CLAIM(end_of(mend) == 0, "and a guarded range does not");
}

static void a_child_has_the_guard_of_its_parent(void) {
  uint64_t lost = 0;
  char *at = map(MAP_SHARED, PROT_READ);
  int id = xip_guard_add(at, FILE_PAGES * PAGE, 0, &lost), status;
  pid_t child = fork();

  if (child == 0) {
    cut(0);
    _exit(load(at) == 0 && lost != 0 && xip_guard_remove(id) == 0 ? 0 : 1);
  }
  waitpid(child, &status, 0);
  CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a fork is guarded as its parent is");
  CLAIM(lost == 0, "for itself");
  xip_guard_remove(id);
  munmap(at, FILE_PAGES * PAGE);
}

int main(void) {
  struct sigaction before = {.sa_flags = SA_SIGINFO};

  file = memfd_create("guard-test", MFD_CLOEXEC);
  if (file < 0) abort();
  the_default_action_stays_what_it_was();
  before.sa_sigaction = catch;
  sigemptyset(&before.sa_mask);
  sigaddset(&before.sa_mask, SIGUSR1);
  sigaction(SIGBUS, &before, NULL);
  CLAIM(xip_guard_install() == 0 && xip_guard_install() == 0, "the guard is installed once");
  a_lost_page_is_zeros_and_noted();
  a_lost_page_can_be_stored_into_if_the_range_can();
  arguments_are_checked();
  a_thousand_ranges_are_guarded_at_once();
  threads_that_fault_at_once_are_all_told();
  ranges_come_and_go_while_others_fault();
  what_is_not_guarded_goes_to_the_handler_before();
  a_child_has_the_guard_of_its_parent();
  return claims_done();
}
