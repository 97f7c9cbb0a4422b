/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <unistd.h>

static char into[64 * PAGE];

static int64_t get(uint64_t va, uint64_t len) {
  memset(into, '?', sizeof into);
  return xip_read(window, WINDOW_BYTES, TABLE_PAGES * PAGE, ROOT, XIP_LAYOUT_X86_64, va, into,
                  len);
}

/* Maps va's page to pa, where the window holds the letter throughout. */
static void letter(uint64_t va, uint64_t pa, char value, uint64_t bits) {
  memset(window + pa, value, PAGE);
  set(va, leaf(pa, bits), 0);
}

static void pages_are_joined(void) {
  fresh_tables();
  letter(0x10000, 0x500000, 'a', USER_PAGE);
  letter(0x11000, 0x600000, 'b', USER_PAGE | XIP_X86_64_SPECIAL);
  letter(0x12000, 0x601000, 'c', USER_PAGE);
  CLAIM(get(0x10ffe, 4) == 4 && memcmp(into, "aabb?", 5) == 0, "a read goes on in the next page");
  CLAIM(get(0x10000, 3 * PAGE) == 3 * (int64_t)PAGE && into[3 * PAGE - 1] == 'c',
        "three pages are read in one call");
  CLAIM(get(0x10001, 0) == 0, "no bytes are no error");
  CLAIM(get(0x900000, 0) == 0, "not even where there is nothing");
  CLAIM(get(0x11fff, 2 * PAGE) == PAGE + 1, "a read stops at the first empty entry");
  CLAIM(get(0x13000, 1) == -EFAULT, "a read that begins there fails");
  CLAIM(get(1UL << 47, 1) == -EFAULT, "so does one past the low half");
}

static void scattered_pages_take_several_calls(void) {
  int same = 1;

  fresh_tables();
  for (unsigned i = 0; i < 64; i++) {
    letter(0x10000 + i * PAGE, 0x700000 - i * 2 * PAGE, (char)('0' + i), USER_PAGE);
  }
  CLAIM(get(0x10000, sizeof into) == sizeof into, "64 scattered pages are read in full");
  for (unsigned i = 0; i < 64; i++) same = same && into[i * PAGE] == (char)('0' + i);
  CLAIM(same, "and in order");
}

static void only_present_pages_are_read(void) {
  fresh_tables();
  letter(0x10000, 0x500000, 'a', XIP_X86_64_PROT_NONE);
  CLAIM(get(0x10000, 1) == -EFAULT, "an untouchable page is not read");
  set(0x10000, leaf(WINDOW_BYTES, USER_PAGE), 0);
  CLAIM(get(0x10000, 1) == -EFAULT, "a frame past the window is not read");
  set(0x200000, leaf(0x600000, USER_PAGE | XIP_X86_64_PSE), 1);
  memset(window + 0x600000, 'h', 0x200000);
  CLAIM(get(0x3fffff, 2) == 1 && into[0] == 'h', "the last byte of a 2 MiB leaf is read");
  set(1UL << 30, leaf(0, USER_PAGE | XIP_X86_64_PSE), 2);
  CLAIM(get((1UL << 30) + WINDOW_BYTES - 1, 2) == 1, "a 1 GiB leaf is cut at the window's end");
}

static void a_cut_file_is_no_crash(void) {
  int fd = memfd_create("cut", MFD_CLOEXEC);

  fresh_tables();
  if (fd < 0 || ftruncate(fd, 4 * PAGE) != 0) abort();
  if (mmap(window + 0x500000, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
    abort();
  }
  if (pwrite(fd, "file", 4, PAGE) != 4) abort();
  for (unsigned i = 0; i < 4; i++) {
    set(0x10000 + i * PAGE, leaf(0x500000 + i * PAGE, USER_PAGE | XIP_X86_64_SPECIAL), 0);
  }
  CLAIM(get(0x11000, 4) == 4 && memcmp(into, "file", 4) == 0, "a mapped file is read");
  if (ftruncate(fd, 2 * PAGE) != 0) abort();
  CLAIM(get(0x10000, 4 * PAGE) == 2 * PAGE, "a cut file is read up to the cut");
  CLAIM(get(0x12000, 1) == -EFAULT, "a read past the cut fails");
  *entry(ROOT, 1) = 0x503000 | XIP_X86_64_TABLE;
  CLAIM(get(1UL << 39, 1) == -EFAULT, "no table is looked for outside the part that holds them");
  close(fd);
}

static void wrong_arguments(void) {
  fresh_tables();
  CLAIM(xip_read(window, WINDOW_BYTES, WINDOW_BYTES + PAGE, ROOT, 0, 0, into, 1) == -EINVAL,
        "tables past the window are refused");
  CLAIM(xip_read(window, WINDOW_BYTES, PAGE, 1, 0, 0, into, 1) == -EINVAL,
        "a root past the tables is refused");
  CLAIM(xip_read(window, WINDOW_BYTES, WINDOW_BYTES, ROOT, 9, 0, into, 1) == -EINVAL,
        "an unknown layout is refused");
  CLAIM(xip_read(window, WINDOW_BYTES, WINDOW_BYTES, ROOT, 0, 0, NULL, 1) == -EINVAL,
        "no target is refused");
  CLAIM(xip_read(window, WINDOW_BYTES, WINDOW_BYTES, ROOT, 0, 0, into, UINT64_MAX) == -EINVAL,
        "a length that no count could tell is refused");
}

int main(void) {
  pages_are_joined();
  scattered_pages_take_several_calls();
  only_present_pages_are_read();
  a_cut_file_is_no_crash();
  wrong_arguments();
  return claims_done();
}
