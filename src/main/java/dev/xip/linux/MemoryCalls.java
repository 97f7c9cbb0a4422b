package dev.xip.linux;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.ReadableFile;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Advice;
import dev.xip.vm.MapException;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import dev.xip.vm.RemapRequest;
import java.io.IOException;

/** System calls about memory: mapping, unmapping, rights, advice. Files are mapped in place. */
final class MemoryCalls {
  private static final int MREMAP_MAYMOVE = 1;
  private static final int MREMAP_FIXED = 2;
  private static final int PROT_WRITE = 2;

  /** PROT_READ, PROT_WRITE, PROT_EXEC, PROT_SEM. */
  private static final int PROT_KNOWN = 0xf;

  private static final int MAP_SHARED = 1;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_SHARED_VALIDATE = 3;
  private static final int MAP_TYPE = 0xf;
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_HUGETLB = 0x4_0000;
  private static final int MAP_FIXED_NOREPLACE = 0x10_0000;

  private final Task task;

  MemoryCalls(Task task) {
    this.task = task;
  }

  private AddressSpace space() {
    return task.process().space();
  }

  /**
   * mmap(2).
   *
   * @param open what to map unless the flags say anonymous; null if there is no such descriptor
   */
  long map(long address, long length, int protection, int flags, OpenFile open, long offset)
      throws IOException {
    boolean anonymous = (flags & MAP_ANONYMOUS) != 0;
    if (!anonymous && (open == null || open instanceof OpenPath)) {
      return -(Pages.isAligned(offset) ? Errno.EBADF : Errno.EINVAL).number();
    }
    long bytes = Pages.roundUp(length);
    Errno refused = refused(address, length, flags, offset);
    if (refused != null) {
      return -refused.number();
    }
    boolean stored = (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0;
    if (!anonymous && (!open.isReadable() || stored && !open.isWritable())) {
      return -Errno.EACCES.number();
    }
    ReadableFile file = anonymous ? null : open.mappable();
    if (!anonymous && file == null) {
      return -Errno.ENODEV.number();
    }
    if (!task.mayMap(bytes)) {
      return -Errno.ENOMEM.number();
    }
    Access access = access(protection);
    MapRequest request =
        anonymous
            ? MapRequest.anonymous(bytes, access)
            : MapRequest.privately(file, access).pages(offset >>> Pages.SHIFT, bytes);
    if (!anonymous && !open.isWritable()) {
      request = request.with(MapFlag.READ_ONLY_FILE);
    }
    if ((flags & MAP_SHARED) != 0) {
      request = request.with(MapFlag.SHARED);
    }
    if ((flags & MAP_FIXED_NOREPLACE) != 0) {
      request = request.at(address);
    } else if ((flags & MAP_FIXED) != 0) {
      request = request.over(address);
    } else if (address != 0 && isInUserMode(address, bytes)) {
      request = request.near(address);
    }
    return space().map(request).start();
  }

  /** Why mmap refuses numbers, whatever the file; null if it does not. */
  private Errno refused(long address, long length, int flags, long offset) {
    boolean anonymous = (flags & MAP_ANONYMOUS) != 0;
    boolean fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    long bytes = Pages.roundUp(length);
    int type = flags & MAP_TYPE;
    if (!Pages.isAligned(offset)
        || length == 0
        || type == 0
        || type > (anonymous ? MAP_PRIVATE : MAP_SHARED_VALIDATE)) {
      return Errno.EINVAL;
    }
    if (!anonymous && (offset < 0 || offset + bytes < 0)) {
      return Errno.EOVERFLOW;
    }
    return bytes == 0 || fixed && !isInUserMode(address, bytes) || (flags & MAP_HUGETLB) != 0
        ? Errno.ENOMEM
        : null;
  }

  private boolean isInUserMode(long address, long bytes) {
    long limit = task.kernel().addressLimit();
    return Long.compareUnsigned(bytes, limit) <= 0
        && Long.compareUnsigned(address, limit - bytes) <= 0;
  }

  /** brk(2). */
  long brk(long end) {
    Heap heap = task.heap();
    return task.mayMap(end - heap.end()) ? heap.brk(end) : heap.end();
  }

  /** munmap(2). */
  long unmap(long address, long length) throws MapException {
    if (!isInUserMode(address, length)) {
      return -Errno.EINVAL.number();
    }
    space().unmap(AddrRange.ofLength(address, Pages.roundUp(length)));
    return 0;
  }

  /** mprotect(2). */
  long protect(long address, long length, int protection) throws MapException {
    long bytes = Pages.roundUp(length);
    if (!Pages.isAligned(address) || (protection & ~PROT_KNOWN) != 0) {
      return -Errno.EINVAL.number();
    }
    if (length != 0 && (bytes == 0 || !isInUserMode(address, bytes))) {
      return -Errno.ENOMEM.number();
    }
    space().protect(AddrRange.ofLength(address, bytes), access(protection));
    return 0;
  }

  /** mremap(2). */
  long remap(long address, long length, long wanted, int flags, long target) throws MapException {
    if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) != 0 || flags == MREMAP_FIXED) {
      return -Errno.EINVAL.number();
    }
    AddrRange old = AddrRange.ofLength(address, Pages.roundUp(length));
    long pages = Pages.roundUp(wanted);
    if ((flags & MREMAP_FIXED) != 0 && !isInUserMode(target, pages)) {
      return -Errno.EINVAL.number();
    }
    if (!task.mayMap(pages - old.length())) {
      return -Errno.ENOMEM.number();
    }
    return space()
        .remap(
            (flags & MREMAP_FIXED) != 0
                ? RemapRequest.to(old, pages, target)
                : flags == 0 ? RemapRequest.inPlace(old, pages) : RemapRequest.anywhere(old, pages))
        .start();
  }

  /** madvise(2). */
  long advise(long address, long length, int advice) throws MapException {
    Advice known = Advice.of(advice);
    if (length != 0) {
      space().advise(AddrRange.ofLength(address, Pages.roundUp(length)), known);
    }
    return 0;
  }

  private static Access access(int protection) {
    return new Access((protection & 1) != 0, (protection & 2) != 0, (protection & 4) != 0);
  }
}
