/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random history of file calls in a directory: files DIR SEED STEPS. Each step prints what it got,
 * and the tree is printed at the end, so that two kernels can be compared.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SLOTS 5
#define MOST 20000

static unsigned long state;
static int open_files[SLOTS];
static int home;
static char bytes[MOST];

static unsigned below(unsigned limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state >> 11) % limit;
}

static const char *path(void) {
  static char all[4][6000];
  static int turn;
  char *text = all[turn++ & 3];
  *text = 0;
  if (below(150) == 0) {
    memset(text, below(2) ? 'n' : '/', 5000);
    text[0] = text[0] == '/' ? '.' : 'n';
    text[below(2) ? 256 : 255 + below(4500)] = 0;
    return text;
  }
  unsigned parts = 1 + (below(3) == 0) + (below(8) == 0);
  for (unsigned i = 0; i < parts; i++) {
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "sub", "deep"};
    if (i > 0) strcat(text, below(12) ? "/" : "//");
    strcat(text, names[below(8)]);
    if (below(25) == 0) strcat(text, "/..");
    if (below(25) == 0) strcat(text, "/.");
  }
  if (below(15) == 0) strcat(text, "/");
  return below(200) ? text : below(3) == 0 ? "" : below(2) ? "." : "..";
}

static void got(const char *what, const char *one, const char *two, long result) {
  printf("%s %.40s %.40s = %ld %s\n", what, one, two, result < 0 ? -1 : result,
         result < 0 ? strerrorname_np(errno) : "");
}

static unsigned long hash(const char *from, long length) {
  unsigned long sum = 5381;
  for (long i = 0; i < length; i++) sum = sum * 33 + (unsigned char)from[i];
  return sum;
}

static void show(const char *what, const char *name, long result, const struct stat *st) {
  got(what, name, "", result);
  if (result == 0) {
    printf("  %o links %ld %u:%u", st->st_mode, (long)st->st_nlink, st->st_uid, st->st_gid);
    if (!S_ISDIR(st->st_mode)) printf(" size %ld", (long)st->st_size);
    printf("\n");
  }
}

static int compare(const void *one, const void *two) {
  return strcmp(*(char *const *)one, *(char *const *)two);
}

static int list(int dir, char **names) {
  DIR *stream = fdopendir(dir);
  int count = 0;
  for (struct dirent *each; stream && (each = readdir(stream));) {
    names[count] = malloc(strlen(each->d_name) + 3);
    sprintf(names[count++], "%s:%d", each->d_name, each->d_type);
  }
  closedir(stream);
  qsort(names, count, sizeof *names, compare);
  return count;
}

static void tree(int dir, const char *where) {
  char *names[500];
  int count = list(openat(dir, ".", O_RDONLY | O_DIRECTORY), names);
  for (int i = 0; i < count; i++) {
    char *name = names[i];
    *strrchr(name, ':') = 0;
    struct stat st;
    char whole[4000];
    if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
    snprintf(whole, sizeof whole, "%s/%s", where, name);
    int r = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
    show("tree", whole, r, &st);
    if (S_ISLNK(st.st_mode)) {
      ssize_t length = readlinkat(dir, name, bytes, MOST);
      printf("  -> %.*s\n", (int)length, bytes);
    } else if (S_ISREG(st.st_mode)) {
      int fd = openat(dir, name, O_RDONLY);
      unsigned long sum = 0;
      for (long n; (n = read(fd, bytes, MOST)) > 0;) sum = sum * 31 + hash(bytes, n);
      printf("  %lx\n", sum);
      close(fd);
    } else if (S_ISDIR(st.st_mode)) {
      int fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
      tree(fd, whole);
      close(fd);
    }
  }
}

static void use_open(int slot) {
  static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL,
                              O_WRONLY | O_CREAT | O_TRUNC, O_RDONLY | O_TRUNC,
                              O_RDWR | O_CREAT | O_APPEND, O_RDONLY | O_DIRECTORY,
                              O_RDONLY | O_NOFOLLOW, O_PATH, O_PATH | O_NOFOLLOW,
                              O_RDWR | O_TMPFILE, O_RDONLY | O_TMPFILE, O_WRONLY | O_CREAT | O_NOFOLLOW,
                              O_RDONLY | O_CREAT | O_DIRECTORY, O_RDONLY | O_CREAT};
  if (open_files[slot] >= 0) close(open_files[slot]);
  const char *name = path();
  int how = flags[below(sizeof flags / sizeof *flags)] | O_NONBLOCK;
  open_files[slot] = open(name, how, 0600 | below(0200));
  char text[20];
  sprintf(text, "%x", how);
  got("open", name, text, open_files[slot] < 0 ? -1 : 0);
  if (open_files[slot] >= 0)
    printf("  %d flags %x\n", open_files[slot], fcntl(open_files[slot], F_GETFL));
}

