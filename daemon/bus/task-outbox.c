#include "daemon/bus/task-outbox.h"

#include "common/cleanup.h"

TaskOutbox *task_outbox_new(Task *task, uint64_t now_usec) {
    TaskOutbox *o = calloc(1, sizeof(TaskOutbox));

    if (!o)
        return NULL;
    o->task = task;
    o->sent_fraction = PROGRESS_UNKNOWN;
    o->first_usec = now_usec + TASK_SIGNAL_INTERVAL_USEC;
    for (size_t i = 0; i < _BUS_CHANGE_MAX; i++) {
        o->changes[i].interval_usec = TASK_SIGNAL_INTERVAL_USEC;
        coalescer_hold(&o->changes[i], now_usec);
    }
    return o;
}

void task_outbox_add(TaskOutbox *o, BusChange change) {
    if (!o->changes[change].pending)
        o->order[change] = o->next_order++;
    coalescer_add(&o->changes[change]);
}

int task_outbox_take(TaskOutbox *o, uint64_t now_usec, bool all) {
    int first = -1;

    for (int i = 0; i < _BUS_CHANGE_MAX; i++) {
        const Coalescer *c = &o->changes[i];
        if (c->pending && (all || now_usec >= c->next_usec) &&
            (first < 0 || o->order[i] < o->order[first]))
            first = i;
    }
    if (first >= 0)
        (void)coalescer_take(&o->changes[first], now_usec, all);
    return first;
}

uint64_t task_outbox_due(const TaskOutbox *o) {
    uint64_t due = USEC_INFINITY;

    for (size_t i = 0; i < _BUS_CHANGE_MAX; i++)
        due = MIN(due, coalescer_due(&o->changes[i]));
    return due;
}
