#pragma once

#include "common/macro.h"

/* How long to wait before the next request. Pure; what is random is handed in. */

#define OPERATION_INTERVAL_USEC (2 * USEC_PER_SEC)
#define OPERATION_INTERVAL_FIRST_USEC (500 * USEC_PER_MSEC)
/* While nothing changes, the pauses grow up to this; while it cannot be reached, up to the other.
 */
#define OPERATION_INTERVAL_MAX_USEC (30 * USEC_PER_SEC)
#define OPERATION_BACKOFF_MAX_USEC (60 * USEC_PER_SEC)
#define OPERATION_BACKOFF_FIRST_USEC (250 * USEC_PER_MSEC)
/* What a server may ask for by Retry-After. */
#define OPERATION_RETRY_AFTER_MIN_USEC (100 * USEC_PER_MSEC)
#define OPERATION_RETRY_AFTER_MAX_USEC USEC_PER_HOUR
/* While a cancel is under way, somebody waits. */
#define OPERATION_HURRY_MAX_USEC (2 * USEC_PER_SEC)

typedef struct OperationPace {
    uint64_t fixed_usec;    /* by the params; 0 = it is for us to choose */
    uint64_t interval_usec; /* the last pause between good answers; 0 = none yet */
    uint64_t backoff_usec;  /* the last one after a failure; 0 = the last answer was good */
    bool hurry;
} OperationPace;

/* retry_after_usec: of the answer, 0 = it says nothing. */
/* After a good answer. changed: it says something new. */
uint64_t operation_pace_good(OperationPace *p, bool changed, uint64_t retry_after_usec,
                             uint64_t random);
/* After none, or one that is to be asked for again. */
uint64_t operation_pace_bad(OperationPace *p, uint64_t retry_after_usec, uint64_t random);