static void use_slot(int fd) {
  long at = below(15000), length = 1 + below(9000);
  struct stat st;
  ssize_t r;
  printf("[%d %ld %ld] ", fd, at, length);
  switch (below(16)) {
    case 0:
      memset(bytes, 'A' + below(26), MOST);
      got("write", "", "", write(fd, bytes, length));
      break;
    case 1:
      r = read(fd, bytes, length);
      got("read", "", "", r);
      if (r > 0) printf("  %lx\n", hash(bytes, r));
      break;
    case 2:
      memset(bytes, 'a' + below(26), MOST);
      got("pwrite", "", "", pwrite(fd, bytes, length, at));
      break;
    case 3:
      r = pread(fd, bytes, length, at);
      got("pread", "", "", r);
      if (r > 0) printf("  %lx\n", hash(bytes, r));
      break;
    case 4:
      got("seek", "", "", lseek(fd, (long)below(20000) - 5000, below(6)));
      break;
    case 5:
      got("ftruncate", "", "", ftruncate(fd, (long)below(20000) - 500));
      break;
    case 6:
      show("fstat", "", fstat(fd, &st), &st);
      break;
    case 7:
      got("fchmod", "", "", fchmod(fd, below(07777)));
      break;
    case 8:
      got("punch", "", "",
          fallocate(fd, FALLOC_FL_PUNCH_HOLE | (below(5) ? FALLOC_FL_KEEP_SIZE : 0), at, length));
      break;
    case 9: {
      char *page = mmap(0, 8192, PROT_READ | (below(2) ? PROT_WRITE : 0),
                        below(3) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
      got("mmap", "", "", page == MAP_FAILED ? -1 : 0);
      if (page == MAP_FAILED) break;
      if (fstat(fd, &st) == 0 && st.st_size > 100) printf("  %d\n", page[99]);
      int slot = below(SLOTS);
      if (open_files[slot] >= 0) {
        printf("[%d] ", open_files[slot]);
        got("write from map", "", "", write(open_files[slot], page, 70));
      }
      munmap(page, 8192);
      break;
    }
    case 10: {
      char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      got("mmap shared", "", "", page == MAP_FAILED ? -1 : 0);
      if (page == MAP_FAILED) break;
      if (fstat(fd, &st) == 0 && st.st_size > 200) {
        page[150] = 'M';
        r = pread(fd, bytes, 1, 150);
        printf("  %ld %c\n", (long)r, bytes[0]);
      }
      munmap(page, 4096);
      break;
    }
    case 11: {
      struct iovec parts[3] = {{bytes, 10}, {bytes + 100, below(3000)}, {bytes + 5000, 500}};
      got("writev", "", "", below(2) ? writev(fd, parts, 3) : pwritev(fd, parts, 3, at));
      break;
    }
    case 12: {
      int other = open_files[below(SLOTS)];
      long from = below(9000);
      struct stat one_end, other_end;
      if (other < 0) break;
      /* Named pipes hold pages on the host, bytes in xip: they take different numbers of bytes. */
      if (fstat(fd, &one_end) || S_ISFIFO(one_end.st_mode)) break;
      if (fstat(other, &other_end) || S_ISFIFO(other_end.st_mode)) break;
      printf("[%d %ld] ", other, from);
      got("sendfile", "", "", sendfile(fd, other, below(2) ? &from : 0, length));
      break;
    }
    case 13: {
      int other = open_files[below(SLOTS)];
      long from = below(9000), to = below(9000);
      if (other < 0) break;
      printf("[%d %ld %ld] ", other, from, to);
      got("copy", "", "",
          copy_file_range(other, below(2) ? &from : 0, fd, below(2) ? &to : 0, length, 0));
      break;
    }
    case 14: {
      const char *name = path();
      got("link open", name, "", linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH));
      break;
    }
    default:
      got("fsync", "", "", fsync(fd));
  }
}

