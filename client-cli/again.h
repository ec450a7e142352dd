#pragma once

#include "common/macro.h"

/* When a question to a daemon that has gone away is asked again. The daemon keeps what it knows, so
 * that the next one can answer, and a call starts it where it can be started. All times are of the
 * same clock, in microseconds; the caller sleeps and prints. */

#define AGAIN_PATIENCE_USEC (60 * USEC_PER_SEC) /* from the first failure on */

/* One for each question; {} to begin with. */
typedef struct Again {
    bool is_away;        /* its last answer was that there is no daemon */
    bool said;           /* that we wait */
    uint64_t since_usec; /* when that began */
    uint64_t delay_usec;
} Again;

typedef enum AgainAdvice {
    AGAIN_GIVE_UP,
    AGAIN_WAIT,         /* and ask then */
    AGAIN_SAY_AND_WAIT, /* tell the person that it takes longer */
} AgainAdvice;

/* sent: when the question was sent that has failed now. */
AgainAdvice again_advise(Again *a, uint64_t sent_usec, uint64_t now_usec, uint64_t *ret_delay_usec);
