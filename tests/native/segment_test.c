/* SPDX-License-Identifier: Apache-2.0 */
#include "segment_store.h"

#include <sys/resource.h>
#include <sys/wait.h>

static struct xip_segment out;

static int load(const char *name, int mode) { return xip_segment_load(store, name, mode, &out); }

static int query(const char *name) { return xip_segment_query(store, name, &out); }

static int says(const char *words) { return strstr(xip_segment_message(), words) != NULL; }

static char *bytes(void) { return out.addr; }

static void a_segment_is_loaded(void) {
  unsigned before = held();
  void *first;

  define("DEMO", 7, "SR", 0x100010, 3, 'a');
  CLAIM(load("demo", XIP_SEGMENT_SHARED) == XIP_SEGMENT_SR, "a load tells the type; names fold");
  CLAIM(strcmp(out.name, "DEMO") == 0 && out.version == 7 && out.loaded_version == 7,
        "and name and version");
  CLAIM(out.pa == 0x100010000 && out.pa_end == 0x100012fff && out.bytes == 3 * PAGE &&
            (char *)out.end - bytes() == 3 * PAGE - 1,
        "and the addresses, with inclusive ends");
  CLAIM(out.parts == 1 && out.part[0].first_page == 0x100010 && out.part[0].last_page == 0x100012,
        "and the parts");
  CLAIM(bytes()[0] == 'a' && bytes()[3 * PAGE - 1] == 'c', "its bytes are the data file's");
  CLAIM(out.references == 1 && out.shared_users == 1 && out.exclusive_users == 0,
        "the process that loads it is its user");
  first = out.addr;
  CLAIM(load("DEMO", XIP_SEGMENT_SHARED) == XIP_SEGMENT_SR && out.addr == first &&
            out.references == 2 && out.shared_users == 1,
        "a second load is a reference to the same place, and no second user");
  CLAIM(load("DEMO", XIP_SEGMENT_EXCLUSIVE) == -EPERM && out.addr == NULL && out.end == NULL,
        "the other mode is refused, and the addresses are zero");
  CLAIM(says("EPERM: segment DEMO: already loaded SHARED, not EXCLUSIVE"),
        "with the reason");
  CLAIM(query("DEMO") == XIP_SEGMENT_SR && out.addr == first && out.references == 2 &&
            out.mode == XIP_SEGMENT_SHARED && out.shared_users == 1,
        "a query tells of the load");
  CLAIM(xip_segment_unload(first) == 0 && bytes()[PAGE] == 'b', "a reference less changes nothing");
  CLAIM(xip_segment_unload(first) == 0 && held() == before, "the last unload gives all back");
  CLAIM(query("DEMO") == XIP_SEGMENT_SR && out.addr == NULL && out.references == 0 &&
            out.loaded_version == 0 && out.shared_users == 0 && out.exclusive_users == 0,
        "then there is no user");
  CLAIM(xip_segment_unload(first) == -EINVAL && says("EINVAL: segment: none loaded at 0x"),
        "a further unload is refused");
}

/* The rights in each mode, as SegmentType has them. */
static void rights_follow_the_type(void) {
  static const char *const rights[][3] = {
      {"SW", "rw-s", "rw-p"}, {"EW", "rw-p", "rw-p"}, {"SR", "r--s", "rw-p"},
      {"ER", "r--p", "rw-p"}, {"SN", "rw-s", "rw-p"}, {"EN", "rw-p", "rw-p"},
      {"SC", "r--s", "r--p"}};

  for (int type = 0; type < 7; type++) {
    define("T", 1, rights[type][0], 0x100000, 1, 'a');
    for (int mode = 0; mode < 2; mode++) {
      char line[64];
      int told = load("T", mode);
      int right = told == type && strcmp(rights_at(out.addr), rights[type][mode + 1]) == 0;
      snprintf(line, sizeof line, "%s loaded in mode %d is %s", rights[type][0], mode,
               rights[type][mode + 1]);
      CLAIM(right && out.exclusive_users == (unsigned)mode, line);
      xip_segment_unload(out.addr);
    }
  }
}

/* The example of the README must be read back. */
static const char described[] =
    "xip segment 1\nname MIXED\nversion 12\npart 100000-1007ff EW\npart 100800-1008ff EN\n"
    "data MIXED.12.data 9437184\ncrc32c 628ad167\n";