static void attributes(const char *name) {
  static const char *const kinds[] = {"user.a", "user.b", "trusted.c", "odd", "user."};
  const char *kind = kinds[below(5)];
  ssize_t r;
  switch (below(4)) {
    case 0:
      got("setxattr", name, kind, lsetxattr(name, kind, bytes, below(30), below(3)));
      break;
    case 1:
      got("getxattr", name, kind, lgetxattr(name, kind, bytes, below(40)));
      break;
    case 2:
      char names[MOST];
      r = llistxattr(name, names, MOST);
      got("listxattr", name, "", r < 0 ? -1 : 0);
      break;
    default:
      got("removexattr", name, kind, lremovexattr(name, kind));
  }
}

static void step(void) {
  const char *one = path(), *two = path();
  struct stat st;
  int slot = below(SLOTS);
  switch (below(24)) {
    case 0: got("mkdir", one, "", mkdir(one, 0700 | below(01777))); break;
    case 1: got("rmdir", one, "", rmdir(one)); break;
    case 2: got("unlink", one, "", unlink(one)); break;
    case 3:
    case 4: got("rename", one, two, rename(one, two)); break;
    case 5: got("rename2", one, two, renameat2(AT_FDCWD, one, AT_FDCWD, two, below(4))); break;
    case 6: got("link", one, two, link(one, two)); break;
    case 7: got("linkat", one, two, linkat(AT_FDCWD, one, AT_FDCWD, two, AT_SYMLINK_FOLLOW)); break;
    case 8: got("symlink", one, two, symlink(below(6) ? one + 0 : "../a", two)); break;
    case 9: show("stat", one, stat(one, &st), &st); break;
    case 10: show("lstat", one, lstat(one, &st), &st); break;
    case 11: got("truncate", one, "", truncate(one, below(12000))); break;
    case 12: got("chmod", one, "", chmod(one, below(07777))); break;
    case 13: got("chown", one, "", lchown(one, (int)below(4) - 1, (int)below(4) - 1)); break;
    case 14: got("access", one, "", access(one, below(9))); break;
    case 15: {
      ssize_t r = readlink(one, bytes, 1 + below(30));
      got("readlink", one, "", r);
      break;
    }
    case 16: {
      struct timespec times[2] = {{below(1000000), below(1000000000)}, {below(9), below(3) ? UTIME_OMIT : 7}};
      int how = below(2) ? AT_SYMLINK_NOFOLLOW : 0;
      int r = utimensat(AT_FDCWD, one, times, how);
      got("utimens", one, "", r);
      if (r == 0 && fstatat(AT_FDCWD, one, &st, how) == 0)
        /* A link may be on its own path, and following it is an access on the host. */
        printf("  %ld.%ld %ld\n", S_ISLNK(st.st_mode) ? 0 : (long)st.st_atim.tv_sec,
               S_ISLNK(st.st_mode) ? 0 : (long)st.st_atim.tv_nsec,
               st.st_mtim.tv_sec < 10 ? (long)st.st_mtim.tv_sec : -1);
      break;
    }
    case 17: got("mknod", one, "", mknod(one, (below(2) ? S_IFIFO : S_IFREG) | 0640, 0)); break;
    case 18: {
      int dir = open(one, O_RDONLY | O_DIRECTORY);
      got("list", one, "", dir < 0 ? -1 : 0);
      if (dir < 0) break;
      char *names[500];
      int count = list(dir, names);
      for (int i = 0; i < count; i++) printf("  %s", names[i]);
      printf("\n");
      break;
    }
    case 19: attributes(one); break;
    case 20: {
      int r = chdir(one);
      got("chdir", one, "", r);
      if (r == 0) {
        char room[5000];
        char *here = getcwd(room, sizeof room);
        char *base = here ? strstr(here, "/top") : 0;
        printf("  %s\n", here ? base ? base : "above" : strerrorname_np(errno));
        got("mkdir there", two, "", mkdir(two, 0755));
      }
      fchdir(home);
      break;
    }
    case 21: use_open(slot); break;
    default:
      if (open_files[slot] >= 0) use_slot(open_files[slot]);
      else use_open(slot);
  }
}

int main(int argc, char **argv) {
  if (argc != 4 || chdir(argv[1])) return 2;
  home = open(".", O_RDONLY | O_DIRECTORY);
  signal(SIGPIPE, SIG_IGN); /* a named pipe that no one reads */
  umask(027);
  state = strtoul(argv[2], 0, 0) * 2654435761u + 88172645463325252u;
  for (int i = 0; i < SLOTS; i++) open_files[i] = -1;
  int steps = atoi(argv[3]);
  for (int i = 0; i < steps; i++) {
    printf("%d ", i);
    step();
  }
  fchdir(home);
  tree(home, "");
  return 0;
}
