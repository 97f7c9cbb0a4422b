/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guard for mappings of files. When a mapped file is truncated, or a store to a hole finds the
 * disk full, the kernel sends SIGBUS to the thread that touched the page, and that ends the
 * process. With this guard the thread continues: the rest of the range becomes memory of zeros, and
 * a word that the caller supplies receives the address from which on the range is lost.
 *
 * A C program that links libxip must install the guard and add each range. In a JVM the guard is
 * installed when the library is loaded.
 *
 * A reader checks the word after its loads and before it uses their values: what was read from
 * *lost on is zeros that the file never had. A writer checks it after its stores: what was stored
 * from *lost on is in no file. The compiler does not know of the handler, so a fence must separate
 * access and check. A file that grows again changes nothing: the range stays lost until it is
 * mapped anew. In the page that a truncation ends in, the kernel clears the bytes after the new end
 * without a signal: those are not lost here, and read as zeros.
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

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Installs a handler for SIGBUS. It serves the faults of guarded ranges and passes every other
 * SIGBUS to the handler that it replaced, with that one's mask, or performs the default action. A
 * second call does nothing. Returns 0, or the negative errno of sigaction(2).
 */
int xip_guard_install(void);

/*
 * Guards the pages of [start, start + bytes), which are mapped from a file; start is page aligned,
 * the last page counts as a whole. To be called before the first access. *lost must be 0 and stay
 * valid until the range is removed. At the first fault in the range it becomes the address of the
 * page that faulted, and later faults can only lower it. Then the pages from there to the end of
 * the range become private zeros, which can be stored into if writable is not 0. *lost is written
 * before any thread can read a zero. Returns the range's number, 0 or above; -EINVAL for a start
 * that is not aligned, no bytes or an end past the last address; -ENOMEM.
 */
int xip_guard_add(const void *start, uint64_t bytes, int writable, uint64_t *lost);

/*
 * Ends the guarding of a range, before it is unmapped. When this returns, no handler works on the
 * range any more, and *lost does not change again. Returns 0, or -EINVAL if there is no such range.
 */
int xip_guard_remove(int id);

/*
 * Makes each fault in any guarded range add 1 to a word before it changes the range: so a reader can
 * learn of a loss without checking each range. There is one such word: a call replaces the previous
 * one, NULL removes it, and when the call returns no handler uses the previous word any more.
 */
void xip_guard_watch(uint64_t *word);

#ifdef __cplusplus
}
#endif

#endif
