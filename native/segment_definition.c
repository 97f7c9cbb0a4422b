/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "segment.h"

#define FORM "xip segment 1"
#define CASTAGNOLI 0x82f63b78u /* CRC-32C, reflected */
#define LINE_MAX_CHARS 64

const char xip_type_names[8][5] = {"SW", "EW", "SR", "ER", "SN", "EN", "SC", "EWEN"};

/* The text of a definition while it is read. */
struct reader {
  const char *store;
  const char *name;
  const char *text;
  size_t length;
  size_t at; /* where the next line begins */
};

void xip_data_file(const struct xip_segment *segment, char file[XIP_FILE_NAME]) {
  snprintf(file, XIP_FILE_NAME, "%s.%" PRIu64 ".data", segment->name, segment->version);
}

int xip_fold_name(const char *text, char name[16]) {
  char shown[XIP_QUOTED];
  size_t length = strlen(text);

  memset(name, 0, 16);
  if (length == 0 || length > XIP_SEGMENT_NAME_MAX) {
    return xip_fail(ENAMETOOLONG, "segment name %s: expected 1 to %d characters, found %zu",
                    xip_quote(text, length, shown), XIP_SEGMENT_NAME_MAX, length);
  }
  for (size_t i = 0; i < length; i++) {
    char c = text[i];
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && strchr("$#@_", c) == NULL) {
      return xip_fail(EINVAL,
                      "segment name %s: expected only letters A to Z, digits and $ # @ _, found "
                      "another as character %zu",
                      xip_quote(text, length, shown), i + 1);
    }
    name[i] = c;
  }
  return 0;
}

static uint32_t crc32c(const char *bytes, size_t length) {
  uint32_t sum = ~0u;

  for (size_t i = 0; i < length; i++) {
    sum ^= (unsigned char)bytes[i];
    for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? CASTAGNOLI : 0);
  }
  return ~sum;
}

/* Fails because of the text at an offset. */
static int damaged(const struct reader *in, size_t offset, const char *expected) {
  char shown[XIP_QUOTED];
  size_t left = in->length - offset;
  const char *end = left == 0 ? NULL : memchr(in->text + offset, '\n', left);
  int line = 1;

  for (size_t i = 0; i < offset; i++) line += in->text[i] == '\n';
  return xip_fail(EIO,
                  "segment %s: definition: %s/%s.def: at byte 0x%zx: expected line %d to be "
                  "\"%s\", found %s%s",
                  in->name, in->store, in->name, offset, line, expected,
                  left == 0 ? "the end of the file"
                            : xip_quote(in->text + offset,
                                        end == NULL ? left : (size_t)(end - in->text) - offset,
                                        shown),
                  left != 0 && end == NULL ? " and no newline" : "");
}

/* Takes the next line, without its newline, as a string. Returns its length or -EIO. */
static int take_line(struct reader *in, char line[LINE_MAX_CHARS], const char *expected) {
  const char *from = in->text + in->at;
  size_t left = in->length - in->at;
  const char *end = left == 0 ? NULL : memchr(from, '\n', left);
  size_t length = end == NULL ? 0 : (size_t)(end - from);

  if (end == NULL || length >= LINE_MAX_CHARS || memchr(from, 0, length) != NULL) {
    return damaged(in, in->at, expected);
  }
  memcpy(line, from, length);
  line[length] = 0;
  in->at += length + 1;
  return (int)length;
}

static int take_literal(struct reader *in, const char *expected) {
  char line[LINE_MAX_CHARS];
  size_t start = in->at;
  int length = take_line(in, line, expected);

  return length < 0 ? length : strcmp(line, expected) == 0 ? 0 : damaged(in, start, expected);
}

/* Moves *at past a number of 1 to most digits in base 10 or 16, lower case. 0 or -1. */
static int take_number(const char **at, int base, int most, uint64_t *number) {
  static const char digits[] = "0123456789abcdef";
  const char *digit;
  int count = 0;

  *number = 0;
  for (; **at != 0 && (digit = memchr(digits, **at, (size_t)base)) != NULL; ++*at) {
    if (++count > most) return -1;
    *number = *number * (uint64_t)base + (uint64_t)(digit - digits);
  }
  return count == 0 ? -1 : 0;
}

static int take_version(struct reader *in, struct xip_segment *out) {
  static const char expected[] = "version NUMBER";
  char line[LINE_MAX_CHARS];
  const char *at = line + strlen("version ");
  size_t start = in->at;
  int length = take_line(in, line, expected);

  if (length < 0) return length;
  if (strncmp(line, "version ", strlen("version ")) != 0 || *at == '0' ||
      take_number(&at, 10, 18, &out->version) != 0 || *at != 0) {
    return damaged(in, start, expected);
  }
  return 0;
}

static int take_part(struct reader *in, struct xip_segment_part *part) {
  static const char expected[] = "part FIRST-LAST TYPE";
  char line[LINE_MAX_CHARS];
  const char *at = line + strlen("part ");
  size_t start = in->at;
  int length = take_line(in, line, expected);

  if (length < 0) return length;
  *part = (struct xip_segment_part){.type = XIP_SEGMENT_EWEN};
  if (strncmp(line, "part ", strlen("part ")) == 0 &&
      take_number(&at, 16, 10, &part->first_page) == 0 && *at++ == '-' &&
      take_number(&at, 16, 10, &part->last_page) == 0 && *at++ == ' ') {
    for (uint32_t type = 0; type < XIP_SEGMENT_EWEN; type++) {
      if (strcmp(at, xip_type_names[type]) == 0) part->type = type;
    }
  }
  if (part->type == XIP_SEGMENT_EWEN) return damaged(in, start, expected);
  if (part->last_page < part->first_page) {
    return xip_fail(EINVAL, "segment %s: part %s: expected a last page not below the first, found "
                    "a reversed range", in->name, line + strlen("part "));
  }
  return 0;
}

