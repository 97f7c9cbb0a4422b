// SPDX-License-Identifier: Apache-2.0
// A C++ program against an installed libxip: loads a segment, guards it, and keeps page tables in it.
//
//   installed STORE SEGMENT    prints one line a finding; an exception otherwise
#include <xip/guard.h>
#include <xip/guest.h>
#include <xip/pte.h>
#include <xip/segment.h>
#include <xip/xip.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

void require(bool holds, const std::string &what) {
  if (!holds) throw std::runtime_error(what);
}

class Segment {
 public:
  Segment(const char *store, const char *name) {
    require(xip_segment_load(store, name, XIP_SEGMENT_SHARED, &segment_) >= 0,
            xip_segment_message());
    id_ = xip_guard_add(segment_.addr, segment_.bytes, 1, &lost_);
  }
  Segment(const Segment &) = delete;
  Segment &operator=(const Segment &) = delete;
  ~Segment() {
    xip_guard_remove(id_);
    xip_segment_unload(segment_.addr);
  }

  void *memory() const { return segment_.addr; }
  std::uint64_t bytes() const { return segment_.bytes; }
  std::uint64_t lost() const { return lost_; }

 private:
  struct xip_segment segment_;
  std::uint64_t lost_ = 0;
  int id_ = -1;
};

// The root is the first page, further tables are taken from the next ones.
xip_entry walkToMapped(const Segment &window, std::uint64_t va) {
  const std::uint64_t page = XIP_X86_64_PRESENT | XIP_X86_64_USER | XIP_X86_64_SPECIAL;
  std::uint64_t next = 1;
  xip_entry found;

  require(xip_set(window.memory(), window.bytes(), 0, XIP_LAYOUT_X86_64, va, page | 0x5000,
                  XIP_LEVEL_PTE, &next, 5) == 0, "xip_set");
  require(xip_walk(window.memory(), window.bytes(), 0, XIP_LAYOUT_X86_64, va + 8, &found) == 0,
          "xip_walk");
  return found;
}

}  // namespace

int main(int argc, char **argv) try {
  require(argc == 3, "usage: installed STORE SEGMENT");
  require(xip_abi_version() == XIP_ABI_VERSION, "a library of the header's version");
  require(xip_guard_install() == 0, "xip_guard_install");
  require(xip_kick_thread() > 0, "xip_kick_thread");
  const Segment segment(argv[1], argv[2]);
  const xip_entry found = walkToMapped(segment, 0x400000);
  std::printf("pa 0x%llx, special %u\n", static_cast<unsigned long long>(found.pa), found.special);
  std::printf("lost %llu\n", static_cast<unsigned long long>(segment.lost()));
  return 0;
} catch (const std::exception &failed) {
  std::fprintf(stderr, "%s\n", failed.what());
  return 1;
}
