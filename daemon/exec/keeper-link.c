#include "daemon/exec/keeper-link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/exec/keeper-process.h"

/* A keeper listens some milliseconds after it was started. */
#define CONNECT_INTERVAL_MIN_USEC (1 * USEC_PER_MSEC)
#define CONNECT_INTERVAL_MAX_USEC (100 * USEC_PER_MSEC)
#define CONNECT_TIMEOUT_USEC (10 * USEC_PER_SEC)
/* One that takes connections and drops them must not keep the loop busy. */
#define RECONNECT_INTERVAL_USEC (200 * USEC_PER_MSEC)

typedef enum LinkState {
    LINK_NONE,
    LINK_ASKED,      /* the owner finds out about the unit */
    LINK_CONNECTING, /* the timer tries again and again */
    LINK_HELLO,      /* connected, not answered yet */
    LINK_READY,
} LinkState;

/* Where the keeper is to come from. */
typedef enum LinkSource {
    LINK_EXISTING, /* only the one that lives, if it does */
    LINK_UNIT,
    LINK_OWN,
} LinkSource;

struct KeeperLink {
    sd_event *event; /* not owned */
    char *libexec_dir, *runtime_dir;
    const KeeperLinkEvents *events; /* not owned */
    void *userdata;                 /* not owned */
    LinkState state;
    LinkSource source;
    KeeperClient *client;
    KeeperProcess *process; /* NULL: not ours, or it has ended */
    bool started;           /* a process of our own, since we look for a keeper */
    sd_event_source *timer;
    uint64_t interval_usec, deadline_usec, ready_at_usec;
};

/* ---- connecting ---- */

static void set_timer(KeeperLink *l, uint64_t usec) {
    int r = sd_event_source_set_time_relative(l->timer, usec);

    if (r >= 0)
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        log_error_errno(r, "Cannot set a timer");
}

static void begin_connecting(KeeperLink *l, LinkSource source, uint64_t delay_usec) {
    l->state = LINK_CONNECTING;
    l->source = source;
    l->started = false;
    l->interval_usec = CONNECT_INTERVAL_MIN_USEC;
    l->deadline_usec = clock_usec(CLOCK_MONOTONIC) + delay_usec + CONNECT_TIMEOUT_USEC;
    set_timer(l, delay_usec);
}

static void try_again(KeeperLink *l) {
    l->state = LINK_CONNECTING;
    set_timer(l, l->interval_usec);
    l->interval_usec = MIN(l->interval_usec * 2, CONNECT_INTERVAL_MAX_USEC);
}

static void fail(KeeperLink *l, int error) {
    l->state = LINK_NONE;
    if (l->source == LINK_EXISTING) {
        l->events->gone(l->userdata);
        return;
    }
    log_error_errno(error, "There is no keeper of tasks in %s, none can be started",
                    l->runtime_dir);
    l->events->failed(l->userdata, error);
}

static void on_process_ended(void *userdata) {
    KeeperLink *l = userdata;

    l->process = keeper_process_free(l->process);
    /* Another one may have been quicker: a last look. */
    if (l->state == LINK_CONNECTING)
        set_timer(l, 0);
}

static void start_own(KeeperLink *l) {
    int r;

    /* One that was started before, and does not listen any more, is about to end. */
    l->process = keeper_process_free(l->process);
    r = keeper_process_start(&l->process, l->event, l->libexec_dir, l->runtime_dir,
                             on_process_ended, l);
    if (r < 0) {
        fail(l, r);
        return;
    }
    l->started = true;
    try_again(l);
}

static void nobody_listens(KeeperLink *l, int error) {
    switch (l->source) {
    case LINK_EXISTING:
        fail(l, error);
        break;
    case LINK_UNIT:
        log_warning("longrun-tasks.service runs, but no keeper listens in %s: starting one",
                    l->runtime_dir);
        l->source = LINK_OWN;
        start_own(l);
        break;
    case LINK_OWN:
        if (!l->started)
            start_own(l);
        else if (l->process)
            try_again(l);
        else
            fail(l, error);
        break;
    }
}

static const KeeperClientEvents client_events;

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    KeeperLink *l = userdata;
    int r = keeper_client_connect(&l->client, l->event, l->runtime_dir, &client_events, l);

    if (r >= 0)
        l->state = LINK_HELLO;
    else if (r != -ENOENT && r != -ECONNREFUSED && r != -EAGAIN)
        fail(l, r);
    else if (clock_usec(CLOCK_MONOTONIC) >= l->deadline_usec)
        fail(l, r == -EAGAIN ? -ETIMEDOUT : r);
    else if (r == -EAGAIN)
        try_again(l);
    else
        nobody_listens(l, r);
    return 0;
}

