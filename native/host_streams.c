/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JNI functions of class dev.xip.host.StreamCalls: system calls on the standard streams, and the
 * signals that xip hands on to the programs it runs. Results are those of the system calls, or an
 * error number, negative. JNI, because each function linked through java.lang.foreign takes
 * milliseconds of every start.
 */
#define _GNU_SOURCE /* tgkill, eventfd */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "export.h"

#define CALL(type, name) XIP_EXPORT type Java_dev_xip_host_StreamCalls_##name

int64_t Java_dev_xip_host_StreamCalls_read(void *env, void *type, int32_t fd, int64_t address,
                                           int64_t count);
int64_t Java_dev_xip_host_StreamCalls_write(void *env, void *type, int32_t fd, int64_t address,
                                            int64_t count);
int64_t Java_dev_xip_host_StreamCalls_readAt(void *env, void *type, int32_t fd, int64_t address,
                                             int64_t count, int64_t offset);
int64_t Java_dev_xip_host_StreamCalls_seek(void *env, void *type, int32_t fd, int64_t offset,
                                           int32_t whence);
int64_t Java_dev_xip_host_StreamCalls_control(void *env, void *type, int32_t fd, int64_t request,
                                              int64_t argument);
int32_t Java_dev_xip_host_StreamCalls_flags(void *env, void *type, int32_t fd);
int32_t Java_dev_xip_host_StreamCalls_status(void *env, void *type, int32_t fd, int64_t words);
int32_t Java_dev_xip_host_StreamCalls_ready(void *env, void *type, int32_t fd, int32_t events);
int32_t Java_dev_xip_host_StreamCalls_await(void *env, void *type, int64_t array, int32_t count);
int32_t Java_dev_xip_host_StreamCalls_event(void *env, void *type);
void Java_dev_xip_host_StreamCalls_close(void *env, void *type, int32_t fd);
int32_t Java_dev_xip_host_StreamCalls_takeSignals(void *env, void *type);
void Java_dev_xip_host_StreamCalls_giveSignalsBack(void *env, void *type);
int32_t Java_dev_xip_host_StreamCalls_stop(void *env, void *type, int32_t signal);
int32_t Java_dev_xip_host_StreamCalls_restore(void *env, void *type, int32_t fd, int64_t settings);

static int64_t result(int64_t value) { return value < 0 ? -errno : value; }

CALL(int64_t, read)(void *env, void *type, int32_t fd, int64_t address, int64_t count) {
  int64_t got;

  (void)env, (void)type;
  do got = result(read(fd, (void *)address, (size_t)count));
  while (got == -EINTR);
  return got;
}

CALL(int64_t, write)(void *env, void *type, int32_t fd, int64_t address, int64_t count) {
  int64_t done;

  (void)env, (void)type;
  do done = result(write(fd, (const void *)address, (size_t)count));
  while (done == -EINTR);
  return done;
}

CALL(int64_t, readAt)(void *env, void *type, int32_t fd, int64_t address, int64_t count,
                      int64_t offset) {
  (void)env, (void)type;
  return result(pread(fd, (void *)address, (size_t)count, offset));
}

CALL(int64_t, seek)(void *env, void *type, int32_t fd, int64_t offset, int32_t whence) {
  (void)env, (void)type;
  return result(lseek(fd, offset, whence));
}

CALL(int64_t, control)(void *env, void *type, int32_t fd, int64_t request, int64_t argument) {
  int64_t done;

  (void)env, (void)type;
  do done = result(ioctl(fd, (unsigned long)request, argument));
  while (done == -EINTR);
  return done;
}

CALL(int32_t, flags)(void *env, void *type, int32_t fd) {
  (void)env, (void)type;
  return (int32_t)result(fcntl(fd, F_GETFL));
}

