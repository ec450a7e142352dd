#include "daemon/bus/bus-publisher.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/task-outbox.h"

#define BATCH_INTERVAL_USEC (110 * USEC_PER_MSEC)
#define FINISHED_INTERVAL_USEC (20 * USEC_PER_MSEC)
#define OUTBOXES_INTERVAL_USEC (5 * USEC_PER_MSEC)

typedef struct Batch {
    Coalescer rate;
    BatchEntry *entries;
    size_t count, allocated;
} Batch;

/* A group that has run dry. */
typedef struct GroupEnd {
    char *group;
    unsigned succeeded, failed;
    TAILQ_ENTRY(GroupEnd) link;
} GroupEnd;

struct BusPublisher {
    sd_bus *bus;     /* not owned */
    sd_event *event; /* not owned */
    const BusApi *api;
    void *api_userdata;
    sd_event_source *timer;
    uint64_t timer_usec; /* when it comes; USEC_INFINITY when it is off */
    TAILQ_HEAD(, TaskOutbox) outboxes;
    uint64_t outboxes_due; /* when the first of them has something to send, or sooner */
    Batch added, finished, removed;
    Coalescer changed; /* the tasks are those whose outbox is listed, and: */
    Batch stirred;     /* some that have none yet; they may be gone by now */
    size_t n_listed;
    TAILQ_HEAD(, GroupEnd) group_ends; /* told behind the ends of their tasks */
};

static void batch_add(Batch *b, BatchEntry entry) {
    if (b->count == b->allocated) {
        size_t n = MAX(b->allocated * 2, (size_t)64);
        BatchEntry *grown = realloc(b->entries, n * sizeof(BatchEntry));
        if (!grown) {
            log_warning_errno(-ENOMEM, "Cannot note task for a signal, ignoring");
            return;
        }
        b->entries = grown;
        b->allocated = n;
    }
    b->entries[b->count++] = entry;
    coalescer_add(&b->rate);
}

/* Memory of a large batch is given back. */
static void batch_clear(Batch *b) {
    b->count = 0;
    b->rate.pending = false;
    if (b->allocated > 1024) {
        free(b->entries);
        b->entries = NULL;
        b->allocated = 0;
    }
}

static uint64_t now(BusPublisher *p) {
    uint64_t usec = 0;

    (void)sd_event_now(p->event, CLOCK_MONOTONIC, &usec);
    return usec;
}

/* ---- sending ---- */

static void send_log(BusPublisher *p, Task *t, bool final) {
    _cleanup_(log_lines_done) LogLines lines = {};
    int r = p->api->new_log_lines(p->api_userdata, t, final, &lines);

    if (r < 0)
        log_full(LOG_WARNING, t->id, "Cannot read the log for the signal Log, ignoring: %s",
                 strerror(-r));
    else if (lines.count > 0)
        bus_emit_log(p->bus, t, &lines);
}

static void send_change(BusPublisher *p, TaskOutbox *o, BusChange change, bool final) {
    Task *t = o->task;

    switch (change) {
    case BUS_CHANGE_STATE:
        bus_emit_state(p->bus, t);
        break;
    case BUS_CHANGE_PROGRESS:
        o->sent_fraction = task_work(t)->progress.fraction;
        bus_emit_progress(p->bus, t);
        break;
    case BUS_CHANGE_STATUS:
        bus_emit_status(p->bus, t);
        break;
    case BUS_CHANGE_LOG:
        send_log(p, t, final);
        break;
    case _BUS_CHANGE_MAX:
        break;
    }
}

static void send_outbox(BusPublisher *p, TaskOutbox *o, uint64_t usec, bool final) {
    for (int change; (change = task_outbox_take(o, usec, final)) >= 0;)
        send_change(p, o, (BusChange)change, final);
}

static void send_added(BusPublisher *p) {
    bus_emit_tasks_added(p->bus, p->added.entries, p->added.count);
    batch_clear(&p->added);
}

/* Its end is on the way to the disk: what there is to tell goes out when it is there. */
static bool ends(const Task *t) {
    return task_is_final(t);
}

static size_t find_stirred(BusPublisher *p, Task **ret) {
    const TaskTable *table = p->api->tasks(p->api_userdata);
    size_t n = 0;

    for (size_t i = 0; i < p->stirred.count; i++) {
        Task *t = task_table_find(table, p->stirred.entries[i].id);
        if (t && !t->outbox && !ends(t))
            ret[n++] = t;
    }
    return n;
}

static void send_changed(BusPublisher *p) {
    _cleanup_free_ Task **tasks = calloc(p->n_listed + p->stirred.count + 1, sizeof(Task *));
    size_t n = tasks ? find_stirred(p, tasks) : 0;
    TaskOutbox *o;

    batch_clear(&p->stirred);

    TAILQ_FOREACH (o, &p->outboxes, link) {
        if (o->listed && tasks && !ends(o->task))
            tasks[n++] = o->task;
        o->listed = false;
    }
    p->n_listed = 0;
    if (n > 0)
        bus_emit_tasks_changed(p->bus, tasks, n);
}

