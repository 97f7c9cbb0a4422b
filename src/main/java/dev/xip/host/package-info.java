/**
 * The native fence: reserves, maps and protects memory, opens files, and calls libxip; every
 * restricted call of xip is in here, and its results are typed and checked. It never interprets
 * bytes, never unpacks a library, never prints, and never lets memory be reached after it was
 * unmapped.
 *
 * <p>Arguments are checked before the system is asked: a wrong one is an {@link
 * java.lang.IllegalArgumentException}, a refusal by the system a {@link dev.xip.host.HostException}
 * with the name of the error. The monitor of a {@link dev.xip.host.Reservation} is held over system
 * calls, and no other lock is taken under it.
 *
 * <p>Man pages: mmap(2), mremap(2), mprotect(2), madvise(2), memfd_create(2), statx(2), fcntl(2),
 * link(2), rename(2), unlink(2), openat(2), xattr(7), fsync(2); Documentation/virt/kvm/api.rst.
 */
package dev.xip.host;