/* Gives 14 words: device, inode, mode, owners, number of a device, size, three times. */
CALL(int32_t, status)(void *env, void *type, int32_t fd, int64_t words) {
  struct stat now;
  int64_t *to = (int64_t *)words;

  (void)env, (void)type;
  if (fstat(fd, &now) != 0) return -errno;
  *to++ = (int64_t)now.st_dev;
  *to++ = (int64_t)now.st_ino;
  *to++ = now.st_mode;
  *to++ = now.st_uid;
  *to++ = now.st_gid;
  *to++ = major(now.st_rdev);
  *to++ = minor(now.st_rdev);
  *to++ = now.st_size;
  *to++ = now.st_atim.tv_sec;
  *to++ = now.st_atim.tv_nsec;
  *to++ = now.st_mtim.tv_sec;
  *to++ = now.st_mtim.tv_nsec;
  *to++ = now.st_ctim.tv_sec;
  *to = now.st_ctim.tv_nsec;
  return 0;
}

/* What is ready now, POLL*. */
CALL(int32_t, ready)(void *env, void *type, int32_t fd, int32_t events) {
  struct pollfd one = {.fd = fd, .events = (short)events};

  (void)env, (void)type;
  return poll(&one, 1, 0) < 0 ? 0 : one.revents;
}

/* Waits for one of an array of struct pollfd; a signal may end it with -EINTR. */
CALL(int32_t, await)(void *env, void *type, int64_t array, int32_t count) {
  (void)env, (void)type;
  return (int32_t)result(poll((struct pollfd *)array, (nfds_t)count, -1));
}

CALL(int32_t, event)(void *env, void *type) {
  (void)env, (void)type;
  return (int32_t)result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

CALL(void, close)(void *env, void *type, int32_t fd) {
  (void)env, (void)type;
  close(fd);
}

/* The signals that are taken, and what the process did at each before. */
static const int taken[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
#define TAKEN ((int)(sizeof taken / sizeof taken[0]))

static struct sigaction before[TAKEN];
static int signal_pipe[2] = {-1, -1};

/* Notes a signal and whether a terminal or the kernel has sent it: 8 bytes, written as a whole. */
static void on_signal(int number, siginfo_t *info, void *context) {
  int32_t note[2] = {number, info->si_code > 0};
  int error = errno;
  ssize_t ignored = write(signal_pipe[1], note, sizeof note);

  (void)context, (void)ignored;
  errno = error;
}

static int take(int i) {
  struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

  ours.sa_sigaction = on_signal;
  sigfillset(&ours.sa_mask);
  if (sigaction(taken[i], NULL, &before[i]) != 0) return -1;
  /* A signal that the caller of xip has made ignored stays so, as nohup wants it. */
  if (before[i].sa_handler == SIG_IGN) return 0;
  return sigaction(taken[i], &ours, NULL);
}

/* Handles signals by notes in a pipe, from now on; returns the descriptor to read them from. */
CALL(int32_t, takeSignals)(void *env, void *type) {
  (void)env, (void)type;
  if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  for (int i = 0; i < TAKEN; i++) {
    if (take(i) != 0) return -errno;
  }
  return signal_pipe[0];
}

/* The pipe stays open for the handler, which may be running still. */
CALL(void, giveSignalsBack)(void *env, void *type) {
  (void)env, (void)type;
  for (int i = 0; i < TAKEN; i++) {
    sigaction(taken[i], &before[i], NULL);
  }
}

/* Stops the process as the signal does by default; returns when it goes on. */
CALL(int32_t, stop)(void *env, void *type, int32_t signal) {
  struct sigaction now, standard = {.sa_handler = SIG_DFL};
  int stopped;

  (void)env, (void)type;
  if (signal == SIGSTOP) return (int32_t)result(tgkill(getpid(), gettid(), SIGSTOP));
  if (sigaction(signal, &standard, &now) != 0) return -errno;
  /* To this thread: the signal has its effect before the call returns. */
  stopped = (int32_t)result(tgkill(getpid(), gettid(), signal));
  sigaction(signal, &now, NULL);
  return stopped;
}

/* Sets a terminal, if this process may without being stopped by SIGTTOU. */
CALL(int32_t, restore)(void *env, void *type, int32_t fd, int64_t settings) {
  sigset_t stops, mask;
  pid_t foreground = tcgetpgrp(fd);
  int done;

  (void)env, (void)type;
  if (foreground >= 0 && foreground != getpgrp()) return -EIO;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &stops, &mask);
  done = (int32_t)result(ioctl(fd, TCSETS, (void *)settings));
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  return done;
}
