#pragma once

#include "tests/backend/exchange.h"

/* What is to go wrong: objects of JSON with members
 *
 *     path     of the requests that it is for, as fnmatch(3) matches it; "*" = all
 *     method   of these requests; missing = all
 *     kind     see fault-apply.c
 *     count    how often; missing = until it is cleared
 *     skip     so many requests go by before the first
 *     chance   of each request, 0 to 1; missing = 1
 *
 * and what the kind takes. The oldest one that fits counts. */

#define FAULTS_MAX 10000

typedef struct Faults {
    cJSON *list;
    unsigned short seed[3]; /* of erand48(3) */
    uint64_t done;          /* how often one struck */
} Faults;

void faults_init(Faults *f);
void faults_seed(Faults *f, uint32_t seed);
void faults_clear(Faults *f);
void faults_done(Faults *f);
/* Takes fault. NULL, or what is wrong with it. */
const char *faults_add(Faults *f, cJSON *fault);
/* "hang:/api/status", or the object as text. */
const char *faults_add_text(Faults *f, const char *text);
/* What happens to this request, a copy; NULL = nothing. */
cJSON *faults_match(Faults *f, const Exchange *e);
double faults_random(Faults *f); /* 0 to 1 */

/* ---- fault-apply.c ---- */

bool fault_kind_is_known(const char *kind);
/* Instead of an answer: sets the reply, and true; or it waits, or has ended the connection. */
typedef enum FaultStep {
    FAULT_NONE,    /* the request is to be answered */
    FAULT_REPLIED, /* the reply is there */
    FAULT_WAITS,
    FAULT_CLOSE, /* the connection is to be closed */
} FaultStep;
FaultStep fault_before(Exchange *e);
/* Changes the reply that is there, and how it is delivered. */
void fault_after(Exchange *e);