static void parts_lie_side_by_side(void) {
  unsigned before = held();

  write_file("MIXED.def", described, strlen(described));
  write_data("MIXED.12.data", 'a', 2304);
  CLAIM(load("MIXED", XIP_SEGMENT_SHARED) == XIP_SEGMENT_EWEN, "several parts are of type EWEN");
  CLAIM(out.parts == 2 && out.part[1].type == XIP_SEGMENT_EN && out.bytes == 9437184 &&
            (char *)out.end == bytes() + 9437183,
        "and are one range");
  CLAIM(bytes()[0x7ff000] == (char)('a' + 0x7ff) && bytes()[0x800000] == (char)('a' + 0x800),
        "each at its place");
  bytes()[0x800000] = '!';
  xip_segment_unload(out.addr);
  load("MIXED", XIP_SEGMENT_SHARED);
  CLAIM(bytes()[0x800000] == (char)('a' + 0x800), "stores to a private copy end with it");
  xip_segment_unload(out.addr);
  CLAIM(held() == before, "nothing of it stays");
}

static void damage_is_refused(void) {
  char text[sizeof described];
  unsigned refused = 0, before = held();

  write_data("MIXED.12.data", 'a', 2304);
  for (size_t i = 0; i < strlen(described); i++) {
    for (int bit = 0; bit < 8; bit++) {
      memcpy(text, described, sizeof text);
      text[i] = (char)(text[i] ^ 1 << bit);
      write_file("MIXED.def", text, strlen(described));
      refused += load("MIXED", XIP_SEGMENT_SHARED) == -EIO && says("MIXED.def: at byte 0x");
    }
  }
  CLAIM(refused == 8 * strlen(described), "a definition with any bit turned over is EIO");
  refused = 0;
  for (size_t i = 0; i < strlen(described); i++) {
    write_file("MIXED.def", described, i);
    refused += load("MIXED", XIP_SEGMENT_SHARED) == -EIO;
  }
  CLAIM(refused == strlen(described), "and one cut anywhere");
  write_file("MIXED.def", "xip segment 2\nanything\n", 23);
  CLAIM(load("MIXED", 0) == -EIO && says("at byte 0x0: expected line 1 to be \"xip segment 1\", "
                                         "found \"xip segment 2\""),
        "and an unknown form");
  write_definition("MIXED", "name OTHER\nversion 1\npart 1-1 SW\ndata OTHER.1.data 4096\n");
  CLAIM(load("MIXED", 0) == -EIO && says("at byte 0xe: expected line 2 to be \"name MIXED\""),
        "and one of another name");
  write_definition("MIXED", "name MIXED\nversion 01\npart 1-1 SW\ndata MIXED.1.data 4096\n");
  CLAIM(load("MIXED", 0) == -EIO &&
            says("expected line 3 to be \"version NUMBER\", found \"version 01\""),
        "and one with a leading zero under a right sum");
  write_definition("MIXED", "name MIXED\nversion 1\npart 1-1 SW\ndata MIXED.1.data 4096\nmore\n");
  CLAIM(load("MIXED", 0) == -EIO, "and one with a line too many");
  CLAIM(query("MIXED") == -EIO && out.bytes == 0 && held() == before, "a query says the same");
}

static void broken_rules_have_their_codes(void) {
  char lines[512] = "name P\nversion 1\n";

  for (int i = 0; i < 7; i++) {
    snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "part %x-%x EW\n", i, i);
  }
  strcat(lines, "data P.1.data 28672\n");
  write_definition("P", lines);
  CLAIM(load("P", 0) == -EOPNOTSUPP && says("found more"), "seven parts are not supported");
  write_definition("P", "name P\nversion 1\npart 1-1 EW\npart 3-3 EN\ndata P.1.data 12288\n");
  CLAIM(load("P", 0) == -EOPNOTSUPP && says("expected part 2 to start at page 2, found 3"),
        "nor is a gap");
  write_definition("P", "name P\nversion 1\npart 1-1 EW\npart 2-2 SW\ndata P.1.data 8192\n");
  CLAIM(load("P", 0) == -EOPNOTSUPP && says("found SW as part 2"), "nor SW among several");
  write_definition("P", "name P\nversion 1\npart 1-1 EW\npart 1-1 EN\ndata P.1.data 4096\n");
  CLAIM(load("P", 0) == -EINVAL && says("EINVAL"), "an overlap is invalid");
  write_definition("P", "name P\nversion 1\npart 2-1 EW\ndata P.1.data 4096\n");
  CLAIM(load("P", 0) == -EINVAL && says("part 2-1 EW"), "a reversed part is too");
  write_definition("P",
                   "name P\nversion 1\npart 0-7ffffffff SW\ndata P.1.data 140737488355328\n");
  CLAIM(load("P", 0) == -ERANGE && says("found 0x800000000000"),
        "what no process has room for is out of range");
}

