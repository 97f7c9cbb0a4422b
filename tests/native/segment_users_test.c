/* SPDX-License-Identifier: Apache-2.0 */
#include "segment_store.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CHILDREN = 24, THREADS = 8, ROUNDS = 200 };

static struct xip_segment out;

/* Waits for a child that must succeed. */
static int done(pid_t child) {
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Reads one byte per child: each says so when it has loaded. */
static int all_say(int from) {
  char byte;
  int heard = 0;

  while (heard < CHILDREN && read(from, &byte, 1) == 1) heard += byte == 'y';
  return heard == CHILDREN;
}

/* A child that loads, says so, and stays until it is killed. */
static pid_t user(int mode, int says) {
  pid_t child = fork();

  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (write(says, xip_segment_load(store, "U", mode, &out) >= 0 ? "y" : "n", 1) != 1) _exit(1);
  for (;;) pause();
}

static void users_are_counted(void) {
  pid_t child[CHILDREN];
  int said[2], fine = 1;

  define("U", 1, "SR", 0x100000, 4, 'a');
  if (pipe(said) != 0) abort();
  for (int i = 0; i < CHILDREN; i++) {
    child[i] = user(i % 3 == 0 ? XIP_SEGMENT_EXCLUSIVE : XIP_SEGMENT_SHARED, said[1]);
  }
  CLAIM(all_say(said[0]), "no mode keeps another out");
  CLAIM(xip_segment_query(store, "U", &out) >= 0 && out.shared_users == CHILDREN / 3 * 2 &&
            out.exclusive_users == CHILDREN / 3,
        "the users of all processes are counted by mode");
  CLAIM(xip_segment_load(store, "U", XIP_SEGMENT_EXCLUSIVE, &out) >= 0 &&
            out.exclusive_users == CHILDREN / 3 + 1,
        "and the calling process is one of them");
  for (int i = 0; i < CHILDREN; i++) {
    kill(child[i], SIGKILL);
    waitpid(child[i], NULL, 0);
    fine = fine && xip_segment_query(store, "U", &out) >= 0 &&
           out.shared_users + out.exclusive_users == (unsigned)(CHILDREN - i);
  }
  CLAIM(fine, "a killed process is no user any more");
  xip_segment_unload(out.addr);
  close(said[0]);
  close(said[1]);
}

/* Several processes load an unused SN segment at once: none may see its old bytes. */
static void of_many_first_users_none_finds_old_bytes(void) {
  pid_t child[CHILDREN];
  int fine = 1;

  for (int round = 0; round < 20; round++) {
    define("N", 1, "SN", 0x100000, 4, 'a');
    for (int i = 0; i < CHILDREN; i++) {
      child[i] = fork();
      if (child[i] == 0) {
        int right = xip_segment_load(store, "N", XIP_SEGMENT_SHARED, &out) >= 0 &&
                    *((volatile char *)out.addr + 3 * PAGE) == 0;
        _exit(right ? 0 : 1);
      }
    }
    for (int i = 0; i < CHILDREN; i++) fine = done(child[i]) && fine;
  }
  CLAIM(fine, "of many first users none finds what was there before");
}

static void *come_and_go(void *wrong) {
  static const char *const names[] = {"ONE", "TWO", "THREE"};
  struct xip_segment mine;

  for (int i = 0; i < ROUNDS; i++) {
    const char *name = names[i % 3];
    int right = xip_segment_load(store, name, XIP_SEGMENT_SHARED, &mine) == XIP_SEGMENT_SR &&
                *(volatile char *)mine.addr == name[1] && mine.references >= 1;
    right = right && xip_segment_load(store, name, XIP_SEGMENT_EXCLUSIVE, &mine) == -EPERM &&
            strstr(xip_segment_message(), name) != NULL;
    right = right && xip_segment_query(store, name, &mine) == XIP_SEGMENT_SR;
    if (!right || xip_segment_unload(mine.addr) != 0) ++*(int *)wrong;
  }
  return NULL;
}

static void threads_share_the_list(void) {
  pthread_t thread[THREADS];
  int wrong[THREADS] = {0}, all = 0, fine = 1;
  unsigned before = held();
  pid_t child;

  define("ONE", 1, "SR", 0x100000, 1, 'N');
  define("TWO", 1, "SR", 0x200000, 1, 'W');
  define("THREE", 1, "SR", 0x300000, 1, 'H');
  for (int i = 0; i < THREADS; i++) {
    if (pthread_create(&thread[i], NULL, come_and_go, &wrong[i]) != 0) abort();
  }
  for (int i = 0; i < 20; i++) {
    child = fork();
    if (child == 0) {
      int right = xip_segment_query(store, "ONE", &out) == XIP_SEGMENT_SR;
      _exit(right && (out.references == 0 || *(volatile char *)out.addr == 'N') ? 0 : 1);
    }
    fine = done(child) && fine;
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(thread[i], NULL);
    all += wrong[i];
  }
  CLAIM(all == 0, "threads load and unload beside each other, each with its own message");
  CLAIM(fine, "a child of fork can use the list whatever other threads were doing");
  CLAIM(held() == before, "in the end nothing is loaded");
}

int main(void) {
  make_store();
  users_are_counted();
  of_many_first_users_none_finds_old_bytes();
  threads_share_the_list();
  remove_store();
  return claims_done();
}
