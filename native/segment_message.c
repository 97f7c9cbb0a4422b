/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* strerrorname_np */

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "segment.h"

/* A path and what is wrong with it. */
static _Thread_local char message[PATH_MAX + 512];
static _Thread_local int quiet;

XIP_EXPORT const char *xip_segment_message(void) { return message; }

void xip_no_message(void) { message[0] = 0; }

void xip_mute(int muted) { quiet = muted; }

int xip_fail(int code, const char *format, ...) {
  const char *name = strerrorname_np(code);
  va_list arguments;
  int length;

  if (quiet) return -code;
  length = name != NULL ? snprintf(message, sizeof message, "%s: ", name)
                        : snprintf(message, sizeof message, "error %d: ", code);
  va_start(arguments, format);
  vsnprintf(message + length, sizeof message - (size_t)length, format, arguments);
  va_end(arguments);
  return -code;
}

const char *xip_quote(const char *bytes, size_t length, char shown[XIP_QUOTED]) {
  char *to = shown;

  *to++ = '"';
  for (size_t i = 0; i < length && i < 60; i++) {
    unsigned char c = (unsigned char)bytes[i];
    to += c > 0x1f && c < 0x7f ? sprintf(to, "%c", c) : sprintf(to, "\\u%04x", c);
  }
  strcpy(to, length > 60 ? "...\"" : "\"");
  return shown;
}
