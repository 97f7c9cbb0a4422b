/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments for programs that are not Java: memory with a name and a type, kept in a store folder,
 * that any number of processes load and share. src/main/java/dev/xip/segment/README.md has the
 * rules and the form on disk; Java and C programs use one store side by side. Linux counterpart:
 * arch/s390/mm/extmem.c.
 *
 * Common to all functions:
 * - store is the path of the folder, name 1 to 8 of the letters, digits and $ # @ _, folded to
 *   upper case. The folder must exist.
 * - Errors are negative errno values, and xip_segment_message says what was expected of which file
 *   and what was found; errno itself is not part of the contract.
 * - A process has one list of loaded segments, guarded by one mutex: any thread may call at any
 *   time. A call may sleep, and may wait for another process, but not longer than xip_segment_wait
 *   says. No function may be called from a signal handler.
 * - After fork(2) the child has the same segments loaded as the parent, at the same addresses and
 *   with the same references, and each process unloads its own. The two count as one user, under
 *   the parent's process number, until both have unloaded. fork waits for a call of another thread
 *   to end. vfork(2) and exec(3) leave nothing behind: every descriptor is closed on exec.
 * - A store trusts the owner of its folder, the caller and root: they could change the caller's
 *   files anyway. A file that belongs to another user is neither read nor mapped, and the segment
 *   fails with -EIO; a link, pipe, socket, device or folder under a store's name is neither
 *   followed nor opened for writing. The members of a group that may write to the folder can delete
 *   and rename its files, and so remove segments, but not put their own in the place of others.
 * - An access to a lost page of a file that was truncated while it was loaded raises SIGBUS. So
 *   does a full disk (ENOSPC): the data file of SW and SN is a hole until it is stored into, the
 *   kernel allocates a block at the first store to a page, and the store gets the signal if there
 *   is no block. The default action ends the process. A program that must survive that uses the
 *   guard of xip/guard.h: then the store reaches private memory, and a word that the program
 *   supplies receives the address from which on stores do not reach the file.
 */
#ifndef XIP_SEGMENT_H
#define XIP_SEGMENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a segment is loaded; the numbers are the kernel's (SEGMENT_SHARED, SEGMENT_EXCLUSIVE). */
#define XIP_SEGMENT_SHARED 0    /* shared with all shared loads; the type decides about stores */
#define XIP_SEGMENT_EXCLUSIVE 1 /* as a private copy */

/* Types; the numbers are the kernel's (SEG_TYPE_*). */
#define XIP_SEGMENT_SW 0   /* shared, writable: shared loads see each other's stores */
#define XIP_SEGMENT_EW 1   /* exclusive, writable: a private copy in either mode */
#define XIP_SEGMENT_SR 2   /* shared, read-only; exclusive: a private copy to write to */
#define XIP_SEGMENT_ER 3   /* exclusive, read-only: as SR */
#define XIP_SEGMENT_SN 4   /* as SW, not saved; the first user finds zeros */
#define XIP_SEGMENT_EN 5   /* as EW, not saved */
#define XIP_SEGMENT_SC 6   /* read-only in either mode */
#define XIP_SEGMENT_EWEN 7 /* several parts, each EW or EN */

#define XIP_SEGMENT_NAME_MAX 8
#define XIP_SEGMENT_PARTS_MAX 6

/* A run of pages of one type inside a segment. 24 bytes. */
struct xip_segment_part {
  uint64_t first_page; /* page frame number, below 1 << 40 */
  uint64_t last_page;  /* inclusive */
  uint32_t type;       /* XIP_SEGMENT_*, never EWEN */
  uint32_t zero;
};

