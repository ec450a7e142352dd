#pragma once

#include <uthash.h>

#include "tests/backend/exchange.h"

/* Files for download, under /files/NAME: as large as you like, for their bytes are computed. Pages
 * of 4096 bytes, each of which begins with "SEED VERSION PAGE\n" in hexadecimal digits (8, 8, 12),
 * followed by bytes that count up from 0. With
 *
 *     size, seed 1, version 1
 *     ranges true          Range and If-Range are heeded
 *     etag, last_modified  true or false; etag "weak"
 *     rate                 bytes a second, 0 = as fast as it goes
 *     change_at            when somebody has read so far, the file changes: version is one more
 *     change "cut"         what is being read then ends; "mix": it goes on with the new bytes */

#define FILES_MAX 1000

typedef struct File {
    char *name;
    uint64_t size, change_at, changed, rate;
    unsigned seed, version;
    bool ranges, etag, weak, last_modified, mix;
    UT_hash_handle hh;
} File;

typedef struct Files {
    File *all;
} Files;

void files_clear(Files *f); /* also at the end */
void files_set(Files *f, const char *name, const cJSON *file);
bool files_route(Exchange *e, Files *f);
cJSON *files_to_json(const Files *f);

/* ---- file-range.c ---- */

/* What the client wants of the file, which has size bytes: 1 = a part; 0 = all of it, for there is
 * no Range, or one that is not understood; -ERANGE = nothing of it is there (416). */
int range_parse(const char *range, uint64_t size, uint64_t *ret_begin, uint64_t *ret_end);
