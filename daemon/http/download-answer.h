#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* What a server says in the headers of an answer, as far as a download wants to know. Pure. */

#define DOWNLOAD_UNKNOWN UINT64_MAX

typedef struct ContentRange {
    uint64_t first, last; /* first > last: "*", of a 416 */
    uint64_t total;       /* DOWNLOAD_UNKNOWN for "*" */
} ContentRange;

/* "bytes 0-499/1234" (RFC 9110, section 14.4). 0, or -EINVAL for what is none, or cannot be. */
int content_range_parse(const char *text, ContentRange *ret);

typedef struct DownloadAnswer {
    unsigned status;
    uint64_t length; /* Content-Length, or DOWNLOAD_UNKNOWN */
    bool has_range;
    ContentRange range;
    char *etag, *modified, *date, *retry_after; /* as they came, or NULL; owned */
} DownloadAnswer;

void download_answer_done(DownloadAnswer *a);

/* Takes one line of a head, with or without its end. A status line begins a new answer. 0 or
 * -ENOMEM. */
int download_answer_line(DownloadAnswer *a, const char *line, size_t size);

/* What the same file will have for sure, and another one not (RFC 9110, section 8.8): a strong
 * ETag, or a Last-Modified that is a minute older than the answer. NULL = there is none. */
const char *download_answer_validator(const DownloadAnswer *a);