/* A segment in a store, and its load by this process. 240 bytes. */
struct xip_segment {
  void *addr;              /* its first byte in this process, page aligned; NULL: not loaded */
  void *end;               /* its last byte, inclusive; NULL: not loaded */
  uint64_t loaded_version; /* the version that lies there; 0: not loaded */
  uint64_t version;        /* 1 when defined, one more per save */
  uint64_t pa;             /* physical address of the first byte */
  uint64_t pa_end;         /* and of the last, inclusive */
  uint64_t bytes;          /* length, a multiple of the page size */
  uint32_t type;           /* XIP_SEGMENT_* */
  uint32_t mode;           /* XIP_SEGMENT_SHARED or _EXCLUSIVE, if loaded */
  uint32_t references;     /* loads by this process that it has not unloaded; 0: not loaded */
  uint32_t shared_users;   /* users of that version now, in any process, by shared loads */
  uint32_t exclusive_users; /* and exclusive; each user counts once; counted to 16384 */
  uint32_t parts;          /* 1 to XIP_SEGMENT_PARTS_MAX */
  char name[16];           /* in upper case, ends with a zero byte */
  struct xip_segment_part part[XIP_SEGMENT_PARTS_MAX]; /* in order of address, adjacent */
};

/*
 * Loads a segment, or takes one more reference if this process has it in the same mode: then *out
 * has the same addresses, and the version that was loaded first. The parts lie side by side at
 * [addr, end], wherever the system found room; no physical memory is modelled here. Returns the
 * type, 0 to 7; on an error *out is all zeros. In this order:
 * -EINVAL        an argument is NULL, the mode is none, or the name has a character no name has
 * -ENAMETOOLONG  the name is empty or longer than 8
 * -ENOENT, -ENOTDIR  there is no such store, or it is no folder
 * -EPERM         this process has it loaded in the other mode
 * -ENOENT        the store has none of that name
 * -EIO           the definition is damaged, truncated, tampered with or of an unknown form, or it is
 *                no regular file or one of an owner whom the store does not trust
 * -EOPNOTSUPP    its parts are more than 6, have a gap, or are several and not all EW or EN
 * -EINVAL        a part is reversed or overlaps the one before
 * -EBUSY         this process has part of the same megabyte from another segment
 * -ERANGE        it is larger than the address space of a process
 * -EIO           the data file is missing, shorter than the definition says, no regular file, of an
 *                owner whom the store does not trust, or has a second name though stores reach it
 * -EBUSY         another process has held the data file exclusively for as long as a call waits
 * -ENOMEM        there is no memory or mapping left
 * and the errno of a system call that failed, such as -EACCES or -EMFILE. SN, and SW if shared,
 * need permission to write to the data file; all else is loaded with permission to read.
 */
int xip_segment_load(const char *store, const char *name, int mode, struct xip_segment *out);

/*
 * Drops a reference to the segment whose first byte is at addr. With the last one its memory is
 * unmapped, the process is no user any more, and if its version has been replaced or removed and
 * has no other user, its files are deleted; without the right to do that, they stay until the next
 * change of the segment. Returns 0; -EINVAL if no segment is loaded at addr; or the negative errno
 * of munmap(2), and then the segment stays loaded.
 */
int xip_segment_unload(const void *addr);

/*
 * Describes the version that a load would get now, without loading it. The fields about being
 * loaded are those of this process. Returns the type or an error of xip_segment_load; on an error
 * *out is all zeros.
 */
int xip_segment_query(const char *store, const char *name, struct xip_segment *out);

#define XIP_SEGMENT_WAIT 10000 /* the default limit, in milliseconds */

/* Called in a thread that waits, with a line such as "waiting for process 4711, which ...". */
typedef void (*xip_segment_told)(const char *line);

/*
 * Sets for all threads how many milliseconds a call waits for other processes at most, and the
 * function that is called once a wait has lasted a second; told may be NULL, the default. A load
 * waits for a first user of SN that clears the data file, and fails with -EBUSY at the limit. An
 * unload that finds its version replaced waits for the process that changes the store, and leaves
 * the files to it at the limit.
 */
void xip_segment_wait(unsigned milliseconds, xip_segment_told told);

/*
 * One line about the last call of this thread, if that failed: the code by name, the segment or
 * file, what was expected and what was found. It is valid until the thread's next call. Never NULL.
 */
const char *xip_segment_message(void);

#ifdef __cplusplus
}
#endif

#endif
