/*
 * What a mapping of a file does when the file is cut beneath it, or when the disk is full under a
 * hole that is stored into: the kernel sends SIGBUS to the thread that touched the page, and that
 * ends the process. With this guard the thread goes on: the rest of the range becomes memory of
 * zeros, and a word of the caller's says from where on its bytes are lost.
 *
 * Nothing here happens by itself in a C program that links libxip: the program installs the guard,
 * and names each range that it wants guarded. In a JVM the guard is installed when the library is
 * loaded.
 *
 * A reader looks at the word after reading and before believing: what was read from *lost on is
 * zeros that the file never had. A writer looks at it after storing: what was stored from *lost on
 * is in no file. The compiler knows nothing of the handler, so a fence stands between the access and
 * the look. A file that grows again changes nothing: the range stays as it is until it is mapped
 * anew.
 *
 *     struct xip_segment s;
 *     uint64_t lost = 0;
 *
 *     xip_guard_install();
 *     xip_segment_load(store, "WORK", XIP_SEGMENT_SHARED, &s);
 *     int id = xip_guard_add(s.addr, s.bytes, 1, &lost);
 *     memcpy(s.addr, bytes, n);
 *     atomic_thread_fence(memory_order_seq_cst);
 *     if (lost) ... the disk is full, or the file was cut
 *     xip_guard_remove(id);
 *     xip_segment_unload(s.addr);
 *
 * Any thread may call at any time, but not from a signal handler. Errors are negative errno values.
 */
#ifndef XIP_GUARD_H
#define XIP_GUARD_H

#include <stdint.h>

/*
 * Puts a handler for SIGBUS in front of the one that is installed now. It serves the faults of
 * guarded ranges and hands every other SIGBUS to the handler that it replaced, as that one was
 * installed: with its mask, or as the default action. A second time does nothing. Returns 0, or the
 * negative errno of sigaction(2).
 */
int xip_guard_install(void);

/*
 * Guards the pages of [start, start + bytes), which are mapped from a file; start is page aligned,
 * the last page counts as a whole. To be called before the first access. At the first fault in the
 * range *lost becomes the address of the page that faulted, and after that it only ever becomes a
 * lower one; it is 0 until then and must stay valid until the range is removed. Then the pages from
 * there to the end of the range become private zeros, which can be stored into if writable is not
 * 0. *lost is written before the first thread can read a zero. Returns a number of 0 or above that
 * names the range; -EINVAL for a start that is not aligned, no bytes or an end past the last
 * address; -ENOMEM.
 */
int xip_guard_add(const void *start, uint64_t bytes, int writable, uint64_t *lost);

/*
 * Ends the guarding of a range, before it is unmapped. When this returns, no thread is at work on
 * the range any more, and *lost stays as it is. Returns 0, or -EINVAL if there is no such range.
 */
int xip_guard_remove(int id);

/*
 * Has each fault in any guarded range add 1 to a word before it changes the range: for readers that
 * must learn of a loss without asking each range. There is one such word; a call replaces it, NULL
 * by none, and when the call returns the word before is not used any more.
 */
void xip_guard_watch(uint64_t *word);

#endif