static void group_end_free(BusPublisher *p, GroupEnd *e) {
    TAILQ_REMOVE(&p->group_ends, e, link);
    free(e->group);
    free(e);
}

static void send_group_ends(BusPublisher *p) {
    for (GroupEnd *e; (e = TAILQ_FIRST(&p->group_ends));) {
        bus_emit_group_finished(p->bus, e->group, e->succeeded, e->failed);
        group_end_free(p, e);
    }
}

/* An end is told before the removal. */
static uint64_t removed_due(const BusPublisher *p) {
    uint64_t due = coalescer_due(&p->removed.rate);

    return p->finished.rate.pending ? MAX(due, coalescer_due(&p->finished.rate)) : due;
}

/* Every batch that may go now, in an order in which a task is added before anything else is said of
 * it. */
static void send_batches(BusPublisher *p, uint64_t usec, bool all) {
    bool changed = coalescer_take(&p->changed, usec, all);
    bool finished = coalescer_take(&p->finished.rate, usec, all);
    bool removed = (all || usec >= removed_due(p)) && coalescer_take(&p->removed.rate, usec, all);

    if (coalescer_take(&p->added.rate, usec, all || changed || finished || removed))
        send_added(p);
    if (changed)
        send_changed(p);
    if (finished) {
        bus_emit_tasks_finished(p->bus, p->finished.entries, p->finished.count);
        batch_clear(&p->finished);
        send_group_ends(p);
    }
    if (removed) {
        bus_emit_tasks_removed(p->bus, p->removed.entries, p->removed.count);
        batch_clear(&p->removed);
    }
}

/* What may go at once goes in the next turn of the loop: all that one event has changed is in it.
 * The timer is never put off, since each move of it costs a system call: one that comes too early
 * finds nothing to send, once. */
static void arm_timer(BusPublisher *p) {
    uint64_t due = MIN(coalescer_due(&p->changed), coalescer_due(&p->added.rate));
    int r;

    due = MIN(due, coalescer_due(&p->finished.rate));
    uint64_t removed = removed_due(p);
    due = MIN(due, removed);
    due = MIN(due, p->outboxes_due);
    if (due >= p->timer_usec)
        return;
    r = sd_event_source_set_time(p->timer, due);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
    if (r >= 0)
        p->timer_usec = due;
    else
        log_warning_errno(r, "Cannot set the timer of the signals, ignoring");
}

static int on_timer(sd_event_source *s, uint64_t due, void *userdata) {
    BusPublisher *p = userdata;
    uint64_t usec = now(p);
    TaskOutbox *o;

    p->timer_usec = USEC_INFINITY;
    if (usec >= p->outboxes_due) {
        p->outboxes_due = USEC_INFINITY;
        TAILQ_FOREACH (o, &p->outboxes, link) {
            if (ends(o->task))
                continue;
            send_outbox(p, o, usec, false);
            uint64_t outbox_due = task_outbox_due(o);
            p->outboxes_due = MIN(p->outboxes_due, outbox_due);
        }
        /* With thousands of them there is always one: not all are looked at for each. */
        if (p->outboxes_due < usec + OUTBOXES_INTERVAL_USEC)
            p->outboxes_due = usec + OUTBOXES_INTERVAL_USEC;
    }
    send_batches(p, usec, false);
    arm_timer(p);
    return 0;
}

/* ---- what happens ---- */

void bus_publisher_task_added(BusPublisher *p, const Task *t) {
    batch_add(&p->added, (BatchEntry){.id = t->id});
    arm_timer(p);
}

static void outbox_list(BusPublisher *p, TaskOutbox *o) {
    if (!o->listed) {
        o->listed = true;
        p->n_listed++;
    }
    coalescer_add(&p->changed);
}

void bus_publisher_task_started(BusPublisher *p, Task *t) {
    if (t->outbox)
        return;
    t->outbox = task_outbox_new(t, now(p));
    if (!t->outbox) {
        log_warning_errno(-ENOMEM, "Cannot send signals of a task, ignoring");
        return;
    }
    TAILQ_INSERT_TAIL(&p->outboxes, t->outbox, link);
    bus_publisher_task_changed(p, t, BUS_CHANGE_STATE);
}

/* It waits: nothing else is told of it, and seldom, so it needs no outbox. */
static void pending_changed(BusPublisher *p, const Task *t) {
    bus_emit_state(p->bus, t);
    batch_add(&p->stirred, (BatchEntry){.id = t->id});
    coalescer_add(&p->changed);
    arm_timer(p);
}

void bus_publisher_task_changed(BusPublisher *p, Task *t, BusChange change) {
    if (!t->outbox) {
        if (change == BUS_CHANGE_STATE && task_is_pending(t))
            pending_changed(p, t);
        return;
    }
    task_outbox_add(t->outbox, change);
    send_outbox(p, t->outbox, now(p), false);
    uint64_t due = task_outbox_due(t->outbox);
    p->outboxes_due = MIN(p->outboxes_due, due);
    if (change != BUS_CHANGE_LOG)
        outbox_list(p, t->outbox);
    arm_timer(p);
}

