/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside libxip: the functions that the segment files share. A function that fails returns a
 * negative errno and sets the thread's message.
 */
#ifndef XIP_NATIVE_SEGMENT_H
#define XIP_NATIVE_SEGMENT_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "xip/pte.h"
#include "xip/segment.h"

/* A store's folder, open for one call. */
struct xip_store {
  const char *path; /* for messages */
  int fd;
  dev_t dev; /* identify the folder, whatever its path */
  ino_t ino;
  uid_t owner; /* the owner, trusted like the caller and root */
  gid_t group;
  mode_t mode;
};

/* segment_message.c */

/* Sets the thread's message to "CODE: ...". Returns -code. */
int xip_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Clears the thread's message. */
void xip_no_message(void);

/* From now on this thread's failures set no message (1), or do again (0). */
void xip_mute(int muted);

/* Room for what xip_quote writes: 60 characters of up to 6, the quotes, an ellipsis. */
#define XIP_QUOTED 368

/* Quotes arbitrary bytes on one line, and cuts them after 60. */
const char *xip_quote(const char *bytes, size_t length, char shown[XIP_QUOTED]);

/* segment_definition.c */

/* Room for a definition file's text, and one byte more that shows that it is too long. */
#define XIP_DEFINITION_MAX 1024

/* Room for the name of a file in a store. */
#define XIP_FILE_NAME 48

extern const char xip_type_names[8][5];

void xip_data_file(const struct xip_segment *segment, char file[XIP_FILE_NAME]);

/* Folds user input into a segment name, padded with zeros. */
int xip_fold_name(const char *text, char name[16]);

/* Reads back the text of a definition file of that name. out->name is the segment's name. */
int xip_parse_definition(const char *store, const char *text, size_t length,
                         struct xip_segment *out);

/* segment_store.c */

int xip_open_store(const char *path, struct xip_store *store);

/* Reads NAME.def into *out, except the fields about users and about being loaded. */
int xip_read_definition(const struct xip_store *store, const char *name, struct xip_segment *out);

/*
 * Opens a regular file of the store whose owner the store trusts, without following a link. Returns
 * its descriptor; or a negative errno, -EIO for another kind of file or another owner, and then
 * *found says what is there.
 */
int xip_open_file(const struct xip_store *store, const char *file, int how, const char **found);

/*
 * Cleans up after the last use of a version: if NAME.def no longer names it, deletes the files of
 * all versions that are not current and have no users. Failures are ignored.
 */
void xip_leave_version(const struct xip_store *store, const char *name, uint64_t version);

/* segment_use.c */

/*
 * Becomes a user of the data file, which is an open file with two locks, and clears it for the
 * first user of a segment of type SN. Returns its descriptor.
 */
int xip_begin_use(const struct xip_store *store, const struct xip_segment *segment, uint32_t mode);

/* Opens the data file of a segment; -EIO if there is none. Returns its descriptor. */
int xip_open_data(const struct xip_store *store, const struct xip_segment *segment, int how);

/* 1 if the open data file still has its name in the store, otherwise 0. */
int xip_is_in_store(const struct xip_store *store, const struct xip_segment *segment, int fd);

/* Counts the users that hold the data file through other open files than fd. 0 or -ENOMEM. */
int xip_count_users(int fd, struct xip_segment *out);

/* 1 if the data file has users through other open files than fd, otherwise 0. */
int xip_has_users(int fd);

/* fcntl(2) for a lock of the open file. Returns 0 or -1 with errno. */
int xip_lock_file(int fd, int command, short type, int64_t start, int64_t length);

/* segment_wait.c */

/* A wait for another process: its start, and whether it was reported. All zeros at first. */
struct xip_wait {
  struct timespec start;
  int tries;
  int told;
};

/*
 * Sleeps for some milliseconds while another process has a lock on the open file. Returns 1, or 0 if
 * the limit has passed.
 */
int xip_wait(struct xip_wait *wait, int fd, const char *file);

/* Room for what xip_lock_holder writes. */
#define XIP_HOLDER 48

/*
 * Writes the name of a process that has a lock on the open file: "process 4711", if it can be
 * found.
 */
const char *xip_lock_holder(int fd, char holder[XIP_HOLDER]);

/* segment_map.c */

/* Whether stores are allowed, and whether they stay in this process. */
int xip_is_writable(uint32_t type, uint32_t mode);
int xip_is_private(uint32_t type, uint32_t mode);

/* Maps the parts of a data file side by side and sets out->addr and out->end. */
int xip_map_parts(int fd, uint32_t mode, struct xip_segment *out);

#endif
