/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host kernel as judge of a special mapping: asks [vvar], which every process has (VM_PFNMAP and
 * VM_IO), and prints one line for each step.
 *
 *   vvar STEP...     exit 77 if this process has no [vvar]
 *
 * Numbers are decimal; pages count from the mapping's start. A call that fails is answered by the
 * name of its errno, an access that a signal stops by SEGV or BUS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, MISSING = 77, LINE_SIZE = 4096 };

/* Far from everything that the kernel places itself. */
#define TARGET ((char *)0x100000000000UL)

static char *start;
static size_t length;

static const char *outcome(int failed) { return failed ? strerrorname_np(errno) : "ok"; }

static int find_mapping(void) {
  char line[LINE_SIZE];
  unsigned long from, to;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    if (strstr(line, "[vvar]") && sscanf(line, "%lx-%lx", &from, &to) == 2) {
      start = (char *)from;
      length = to - from;
    }
  }
  fclose(maps);
  return start != NULL;
}

static sigjmp_buf stopped;

static void on_signal(int number) { siglongjmp(stopped, number); }

static const char *load(size_t page) {
  int number = sigsetjmp(stopped, 1);
  if (number) {
    return number == SIGSEGV ? "SEGV" : "BUS";
  }
  (void)*(volatile char *)(start + page * PAGE);
  return "ok";
}

static const char *incore(size_t page) {
  unsigned char resident;
  return mincore(start + page * PAGE, PAGE, &resident) ? outcome(1) : resident & 1 ? "1" : "0";
}

static const char *forked(void) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    _exit(strcmp(load(0), "ok") != 0);
  }
  waitpid(child, &status, 0);
  return status == 0 ? "ok" : "SEGV";
}

static const char *read_process(void) {
  char to;
  struct iovec ours = {&to, 1}, theirs = {start, 1};
  return outcome(process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) != 1);
}

static const char *splice_page(void) {
  int ends[2];
  struct iovec from = {start, PAGE};
  if (pipe(ends)) {
    return outcome(1);
  }
  return outcome(vmsplice(ends[1], &from, 1, 0) < 0);
}

static const char *write_page(void) {
  int ends[2];
  return outcome(pipe(ends) || write(ends[1], start, PAGE) != PAGE);
}

static const char *read_file(const char *path, uint64_t offset, void *to, size_t bytes) {
  int file = open(path, O_RDONLY);
  ssize_t got = file < 0 ? -1 : pread(file, to, bytes, (off_t)offset);
  const char *answer = outcome(got != (ssize_t)bytes);
  close(file);
  return answer;
}

static const char *read_memory(void) {
  char byte;
  return read_file("/proc/self/mem", (uint64_t)start, &byte, 1);
}

/* The frame number, if any: the lower 55 bits of the record. */
static const char *pagemap(void) {
  uint64_t record;
  const char *answer = read_file("/proc/self/pagemap", (uint64_t)start / PAGE * 8, &record, 8);
  return strcmp(answer, "ok") ? answer : record & 0x7fffffffffffffUL ? "a frame" : "no frame";
}

/* The rest of a line of smaps about the mapping. */
static const char *smaps(const char *field) {
  static char line[LINE_SIZE];
  int found = 0;
  FILE *maps = fopen("/proc/self/smaps", "r");
  while (fgets(line, sizeof line, maps)) {
    found |= strstr(line, "[vvar]") != NULL;
    if (found && !strncmp(line, field, strlen(field))) {
      fclose(maps);
      line[strcspn(line, "\n")] = 0;
      return line + strlen(field) + strspn(line + strlen(field), " ");
    }
  }
  fclose(maps);
  return "missing";
}

static const char *move_to(size_t bytes) {
  void *place = mremap(start, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, TARGET);
  if (place == MAP_FAILED) {
    return outcome(1);
  }
  start = place;
  return "ok";
}

static const char *perform(const char *step) {
  char what[16] = "";
  int number = 0;
  sscanf(step, "%15s %d", what, &number);
  return !strcmp(what, "load")          ? load((size_t)number)
         : !strcmp(what, "incore")      ? incore((size_t)number)
         : !strcmp(what, "advise")      ? outcome(madvise(start, length, number))
         : !strcmp(what, "advise-page") ? outcome(madvise(start, PAGE, number))
         : !strcmp(what, "protect")     ? outcome(mprotect(start, length, number))
         : !strcmp(what, "sync")        ? outcome(msync(start, length, number))
         : !strcmp(what, "lock")        ? outcome(mlock(start, length))
         : !strcmp(what, "unlock")      ? outcome(munlock(start, length))
         : !strcmp(what, "fork")        ? forked()
         : !strcmp(what, "readv")       ? read_process()
         : !strcmp(what, "vmsplice")    ? splice_page()
         : !strcmp(what, "memory")      ? read_memory()
         : !strcmp(what, "write")       ? write_page()
         : !strcmp(what, "pagemap")     ? pagemap()
         : !strcmp(what, "smaps")       ? smaps(strchr(step, ' ') + 1)
         : !strcmp(what, "grow")
             ? outcome(mremap(start, length, length + PAGE, MREMAP_MAYMOVE) == MAP_FAILED)
         : !strcmp(what, "move-page") ? move_to(PAGE)
         : !strcmp(what, "move")      ? move_to(length)
         : !strcmp(what, "unmap")     ? outcome(munmap(start, length))
                                      : "unknown step";
}

int main(int count, char **steps) {
  struct sigaction action = {.sa_handler = on_signal};
  if (!find_mapping()) {
    return MISSING;
  }
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  for (int i = 1; i < count; i++) {
    puts(perform(steps[i]));
    fflush(stdout);
  }
  return 0;
}
