#include "daemon/core/progress.h"

#include <stdlib.h>

/* What a command that says "100%" gets to show until it has really succeeded. */
#define ALMOST_DONE 0.999

void progress_init(TaskProgress *p) {
    *p = (TaskProgress){.fraction = PROGRESS_UNKNOWN};
}

void progress_done(TaskProgress *p) {
    free(p->phase);
    estimate_free(p->estimate);
    progress_init(p);
}

static bool take(TaskProgress *p, const ProgressNews *news) {
    double fraction = news->fraction;
    uint64_t done = news->done, total = news->total;
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
    if (!news->trusted)
        fraction = MIN(fraction, ALMOST_DONE);
    if (fraction < p->fraction)
        return false;
    if (fraction == p->fraction &&
        (total > 0 ? done == p->done && total == p->total : done <= p->done))
        return false;
    /* What another source has counted does not belong to this fraction. */
    p->fraction = fraction;
    p->done = done;
    p->total = total;
    return true;
}

bool progress_update(TaskProgress *p, const ProgressNews *news, uint64_t now_usec) {
    if (!take(p, news))
        return false;
    p->source = news->source;
    if (news->done > 0 || news->total > 0)
        p->bytes = news->bytes;
    estimate_note(&p->estimate, now_usec, p->fraction, p->done);
    return true;
}

bool progress_set_phase(TaskProgress *p, const char *phase) {
    char *copy;

    if (streq(strempty(p->phase), phase))
        return false;
    copy = strdup(phase);
    if (!copy)
        return false;
    free(p->phase);
    estimate_reset(p->estimate);
    *p = (TaskProgress){
        .fraction = PROGRESS_UNKNOWN,
        .phase = copy,
        .source = p->source,
        .estimate = p->estimate,
    };
    return true;
}

void progress_end(TaskProgress *p, bool succeeded) {
    p->estimate = estimate_free(p->estimate);
    if (!succeeded)
        return;
    p->fraction = 1.0;
    if (p->total > 0)
        p->done = p->total;
}
