#pragma once

#include "daemon/shim/progress-reading.h"

/* What one source says, reading by reading: whether it is believed, which phase it is in, and how
 * far that has got. Who looks for progress in the output of any program finds numbers that are
 * none, programs that run side by side, and others that begin anew; so a reading that does not go
 * on from the one before waits for others of its kind. */

typedef struct ProgressChannel {
    ProgressSource source;
    bool trusted;
    ProgressReading now;                   /* the furthest of the phase */
    char label_before[PROGRESS_PHASE_MAX]; /* of the phase before it */
    unsigned phase;                        /* number of the one under way; 0: none yet */
    double began;                          /* the fraction at which it did */
    unsigned advances;                     /* how often it went on since */
    bool may_restart;                      /* it is known that the phase is over */
    /* Readings that speak for another phase, or for being trusted: how many there are, of how many,
     * and the last one. */
    unsigned n_waiting, n_needed;
    ProgressReading waiting;
    double waiting_began; /* the fraction of the first one */
    bool waiting_jump;    /* they are of the same phase, but far ahead */
} ProgressChannel;

typedef enum ProgressChange {
    PROGRESS_CHANGE_NONE,    /* nothing that anybody is to be told yet */
    PROGRESS_CHANGE_ADVANCE, /* now is further */
    PROGRESS_CHANGE_PHASE,   /* a new phase has begun */
} ProgressChange;

/* Takes a reading that is valid: fraction is within 0 to 1, or negative, and the phase is UTF-8. */
ProgressChange progress_channel_note(ProgressChannel *c, const ProgressReading *r);

/* Forgets all but the number of its phase. */
void progress_channel_reset(ProgressChannel *c);

/* It went all the way, or nearly so. */
bool progress_channel_is_at_end(const ProgressChannel *c);
/* It went through a phase from near its beginning to near its end. */
bool progress_channel_is_whole(const ProgressChannel *c);