/* The rules of extmem.c: query_segment_type. part has as many as the text, up to one too many. */
static int check_parts(const char *name, const struct xip_segment_part *part, uint32_t parts) {
  if (parts > XIP_SEGMENT_PARTS_MAX) {
    return xip_fail(EOPNOTSUPP, "segment %s: expected 1 to %d parts, found more", name,
                    XIP_SEGMENT_PARTS_MAX);
  }
  for (uint32_t i = 0; parts > 1 && i < parts; i++) {
    uint64_t expected = i == 0 ? part[0].first_page : part[i - 1].last_page + 1;
    if (part[i].type != XIP_SEGMENT_EW && part[i].type != XIP_SEGMENT_EN) {
      return xip_fail(EOPNOTSUPP,
                      "segment %s: expected only EW and EN among several parts, found %s as part "
                      "%u", name, xip_type_names[part[i].type], i + 1);
    }
    if (part[i].first_page != expected) {
      return xip_fail(part[i].first_page < expected ? EINVAL : EOPNOTSUPP,
                      "segment %s: expected part %u to start at page %" PRIx64 ", found %" PRIx64,
                      name, i + 1, expected, part[i].first_page);
    }
  }
  return 0;
}

/* Writes the only text of a definition. */
static void format(const struct xip_segment *segment, char text[XIP_DEFINITION_MAX]) {
  char data[XIP_FILE_NAME];
  int at = sprintf(text, FORM "\nname %s\nversion %" PRIu64 "\n", segment->name, segment->version);

  for (uint32_t i = 0; i < segment->parts; i++) {
    const struct xip_segment_part *part = &segment->part[i];
    at += sprintf(text + at, "part %" PRIx64 "-%" PRIx64 " %s\n", part->first_page,
                  part->last_page, xip_type_names[part->type]);
  }
  xip_data_file(segment, data);
  at += sprintf(text + at, "data %s %" PRIu64 "\n", data, segment->bytes);
  sprintf(text + at, "crc32c %08" PRIx32 "\n", crc32c(text, (size_t)at));
}

/* Checks the sum in the last line, which covers all lines before it, before they are read. */
static int check_sum(const struct reader *in) {
  char expected[32];
  const char *end = in->length < 2 ? NULL : memrchr(in->text, '\n', in->length - 1);
  size_t start = end == NULL ? 0 : (size_t)(end - in->text) + 1;
  size_t length = (size_t)sprintf(expected, "crc32c %08" PRIx32 "\n", crc32c(in->text, start));
  int same = in->length - start == length && memcmp(in->text + start, expected, length) == 0;

  expected[length - 1] = 0;
  return same ? 0 : damaged(in, start, expected);
}

/* Rejects what the forms of the lines let through, such as leading zeros. */
static int check_identical(const struct reader *in, const struct xip_segment *segment) {
  char only[XIP_DEFINITION_MAX], *end;
  size_t start = 0;

  format(segment, only);
  if (strlen(only) == in->length && memcmp(only, in->text, in->length) == 0) return 0;
  for (; (end = strchr(only + start, '\n')) != NULL; start += (size_t)(end - only) - start + 1) {
    size_t length = (size_t)(end - only) - start + 1;
    if (in->length - start < length || memcmp(only + start, in->text + start, length) != 0) {
      *end = 0;
      return damaged(in, start, only + start);
    }
  }
  return damaged(in, start, "the end of the file");
}

int xip_parse_definition(const char *store, const char *text, size_t length,
                         struct xip_segment *out) {
  struct reader in = {.store = store, .name = out->name, .text = text, .length = length};
  struct xip_segment_part more, *part;
  char name[LINE_MAX_CHARS];
  int error = take_literal(&in, FORM);

  if (error == 0 && length > XIP_DEFINITION_MAX) {
    return xip_fail(EIO,
                    "segment %s: definition: %s/%s.def: at byte 0x%x: expected the end of the "
                    "file, found more bytes", out->name, store, out->name, XIP_DEFINITION_MAX);
  }
  if (error == 0) error = check_sum(&in);
  sprintf(name, "name %s", out->name);
  if (error == 0) error = take_literal(&in, name);
  if (error == 0) error = take_version(&in, out);
  out->parts = 0;
  do {
    part = out->parts < XIP_SEGMENT_PARTS_MAX ? &out->part[out->parts] : &more;
    if (error == 0) error = take_part(&in, part);
    if (error != 0) return error;
    out->parts++;
  } while (length - in.at >= 5 && memcmp(text + in.at, "part ", 5) == 0);
  error = check_parts(out->name, out->part, out->parts);
  if (error != 0) return error;
  out->type = out->parts == 1 ? out->part[0].type : XIP_SEGMENT_EWEN;
  out->pa = out->part[0].first_page << XIP_PAGE_SHIFT;
  out->bytes = ((out->part[out->parts - 1].last_page + 1) << XIP_PAGE_SHIFT) - out->pa;
  out->pa_end = out->pa + out->bytes - 1;
  return check_identical(&in, out);
}
