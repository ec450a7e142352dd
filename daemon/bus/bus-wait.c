#include "daemon/bus/bus-wait.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/bus/bus-caller.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"

typedef struct WaitCall WaitCall;

/* One task of one call. */
typedef struct WaitEntry {
    WaitCall *call;
    uint64_t id;
    bool ended;
    TaskState state; /* when it has ended */
    int code;
    LIST_ENTRY(WaitEntry) link; /* of those that wait for the same task */
} WaitEntry;

struct WaitCall {
    BusWaits *waits; /* not owned */
    sd_bus_message *message;
    BusCaller caller;
    bool single;
    size_t remaining, n;
    LIST_ENTRY(WaitCall) link;
    WaitEntry entries[];
};

typedef struct WaitedTask {
    uint64_t id;
    LIST_HEAD(, WaitEntry) entries;
    UT_hash_handle hh;
} WaitedTask;

struct BusWaits {
    LIST_HEAD(, WaitCall) calls;
    WaitedTask *tasks;
    size_t count;
};

static void entry_end(WaitEntry *e, const Task *t) {
    e->ended = true;
    e->state = t->state;
    e->code = t->exit_code;
}

static void entry_forget(BusWaits *w, WaitEntry *e) {
    WaitedTask *t;

    LIST_REMOVE(e, link);
    w->count--;
    HASH_FIND(hh, w->tasks, &e->id, sizeof(e->id), t);
    if (t && LIST_EMPTY(&t->entries)) {
        HASH_DEL(w->tasks, t);
        free(t);
    }
}

static WaitCall *wait_call_free(WaitCall *c) {
    for (size_t i = 0; i < c->n; i++)
        if (!c->entries[i].ended)
            entry_forget(c->waits, &c->entries[i]);
    LIST_REMOVE(c, link);
    bus_caller_done(&c->caller);
    sd_bus_message_unref(c->message);
    free(c);
    return NULL;
}

BusWaits *bus_waits_new(void) {
    return calloc(1, sizeof(BusWaits));
}

BusWaits *bus_waits_free(BusWaits *w) {
    if (!w)
        return NULL;
    for (WaitCall *c; (c = LIST_FIRST(&w->calls));)
        wait_call_free(c);
    free(w);
    return NULL;
}

size_t bus_waits_count(const BusWaits *w) {
    return w->count;
}

/* ---- answers ---- */

static int append_ended(sd_bus_message *reply, const WaitCall *c) {
    int r = sd_bus_message_open_container(reply, 'a', "(tsi)");

    for (size_t i = 0; r >= 0 && i < c->n; i++)
        r = sd_bus_message_append(reply, "(tsi)", c->entries[i].id,
                                  task_state_to_string(c->entries[i].state), c->entries[i].code);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void answer(WaitCall *c) {
    sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(c->message, &reply);

    if (r >= 0 && c->single)
        r = sd_bus_message_append(reply, "si", task_state_to_string(c->entries[0].state),
                                  c->entries[0].code);
    else if (r >= 0)
        r = append_ended(reply, c);
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    if (r < 0 && !bus_is_gone(r))
        log_warning_errno(r, "Cannot answer a call of Wait, ignoring");
    sd_bus_message_unref(reply);
    wait_call_free(c);
}

void bus_waits_task_ended(BusWaits *w, Task *t) {
    WaitedTask *waited;

    t->end_untold = false;
    HASH_FIND(hh, w->tasks, &t->id, sizeof(t->id), waited);
    while (waited) {
        WaitEntry *e = LIST_FIRST(&waited->entries);
        bool last = !LIST_NEXT(e, link);
        entry_end(e, t);
        entry_forget(w, e); /* with the last one goes waited */
        if (--e->call->remaining == 0)
            answer(e->call);
        if (last)
            return;
    }
}

void bus_waits_task_withdrawn(BusWaits *w, uint64_t id) {
    WaitedTask *waited;

    for (;;) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = {};
        HASH_FIND(hh, w->tasks, &id, sizeof(id), waited);
        if (!waited)
            return;
        WaitCall *c = LIST_FIRST(&waited->entries)->call;
        bus_reply_error(c->message, bus_error_no_such_task(&e, id), &e);
        wait_call_free(c); /* with the last one goes waited */
    }
}

static void on_caller_left(void *userdata) {
    wait_call_free(userdata);
}

/* ---- calls ---- */

static int entry_register(BusWaits *w, WaitEntry *e) {
    WaitedTask *t;

    HASH_FIND(hh, w->tasks, &e->id, sizeof(e->id), t);
    if (!t) {
        t = calloc(1, sizeof(WaitedTask));
        if (!t)
            return -ENOMEM;
        t->id = e->id;
        HASH_ADD(hh, w->tasks, id, sizeof(t->id), t);
    }
    LIST_INSERT_HEAD(&t->entries, e, link);
    w->count++;
    return 0;
}

/* Fills in the tasks; those that are counted in n are registered or have ended, so that the call
 * can be freed at any time. */
static int add_entries(WaitCall *c, Task *const *tasks, size_t n) {
    for (size_t i = 0; i < n; i++) {
        WaitEntry *e = &c->entries[i];
        *e = (WaitEntry){.call = c, .id = tasks[i]->id};
        /* An end that is not on disk yet may still be undone by a crash. */
        if (task_is_final(tasks[i]) && !tasks[i]->end_untold)
            entry_end(e, tasks[i]);
        else {
            int r = entry_register(c->waits, e);
            if (r < 0)
                return r;
            c->remaining++;
        }
        c->n++;
    }
    return 0;
}

int bus_waits_add(BusWaits *w, sd_bus_message *call, Task *const *tasks, size_t n, bool single,
                  sd_bus_error *error) {
    int r;

    if (n > BUS_WAITS_MAX || w->count > BUS_WAITS_MAX - n)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "Calls of Wait wait for %zu tasks already, and %d is the limit: "
                                 "wait for fewer, or watch the signal TasksFinished",
                                 w->count, BUS_WAITS_MAX);
    WaitCall *c = calloc(1, sizeof(WaitCall) + n * sizeof(WaitEntry));
    if (!c)
        return -ENOMEM;
    c->waits = w;
    c->single = single;
    c->message = sd_bus_message_ref(call);
    LIST_INSERT_HEAD(&w->calls, c, link);

    r = add_entries(c, tasks, n);
    if (r >= 0 && c->remaining > 0)
        r = bus_caller_watch(&c->caller, call, on_caller_left, c);
    if (r < 0) {
        wait_call_free(c);
        return r;
    }
    if (c->remaining == 0)
        answer(c);
    return 1;
}
