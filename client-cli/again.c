#include "client-cli/again.h"

#define SAY_AFTER_USEC (3 * USEC_PER_SEC)
#define DELAY_FIRST_USEC (20 * USEC_PER_MSEC)
#define DELAY_MAX_USEC (500 * USEC_PER_MSEC)

/* A daemon that has worked on a question for so long was there. One that dies sooner may die of the
 * question, and is not asked for ever. */
#define LIVED_USEC (5 * USEC_PER_SEC)

AgainAdvice again_advise(Again *a, uint64_t sent_usec, uint64_t now_usec,
                         uint64_t *ret_delay_usec) {
    if (!a->is_away || now_usec - sent_usec >= LIVED_USEC)
        *a = (Again){.is_away = true, .since_usec = now_usec, .delay_usec = DELAY_FIRST_USEC};
    else
        a->delay_usec = MIN(2 * a->delay_usec, DELAY_MAX_USEC);

    uint64_t away_usec = now_usec - a->since_usec;
    if (away_usec >= AGAIN_PATIENCE_USEC)
        return AGAIN_GIVE_UP;
    *ret_delay_usec = a->delay_usec;
    if (a->said || away_usec < SAY_AFTER_USEC)
        return AGAIN_WAIT;
    a->said = true;
    return AGAIN_SAY_AND_WAIT;
}