static void other_errors_of_a_load(void) {
  unsigned before = held();

  define("ONE", 1, "SW", 0x1000ff, 1, 'a');
  define("TWO", 1, "SW", 0x100100, 1, 'b');
  define("NEAR", 1, "SW", 0x1000f0, 1, 'c');
  CLAIM(load("ABSENT", 0) == -ENOENT && says("ENOENT: segment ABSENT: expected a segment of that"),
        "an unknown name is ENOENT");
  CLAIM(xip_segment_load("/nowhere/at/all", "ONE", 0, &out) == -ENOENT && says("/nowhere/at/all"),
        "so is a missing store");
  CLAIM(xip_segment_load("/dev/null", "ONE", 0, &out) == -ENOTDIR, "a store must be a folder");
  CLAIM(load("", 0) == -ENAMETOOLONG && load("NINECHARS", 0) == -ENAMETOOLONG &&
            says("expected 1 to 8 characters, found 9"),
        "a name has 1 to 8 characters");
  CLAIM(load("a/b", 0) == -EINVAL && load("..", 0) == -EINVAL && load("A\xc3\xa4", 0) == -EINVAL &&
            says("\"A\\u00c3\\u00a4\""),
        "of a few kinds");
  CLAIM(load("ONE", 2) == -EINVAL && load("ONE", -1) == -EINVAL, "an unknown mode is refused");
  CLAIM(xip_segment_load(NULL, "ONE", 0, &out) == -EINVAL &&
            xip_segment_load(store, NULL, 0, &out) == -EINVAL &&
            xip_segment_load(store, "ONE", 0, NULL) == -EINVAL,
        "so is a NULL");
  CLAIM(xip_segment_unload(NULL) == -EINVAL, "NULL is no segment");
  CLAIM(held() == before, "nothing stays after any of them");
  load("ONE", 0);
  before = held();
  CLAIM(load("NEAR", 0) == -EBUSY &&
            says("EBUSY: segment NEAR [0x1000f0000, 0x1000f1000): expected megabytes without a "
                 "segment, found [0x1000ff000, 0x100100000) ONE"),
        "two segments cannot have parts of one megabyte");
  CLAIM(load("TWO", 0) == XIP_SEGMENT_SW, "neighbours in two megabytes can be loaded");
  xip_segment_unload(out.addr);
  write_file("TWO.1.data", "short", 5);
  CLAIM(load("TWO", 0) == -EIO && says("TWO.1.data: expected 0x1000 bytes, found 0x5"),
        "a short data file is EIO");
  delete_file("TWO.1.data");
  CLAIM(load("TWO", 0) == -EIO && query("TWO") == -EIO && says("expected a regular file, found none"),
        "so is a missing one");
  write_data("TWO.1.data", 'b', 1);
  CLAIM(held() == before, "a failed load changes nothing");
  query("ONE");
  xip_segment_unload(out.addr);
}

static void the_first_user_of_sn_finds_zeros(void) {
  char path[PATH_ROOM];

  define("N", 1, "SN", 0x100000, 2, 'a');
  load("N", XIP_SEGMENT_SHARED);
  CLAIM(bytes()[0] == 0 && bytes()[2 * PAGE - 1] == 0, "what is not saved is zeros at first");
  bytes()[PAGE] = 'x';
  xip_segment_unload(out.addr);
  load("N", XIP_SEGMENT_SHARED);
  CLAIM(bytes()[PAGE] == 0, "and again for the next first user");
  xip_segment_unload(out.addr);
  path_of(path, "N.1.data");
  if (truncate(path, 0) != 0) abort();
  CLAIM(load("N", XIP_SEGMENT_EXCLUSIVE) == XIP_SEGMENT_SN && bytes()[PAGE] == 0,
        "a file whose first user died while clearing it is cleared again");
  xip_segment_unload(out.addr);
}

