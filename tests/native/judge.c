/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host kernel as reference: performs scripted histories of mapping calls and accesses with real
 * system calls on two real files, and prints the result of each step.
 *
 *   judge FILE     reads steps from standard input, answers each with one line
 *
 * The second file, CACHED, has no name and lies in the page cache alone: a fault on a disk's file
 * reads neighbours ahead, holes too, which mincore would show.
 *
 * "reset PAGES" makes both that many pages long, each filled by a pattern, and starts process 0 with
 * an empty arena of page slots at a fixed address. Every other step begins with the number of the
 * process that performs it; "fork Q" makes process Q. Numbers are decimal; places and lengths are
 * in pages, but for the offsets of bytes. A call that fails is answered by the name of its errno,
 * an access that a signal stops by SEGV or BUS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, SLOTS = 48, PROCESSES = 6, LINE_SIZE = 4096, SPARE = 8, FILES = 2 };

/* Far from everything that the kernel places itself. */
#define ARENA 0x100000000000UL

static const char *names[FILES] = {"FILE", "CACHED"}; /* of FILE, its path */
static int writable[FILES], readable[FILES]; /* each opened for both and for reading only */
static int ours[PROCESSES], theirs[PROCESSES];
static char alive[PROCESSES];

static char *at(long slot) { return (char *)ARENA + slot * PAGE; }

static const char *outcome(int failed) { return failed ? strerrorname_np(errno) : "ok"; }

/* --- accesses that may be stopped by a signal --- */

static sigjmp_buf stopped;

static void on_signal(int number) { siglongjmp(stopped, number); }

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

static const char *signal_name(int number) { return number == SIGSEGV ? "SEGV" : "BUS"; }

/* Reads a byte; the answer is two hex digits or a signal. */
static void load(volatile char *from, char *answer) {
  int number = sigsetjmp(stopped, 1);
  if (number) {
    strcpy(answer, signal_name(number));
  } else {
    sprintf(answer, "%02x", (unsigned char)*from);
  }
}

static const char *store(volatile char *to, int value) {
  int number = sigsetjmp(stopped, 1);
  if (number) {
    return signal_name(number);
  }
  *to = (char)value;
  return "ok";
}

/* --- what lies in the arena --- */

/* Writes rights, sharing and page of the file (or "a") of every slot; "c" stands before CACHED's. */
static void list_maps(char *answer) {
  char slots[SLOTS + SPARE][24], line[LINE_SIZE];
  struct stat file;
  fstat(writable[0], &file);
  for (int i = 0; i < SLOTS + SPARE; i++) {
    strcpy(slots[i], "-");
  }
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end, offset, inode;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &start, &end, rights, &offset, &inode) != 5) {
      continue;
    }
    /* The inode's number alone is no name: the two lie in different file systems. */
    int in_cache = strstr(line, "/memfd:CACHED") != NULL;
    for (unsigned long va = start < ARENA ? ARENA : start; va < end; va += PAGE) {
      unsigned long slot = (va - ARENA) / PAGE;
      if (slot >= SLOTS + SPARE) {
        break;
      }
      if (in_cache || inode == file.st_ino) {
        const char *which = in_cache ? "c" : "";
        sprintf(slots[slot], "%s:%s%lu", rights, which, (offset + va - start) / PAGE);
      } else {
        sprintf(slots[slot], "%s:a", rights);
      }
    }
  }
  fclose(maps);
  *answer = 0;
  for (int i = 0; i < SLOTS + SPARE; i++) {
    sprintf(answer + strlen(answer), "%s%s", i ? " " : "", slots[i]);
  }
}

/* Whether one mapping holds a whole range. */
static int is_one_mapping(unsigned long from, unsigned long to) {
  char line[LINE_SIZE];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end;
    found |= sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= from && to <= end;
  }
  fclose(maps);
  return found;
}

/* --- steps --- */

/* map SLOT PAGES PROT KIND OFFSET FLAGS; KIND: s p of FILE, r q of FILE opened for reading, S P R Q
   of CACHED, a A of no file; the first of each pair is shared but for a. */
static void step_map(const char *step, char *answer) {
  long slot, pages, offset;
  int prot, flags;
  char kind;
  sscanf(step, "%*s %ld %ld %d %c %ld %d", &slot, &pages, &prot, &kind, &offset, &flags);
  int sharing = strchr("srSRA", kind) ? MAP_SHARED : MAP_PRIVATE;
  int anonymous = strchr("aA", kind) ? MAP_ANONYMOUS : 0;
  int file = strchr("SPRQ", kind) ? 1 : 0;
  int fd = anonymous ? -1 : strchr("spSP", kind) ? writable[file] : readable[file];
  char *place = mmap(at(slot), pages * PAGE, prot, flags | sharing | anonymous, fd, offset * PAGE);
  if (place == MAP_FAILED) {
    strcpy(answer, outcome(1));
  } else if (place != at(slot)) {
    munmap(place, pages * PAGE);
    strcpy(answer, "elsewhere");
  } else {
    strcpy(answer, "ok");
  }
}

