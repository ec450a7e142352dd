#include "daemon/bus/bus-recall.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/parked-calls.h"

/* A task whose object is called. */
typedef struct Wanted {
    uint64_t id;
    ParkedCalls calls; /* wait for the task; as long as there are any it is listed or asked for */
    ParkedCalls back;  /* the task was in memory: they were put back, and will come by again */
    TAILQ_ENTRY(Wanted) link; /* to be asked for */
    UT_hash_handle hh;
} Wanted;

struct BusRecall {
    Bus *b; /* not owned */
    Wanted *by_id;
    TAILQ_HEAD(, Wanted) list;
    Wanted *asked[BUS_RECALL_BATCH]; /* the batch that is being read */
    size_t n_asked;
    size_t n_parked;
};

BusRecall *bus_recall_new(Bus *b) {
    BusRecall *r = calloc(1, sizeof(BusRecall));

    if (!r)
        return NULL;
    r->b = b;
    TAILQ_INIT(&r->list);
    return r;
}

static void wanted_free(BusRecall *r, Wanted *w) {
    parked_calls_done(&w->calls);
    parked_calls_done(&w->back);
    HASH_DEL(r->by_id, w);
    free(w);
}

BusRecall *bus_recall_free(BusRecall *r) {
    if (!r)
        return NULL;
    while (r->by_id)
        wanted_free(r, r->by_id);
    free(r);
    return NULL;
}

static bool is_in_memory(const BusRecall *r, uint64_t id) {
    return task_table_find(r->b->api->tasks(r->b->api_userdata), id);
}

/* ---- asking ---- */

/* Handled in its turn, behind what has been read from the socket already. */
static int put_back(BusRecall *r, Wanted *w, sd_bus_message *m) {
    int e = parked_calls_add(&w->back, m);

    return e < 0 ? e : sd_bus_enqueue_for_read(r->b->bus, m);
}

static void answer_calls(BusRecall *r, Wanted *w, int error) {
    bool found = error >= 0 && is_in_memory(r, w->id);

    for (sd_bus_message *m; (m = parked_calls_take(&w->calls)); sd_bus_message_unref(m)) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = {};
        int k = found        ? put_back(r, w, m)
                : error >= 0 ? bus_error_no_such_task(&e, w->id)
                             : bus_error_storage(&e, error, "Cannot read the task from disk");
        if (k < 0)
            bus_reply_error(m, k, &e);
    }
    if (w->back.n == 0)
        wanted_free(r, w);
}

static void answer_asked(BusRecall *r, int error) {
    for (size_t i = 0; i < r->n_asked; i++)
        answer_calls(r, r->asked[i], error);
    r->n_asked = 0;
}

static void ask_next(BusRecall *r);

static void on_recalled(void *arg, int error) {
    BusRecall *r = arg;

    answer_asked(r, error);
    ask_next(r);
}

static void ask_next(BusRecall *r) {
    uint64_t ids[BUS_RECALL_BATCH];

    while (r->n_asked == 0 && !TAILQ_EMPTY(&r->list)) {
        for (Wanted *w; r->n_asked < BUS_RECALL_BATCH && (w = TAILQ_FIRST(&r->list));) {
            TAILQ_REMOVE(&r->list, w, link);
            ids[r->n_asked] = w->id;
            r->asked[r->n_asked++] = w;
        }
        int e = r->b->api->recall(r->b->api_userdata, ids, r->n_asked, on_recalled, r);
        if (e < 0)
            answer_asked(r, e);
    }
}

/* ---- calls ---- */

static Wanted *find(BusRecall *r, uint64_t id) {
    Wanted *w;

    HASH_FIND(hh, r->by_id, &id, sizeof(id), w);
    return w;
}

static Wanted *find_or_add(BusRecall *r, uint64_t id) {
    Wanted *w = find(r, id);

    if (w)
        return w;
    w = calloc(1, sizeof(Wanted));
    if (!w)
        return NULL;
    w->id = id;
    parked_calls_init(&w->calls, BUS_RECALL_CALLS_MAX, &r->n_parked);
    parked_calls_init(&w->back, BUS_RECALL_CALLS_MAX, &r->n_parked);
    HASH_ADD(hh, r->by_id, id, sizeof(w->id), w);
    return w;
}

static int park(BusRecall *r, uint64_t id, sd_bus_message *m) {
    Wanted *w = find_or_add(r, id);
    int e;

    if (!w)
        return -ENOMEM;
    bool first = w->calls.n == 0;
    e = parked_calls_add(&w->calls, m);
    if (e < 0) {
        if (first && w->back.n == 0)
            wanted_free(r, w);
        return e;
    }
    if (first) {
        TAILQ_INSERT_TAIL(&r->list, w, link);
        ask_next(r);
    }
    return 0;
}

/* Others were put back and have not come by yet: a new call must not overtake them. */
static int hold(BusRecall *r, uint64_t id, Wanted *w, sd_bus_message *m) {
    return w && w->back.n > 0 ? put_back(r, w, m) : park(r, id, m);
}

int bus_recall_call(BusRecall *r, uint64_t id, sd_bus_message *call, sd_bus_error *error) {
    Wanted *w = find(r, id);
    bool again = w && parked_calls_pass(&w->back, call);
    int e;

    /* One that comes by again may find that the task has left memory meanwhile; then it and those
     * behind it wait anew. */
    if ((!w || w->calls.n == 0) && (again || !w || w->back.n == 0) && is_in_memory(r, id)) {
        if (w && w->back.n == 0)
            wanted_free(r, w);
        return 0;
    }
    e = again ? park(r, id, call) : hold(r, id, w, call);
    if (e >= 0)
        return 1;
    if (e != -ENOBUFS)
        return e;
    return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                             "Too many calls wait for tasks to be read from disk (%d of one task "
                             "and %d altogether are the limits): wait for answers before you "
                             "send more",
                             BUS_RECALL_CALLS_MAX, PARKED_CALLS_MAX);
}
