#include <errno.h>

#include "daemon/store/store-read.h"

/* Which ended tasks are more than what is to be kept: those that ended first. Totals are kept by
 * triggers, so that the answer is at hand when nothing is to go. */

typedef struct Excess {
    uint64_t tasks, log_bytes;
} Excess;

static uint64_t above(uint64_t have, uint64_t keep) {
    return have > keep ? have - keep : 0;
}

static int read_excess(StoreDb *d, const StoreLimits *limits, Excess *ret) {
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    int r = store_db_prepare(d, "SELECT tasks, log_kept FROM ended_all", &s);

    if (r >= 0)
        r = store_db_step(d, s);
    if (r < 0)
        return r;
    *ret = (Excess){
        .tasks = r > 0 ? above(store_column_u64(s, 0), limits->tasks) : 0,
        .log_bytes = r > 0 ? above(store_column_u64(s, 1), limits->log_bytes) : 0,
    };
    return 0;
}

int store_ask_excess(StoreRead *q, StoreDb *d) {
    _cleanup_statement_ sqlite3_stmt *s = NULL;
    Excess excess;
    int r = read_excess(d, &q->limits, &excess);

    if (r >= 0)
        r = store_db_prepare(d,
                             "SELECT id, finished_at, log_kept FROM task WHERE finished_at > 0"
                             " ORDER BY finished_at, id",
                             &s);
    while (r >= 0 && q->n_ids < STORE_IDS_MAX && (r = store_db_step(d, s)) > 0) {
        bool old = store_column_u64(s, 1) < q->limits.ended_since;
        if (!old && excess.tasks == 0 && excess.log_bytes == 0)
            break;
        q->ids[q->n_ids++] = store_column_u64(s, 0);
        excess.tasks = above(excess.tasks, 1);
        excess.log_bytes = above(excess.log_bytes, store_column_u64(s, 2));
    }
    return MIN(r, 0);
}