/* ---- the connection ---- */

static void note_ready(KeeperLink *l) {
    l->state = LINK_READY;
    l->ready_at_usec = clock_usec(CLOCK_MONOTONIC);
    log_debug("Keeper %s: isolation %s, cgroup \"%s\", controllers \"%s\"",
              keeper_client_version(l->client), keeper_client_isolation(l->client),
              keeper_client_cgroup(l->client), keeper_client_controllers(l->client));
}

static void on_ready(void *userdata) {
    KeeperLink *l = userdata;

    note_ready(l);
    l->events->ready(l->userdata);
}

static void on_lost(void *userdata, uint64_t id) {
    KeeperLink *l = userdata;
    l->events->lost(l->userdata, id);
}

static void on_writable(void *userdata) {
    KeeperLink *l = userdata;
    l->events->writable(l->userdata);
}

/* A keeper that lives is connected to again; gone() waits until that has turned out. */
static void on_gone(void *userdata, int error) {
    KeeperLink *l = userdata;
    bool was_ready = l->state == LINK_READY;

    l->client = keeper_client_free(l->client);
    if (was_ready) {
        bool soon = clock_usec(CLOCK_MONOTONIC) < l->ready_at_usec + USEC_PER_SEC;
        begin_connecting(l, LINK_EXISTING, soon ? RECONNECT_INTERVAL_USEC : 0);
    } else if (clock_usec(CLOCK_MONOTONIC) < l->deadline_usec)
        try_again(l);
    else
        fail(l, error);
}

static const KeeperClientEvents client_events = {
    .ready = on_ready,
    .lost = on_lost,
    .writable = on_writable,
    .gone = on_gone,
};

/* ---- the owner's side ---- */

int keeper_link_find(KeeperLink *l, uint64_t timeout_usec) {
    int r = keeper_client_connect(&l->client, l->event, l->runtime_dir, &client_events, l);

    if (r == -ENOENT || r == -ECONNREFUSED)
        return 0;
    if (r >= 0) {
        l->source = LINK_EXISTING;
        l->state = LINK_HELLO;
        r = keeper_client_wait(l->client, timeout_usec);
        if (r >= 0) {
            note_ready(l);
            return 1;
        }
        if (r == -ETIMEDOUT)
            return r;
        l->client = keeper_client_free(l->client);
    }
    begin_connecting(l, LINK_EXISTING, CONNECT_INTERVAL_MIN_USEC);
    return r;
}

void keeper_link_want(KeeperLink *l) {
    if (l->state != LINK_NONE)
        return;
    l->state = LINK_ASKED;
    l->events->needed(l->userdata);
}

void keeper_link_use_unit(KeeperLink *l, bool unit, const char *reason) {
    if (l->state > LINK_ASKED)
        return;
    if (!unit)
        log_notice("Commands run in process groups, not in cgroups of their own: %s", reason);
    begin_connecting(l, unit ? LINK_UNIT : LINK_OWN, 0);
}

KeeperClient *keeper_link_client(const KeeperLink *l) {
    return l->state == LINK_READY ? l->client : NULL;
}

bool keeper_link_is_busy(const KeeperLink *l) {
    return l->state == LINK_CONNECTING || l->state == LINK_HELLO;
}

int keeper_link_new(KeeperLink **ret, sd_event *event, const char *libexec_dir,
                    const char *runtime_dir, const KeeperLinkEvents *events, void *userdata) {
    KeeperLink *l = calloc(1, sizeof(KeeperLink));
    int r = -ENOMEM;

    if (!l)
        return r;
    *l = (KeeperLink){.event = event, .events = events, .userdata = userdata};
    l->libexec_dir = strdup(libexec_dir);
    l->runtime_dir = strdup(runtime_dir);
    if (l->libexec_dir && l->runtime_dir)
        r = sd_event_add_time(event, &l->timer, CLOCK_MONOTONIC, 0, 1, on_timer, l);
    if (r >= 0)
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
    if (r < 0) {
        keeper_link_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

KeeperLink *keeper_link_free(KeeperLink *l) {
    if (!l)
        return NULL;
    keeper_client_free(l->client);
    keeper_process_free(l->process);
    sd_event_source_disable_unref(l->timer);
    free(l->libexec_dir);
    free(l->runtime_dir);
    free(l);
    return NULL;
}