/* remap SLOT PAGES NEWPAGES FLAGS TARGET; what the kernel moves out of the arena is brought back to
   the target, so that its bytes can be looked at. "many": not one mapping, so nothing was done. */
static void step_remap(const char *step, char *answer) {
  long slot, pages, to_pages, target;
  int flags;
  sscanf(step, "%*s %ld %ld %ld %d %ld", &slot, &pages, &to_pages, &flags, &target);
  if (!is_one_mapping((unsigned long)at(slot), (unsigned long)at(slot + (pages ? pages : 1)))) {
    strcpy(answer, "many");
    return;
  }
  char *place = mremap(at(slot), pages * PAGE, to_pages * PAGE, flags, at(target));
  if (place == MAP_FAILED) {
    strcpy(answer, outcome(1));
  } else if (place >= at(0) && place < at(SLOTS)) {
    sprintf(answer, "at %ld", (long)(place - at(0)) / PAGE);
  } else {
    place = mremap(place, to_pages * PAGE, to_pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(target));
    sprintf(answer, "moved, %s", outcome(place == MAP_FAILED));
  }
}

static void step_incore(const char *step, char *answer) {
  long slot, pages;
  unsigned char resident[SLOTS + SPARE];
  sscanf(step, "%*s %ld %ld", &slot, &pages);
  if (mincore(at(slot), pages * PAGE, resident)) {
    strcpy(answer, outcome(1));
    return;
  }
  for (long i = 0; i < pages; i++) {
    answer[i] = '0' + (resident[i] & 1);
  }
  answer[pages] = 0;
}

/* Reads one byte of every slot. */
static void step_sum(char *answer) {
  for (int i = 0; i < SLOTS + SPARE; i++) {
    load(at(i) + 1, answer);
    strcat(answer, " ");
    answer += strlen(answer);
  }
  answer[-1] = 0;
}

/* Before the file grows past its end. Cutting it to the size that it has makes every file system do
   what only some do when it grows: zero what was stored behind the end. */
static void grow_past_end(int number, long offset) {
  struct stat file;
  int fd = writable[number];
  if (!fstat(fd, &file) && offset > file.st_size && ftruncate(fd, file.st_size)) {
    perror(names[number]);
  }
}

/* file truncate BYTES, file write OFFSET VALUE, file read OFFSET, file punch OFFSET PAGES; cached
   does the same with CACHED. */
static void step_file(int number, const char *step, char *answer) {
  int fd = writable[number];
  char what[16] = "";
  long offset = 0;
  int value = 0;
  sscanf(step, "%*s %15s %ld %d", what, &offset, &value);
  char byte = (char)value;
  if (!strcmp(what, "truncate") || !strcmp(what, "write")) {
    grow_past_end(number, offset);
  }
  if (!strcmp(what, "truncate")) {
    strcpy(answer, outcome(ftruncate(fd, offset)));
  } else if (!strcmp(what, "write")) {
    strcpy(answer, outcome(pwrite(fd, &byte, 1, offset) != 1));
  } else if (!strcmp(what, "punch")) {
    int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    strcpy(answer, outcome(fallocate(fd, hole, offset, (long)value * PAGE)));
  } else {
    ssize_t got = pread(fd, &byte, 1, offset);
    sprintf(answer, got == 1 ? "%02x" : "end", (unsigned char)byte);
  }
}

/* Reads a byte through get_user_pages. */
static void peek(char *from, char *answer) {
  char byte;
  struct iovec local = {&byte, 1}, remote = {from, 1};
  if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1) {
    sprintf(answer, "%02x", (unsigned char)byte);
  } else {
    strcpy(answer, outcome(1));
  }
}

/* Stores a byte through get_user_pages; forced, as a debugger does. */
static const char *poke(char *to, int value, int forced) {
  char byte = (char)value;
  if (!forced) {
    struct iovec local = {&byte, 1}, remote = {to, 1};
    return outcome(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) != 1);
  }
  int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  const char *answer = outcome(pwrite(memory, &byte, 1, (off_t)to) != 1);
  close(memory);
  return answer;
}

static void serve(int self);

static void step_fork(const char *step, char *answer) {
  int child;
  sscanf(step, "%*s %d", &child);
  pid_t pid = fork();
  if (pid == 0) {
    serve(child);
  }
  strcpy(answer, outcome(pid < 0));
}

/* The calls that take a place, a length and one more number. */
static int call(const char *what, char *place, size_t length, int number) {
  return !strcmp(what, "unmap")     ? munmap(place, length)
         : !strcmp(what, "protect") ? mprotect(place, length, number)
         : !strcmp(what, "advise")  ? madvise(place, length, number)
         : !strcmp(what, "sync")    ? msync(place, length, number)
         : !strcmp(what, "lock")    ? mlock(place, length)
         : !strcmp(what, "unlock")  ? munlock(place, length)
                                    : (errno = ENOSYS, -1);
}

