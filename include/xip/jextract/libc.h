/*
 * The system headers that class dev.xip.bindings.Libc is made from. Which of their symbols are taken
 * is written in libc.symbols.
 */
#define _GNU_SOURCE
#include <features.h>
/* GNU's own socket.h takes addresses by a transparent union, which jextract cannot express. */
#undef __USE_GNU
#include <sys/socket.h>
#include <sys/un.h>
#define __USE_GNU 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>