void bus_publisher_message(BusPublisher *p, uint64_t id, uint64_t from, const char *text) {
    bus_emit_message(p->bus, id, from, text);
}

void bus_publisher_label_changed(BusPublisher *p, const Task *t) {
    bus_emit_label(p->bus, t);
}

void bus_publisher_priority_changed(BusPublisher *p, const Task *t) {
    bus_emit_priority(p->bus, t);
}

void bus_publisher_attempt_ended(BusPublisher *p, Task *t) {
    TaskOutbox *o = t->outbox;

    if (!o || now(p) < o->first_usec)
        return;
    task_outbox_add(o, BUS_CHANGE_LOG);
    send_outbox(p, o, now(p), true);
}

static void outbox_drop(BusPublisher *p, TaskOutbox *o) {
    if (o->listed && --p->n_listed == 0 && p->stirred.count == 0)
        p->changed.pending = false;
    o->task->outbox = NULL;
    TAILQ_REMOVE(&p->outboxes, o, link);
    free(o);
}

void bus_publisher_task_finished(BusPublisher *p, Task *t) {
    TaskOutbox *o = t->outbox;

    if (o) {
        if (now(p) >= o->first_usec) {
            /* Who was shown how far it is sees it arrive. */
            if (o->sent_fraction >= 0 && o->sent_fraction != task_work(t)->progress.fraction)
                task_outbox_add(o, BUS_CHANGE_PROGRESS);
            task_outbox_add(o, BUS_CHANGE_LOG);
            task_outbox_add(o, BUS_CHANGE_STATE);
            send_outbox(p, o, now(p), true);
        }
        outbox_drop(p, o);
    } else
        bus_emit_state(p->bus, t); /* it never had a slot, and may have waited for long */
    bus_emit_finished(p->bus, t);
    batch_add(&p->finished, (BatchEntry){.id = t->id, .state = t->state, .code = t->exit_code});
    arm_timer(p);
}

void bus_publisher_task_removed(BusPublisher *p, uint64_t id) {
    batch_add(&p->removed, (BatchEntry){.id = id});
    arm_timer(p);
}

void bus_publisher_group_finished(BusPublisher *p, const char *group, unsigned succeeded,
                                  unsigned failed) {
    GroupEnd *e;

    if (!p->finished.rate.pending) {
        bus_emit_group_finished(p->bus, group, succeeded, failed);
        return;
    }
    e = calloc(1, sizeof(GroupEnd));
    if (e)
        *e = (GroupEnd){.group = strdup(group), .succeeded = succeeded, .failed = failed};
    if (!e || !e->group) {
        log_warning_errno(-ENOMEM, "Cannot note the end of a group for a signal, ignoring");
        free(e);
        return;
    }
    TAILQ_INSERT_TAIL(&p->group_ends, e, link);
}

bool bus_publisher_is_busy(const BusPublisher *p) {
    uint64_t n = 0;

    return sd_bus_is_open(p->bus) > 0 && sd_bus_get_n_queued_write(p->bus, &n) >= 0 && n > 0;
}

void bus_publisher_flush(BusPublisher *p) {
    send_batches(p, now(p), true);
    arm_timer(p);
}

int bus_publisher_new(BusPublisher **ret, sd_bus *bus, sd_event *event, const BusApi *api,
                      void *api_userdata) {
    BusPublisher *p = calloc(1, sizeof(BusPublisher));
    int r;

    if (!p)
        return -ENOMEM;
    *p = (BusPublisher){.bus = bus, .event = event, .api = api, .api_userdata = api_userdata};
    TAILQ_INIT(&p->outboxes);
    p->timer_usec = p->outboxes_due = USEC_INFINITY;
    TAILQ_INIT(&p->group_ends);
    p->added.rate.interval_usec = BATCH_INTERVAL_USEC;
    p->changed.interval_usec = BATCH_INTERVAL_USEC;
    p->removed.rate.interval_usec = BATCH_INTERVAL_USEC;
    p->finished.rate.interval_usec = FINISHED_INTERVAL_USEC;
    r = sd_event_add_time(event, &p->timer, CLOCK_MONOTONIC, 0, 1, on_timer, p);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
    if (r < 0) {
        bus_publisher_free(p);
        return r;
    }
    (void)sd_event_source_set_description(p->timer, "signals");
    *ret = p;
    return 0;
}

BusPublisher *bus_publisher_free(BusPublisher *p) {
    if (!p)
        return NULL;
    for (TaskOutbox *o; (o = TAILQ_FIRST(&p->outboxes));)
        outbox_drop(p, o);
    for (GroupEnd *e; (e = TAILQ_FIRST(&p->group_ends));)
        group_end_free(p, e);
    free(p->added.entries);
    free(p->finished.entries);
    free(p->removed.entries);
    free(p->stirred.entries);
    sd_event_source_disable_unref(p->timer);
    free(p);
    return NULL;
}