static void perform(const char *step, char *answer) {
  char what[16] = "";
  long a = 0, b = 0;
  int c = 0;
  sscanf(step, "%15s %ld %ld %d", what, &a, &b, &c);
  if (!strcmp(what, "read")) {
    load(at(a) + b, answer);
  } else if (!strcmp(what, "write")) {
    strcpy(answer, store(at(a) + b, c));
  } else if (!strcmp(what, "map")) {
    step_map(step, answer);
  } else if (!strcmp(what, "remap")) {
    step_remap(step, answer);
  } else if (!strcmp(what, "incore")) {
    step_incore(step, answer);
  } else if (!strcmp(what, "maps")) {
    list_maps(answer);
  } else if (!strcmp(what, "sum")) {
    step_sum(answer);
  } else if (!strcmp(what, "file") || !strcmp(what, "cached")) {
    step_file(*what == 'c', step, answer);
  } else if (!strcmp(what, "peek")) {
    peek(at(a) + b, answer);
  } else if (!strcmp(what, "poke") || !strcmp(what, "force")) {
    strcpy(answer, poke(at(a) + b, c, *what == 'f'));
  } else if (!strcmp(what, "fork")) {
    step_fork(step, answer);
  } else {
    strcpy(answer, outcome(call(what, at(a), b * PAGE, c)));
  }
}

/* Performs steps until "exit", or until the controlling process has ended. */
static void serve(int self) {
  char step[LINE_SIZE], answer[LINE_SIZE];
  for (;;) {
    ssize_t length = recv(theirs[self], step, sizeof step - 1, 0);
    if (length <= 0 || !strncmp(step, "exit", 4)) {
      _exit(0);
    }
    step[length] = 0;
    perform(step, answer);
    send(theirs[self], answer, strlen(answer), 0);
  }
}

/* --- the controlling process --- */

static void end_processes(void) {
  for (int i = 0; i < PROCESSES; i++) {
    if (alive[i]) {
      send(ours[i], "exit", 4, 0);
      alive[i] = 0;
    }
  }
  while (wait(NULL) > 0) {
  }
}

static void fill_file(int number, long pages) {
  char page[PAGE];
  if (ftruncate(writable[number], 0)) {
    perror(names[number]);
    exit(1);
  }
  for (long i = 0; i < pages; i++) {
    for (int k = 0; k < PAGE; k++) {
      page[k] = (char)(i * 16 + k % 13 + 1);
    }
    if (pwrite(writable[number], page, PAGE, i * PAGE) != PAGE) {
      perror(names[number]);
      exit(1);
    }
  }
}

static void reset(long pages) {
  struct timeval patience = {.tv_sec = 20};
  end_processes();
  for (int i = 0; i < FILES; i++) {
    fill_file(i, pages);
  }
  for (int i = 0; i < PROCESSES; i++) {
    int pair[2];
    if (ours[i]) {
      close(ours[i]);
      close(theirs[i]);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)) {
      perror("socketpair");
      exit(1);
    }
    ours[i] = pair[0];
    theirs[i] = pair[1];
    setsockopt(ours[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < PROCESSES; i++) {
      close(ours[i]);
    }
    serve(0);
  }
  alive[0] = 1;
}

int main(int count, char **arguments) {
  char line[LINE_SIZE], answer[LINE_SIZE];
  if (count != 2) {
    fprintf(stderr, "usage: judge FILE\n");
    return 2;
  }
  names[0] = arguments[1];
  writable[0] = open(names[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  writable[1] = memfd_create(names[1], MFD_CLOEXEC);
  for (int i = 0; i < FILES; i++) {
    char again[32];
    sprintf(again, "/proc/self/fd/%d", writable[i]);
    readable[i] = open(again, O_RDONLY | O_CLOEXEC);
    if (writable[i] < 0 || readable[i] < 0) {
      perror(names[i]);
      return 1;
    }
  }
  /* Orphans become children of this process, so that it can wait for them. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  catch_signals();
  /* Huge pages would make neighbours resident too. */
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  while (fgets(line, sizeof line, stdin)) {
    long pages;
    int self, child, used = 0;
    if (sscanf(line, "reset %ld", &pages) == 1) {
      reset(pages);
      strcpy(answer, "ok");
    } else if (sscanf(line, "%d %n", &self, &used) == 1 && self >= 0 && self < PROCESSES &&
               alive[self]) {
      if (sscanf(line + used, "fork %d", &child) == 1) {
        alive[child] = 1;
      }
      send(ours[self], line + used, strlen(line + used), 0);
      ssize_t length = recv(ours[self], answer, sizeof answer - 1, 0);
      answer[length < 0 ? 0 : length] = 0;
    } else {
      strcpy(answer, "no such process");
    }
    puts(answer);
    fflush(stdout);
  }
  end_processes();
  return 0;
}
