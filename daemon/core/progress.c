#include "daemon/core/progress.h"

#include <stdlib.h>

/* What a command that says "100%" gets to show until it has really succeeded. */
#define ALMOST_DONE 0.999

void progress_init(TaskProgress *p) {
    *p = (TaskProgress){.fraction = PROGRESS_UNKNOWN};
}

void progress_done(TaskProgress *p) {
    free(p->phase);
    progress_init(p);
}

bool progress_update(TaskProgress *p, double fraction, uint64_t done, uint64_t total,
                     bool trusted) {
    bool valid = fraction >= 0 && fraction <= 1;

    if (total == 0 && !valid)
        total = p->total; /* a source may name its total once */
    if (total > 0) {
        done = MIN(done, total);
        fraction = (double)done / (double)total;
    } else if (!valid) {
        /* It counts, but of how many is not known. */
        if (done <= p->done)
            return false;
        p->done = done;
        return true;
    }
    if (!trusted)
        fraction = MIN(fraction, ALMOST_DONE);
    if (fraction < p->fraction)
        return false;
    if (fraction == p->fraction && (total == 0 || (done == p->done && total == p->total)))
        return false;
    p->fraction = fraction;
    if (total > 0) {
        p->done = done;
        p->total = total;
    }
    return true;
}

bool progress_set_phase(TaskProgress *p, const char *phase) {
    char *copy;

    if (streq(strempty(p->phase), phase))
        return false;
    copy = strdup(phase);
    if (!copy)
        return false;
    progress_done(p);
    p->phase = copy;
    return true;
}

void progress_complete(TaskProgress *p) {
    p->fraction = 1.0;
    if (p->total > 0)
        p->done = p->total;
}
