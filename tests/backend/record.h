#pragma once

#include "tests/backend/exchange.h"

/* The requests that came, the newest of them. */

typedef struct Record Record;

typedef struct Records {
    Record *items; /* a ring */
    size_t max, n, next;
    uint64_t total;
} Records;

void records_init(Records *r, size_t max);
void records_clear(Records *r);
void records_done(Records *r);
void records_add(Records *r, const Exchange *e);
/* Those whose path matches, as fnmatch(3) says, oldest first: an array. */
cJSON *records_to_json(const Records *r, const char *pattern);
size_t records_count(const Records *r, const char *pattern);