static void a_version_goes_with_its_last_user(void) {
  define("V", 1, "SR", 0x100000, 1, 'a');
  define("VV", 1, "SR", 0x200000, 1, 'a');
  load("V", XIP_SEGMENT_SHARED);
  define("V", 2, "SR", 0x100000, 1, 'b');
  write_file("V.1.purge", "", 0);
  write_file("V.3.data", "left by a dead writer", 21);
  write_file("V.77.new", "left by a dead writer", 21);
  write_file("V.2.purge", "left by a dead writer", 21);
  write_file("V.01.data", "not ours", 8);
  CLAIM(query("V") == XIP_SEGMENT_SR && out.version == 2 && out.loaded_version == 1 &&
            out.shared_users == 0 && bytes()[0] == 'a',
        "after a save a user of the old version keeps it");
  CLAIM(exists("V.1.data") && xip_segment_unload(out.addr) == 0, "it is there until the unload");
  CLAIM(!exists("V.1.data") && !exists("V.1.purge"), "the last unload deletes its files");
  CLAIM(!exists("V.3.data") && !exists("V.77.new") && !exists("V.2.purge"),
        "and what dead writers left");
  CLAIM(exists("V.def") && exists("V.2.data") && exists("VV.1.data") && exists("V.01.data"),
        "and nothing else");
  load("V", XIP_SEGMENT_SHARED);
  CLAIM(out.version == 2 && bytes()[0] == 'b', "a new load gets the new version");
  delete_file("V.def");
  CLAIM(query("V") == -ENOENT && load("V", XIP_SEGMENT_SHARED) == XIP_SEGMENT_SR &&
            out.references == 2,
        "a segment removed while it is loaded stays loaded");
  xip_segment_unload(out.addr);
  xip_segment_unload(out.addr);
  CLAIM(!exists("V.2.data"), "and goes with its last user");
}

static void a_process_short_of_descriptors_is_told(void) {
  unsigned before = held();
  int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  struct rlimit usual, few;
  int type = -1, refused = 0;

  define("D", 1, "SR", 0x100000, 1, 'a');
  close(next);
  getrlimit(RLIMIT_NOFILE, &usual);
  few = usual;
  alarm(60);
  for (few.rlim_cur = (rlim_t)next; type < 0; few.rlim_cur++) {
    setrlimit(RLIMIT_NOFILE, &few);
    type = load("D", XIP_SEGMENT_SHARED);
    setrlimit(RLIMIT_NOFILE, &usual);
    if (type < 0 && (type != -EMFILE || !says("EMFILE: segment ") || held() != before)) break;
    refused += type < 0;
  }
  alarm(0);
  CLAIM(type == XIP_SEGMENT_SR && refused == 3, "three descriptors are needed, one of them stays");
  delete_file("D.def");
  few.rlim_cur = (rlim_t)next;
  setrlimit(RLIMIT_NOFILE, &few);
  type = xip_segment_unload(out.addr);
  setrlimit(RLIMIT_NOFILE, &usual);
  CLAIM(type == 0 && held() == before, "an unload needs none");
}

/* Waits for a child that must succeed. */
static int done(pid_t child) {
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_child_keeps_what_its_parent_had(void) {
  int go[2];
  char byte;
  pid_t child;

  define("F", 1, "SW", 0x100000, 1, 'a');
  load("F", XIP_SEGMENT_SHARED);
  if (pipe2(go, O_CLOEXEC) != 0) abort();
  child = fork();
  if (child == 0) {
    int fine = read(go[0], &byte, 1) == 1 && query("F") == XIP_SEGMENT_SW && bytes()[1] == '!' &&
               out.references == 1 && exists("F.1.data");
    fine = fine && xip_segment_unload(out.addr) == 0 && !exists("F.1.data");
    _exit(fine ? 0 : 1);
  }
  bytes()[1] = '!';
  define("F", 2, "SW", 0x100000, 1, 'b');
  xip_segment_unload(out.addr);
  CLAIM(exists("F.1.data"), "a version stays while a child of its user has it");
  if (write(go[1], "", 1) != 1) abort();
  CLAIM(done(child), "the child has it at the same place, and the last of the two deletes it");
  close(go[0]);
  close(go[1]);
}

int main(void) {
  static void (*const tests[])(void) = {a_segment_is_loaded,
                                        rights_follow_the_type,
                                        parts_lie_side_by_side,
                                        damage_is_refused,
                                        broken_rules_have_their_codes,
                                        other_errors_of_a_load,
                                        the_first_user_of_sn_finds_zeros,
                                        a_version_goes_with_its_last_user,
                                        a_process_short_of_descriptors_is_told,
                                        a_child_keeps_what_its_parent_had};

  make_store();
  for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    empty_store();
    tests[i]();
  }
  remove_store();
  return claims_done();
}
