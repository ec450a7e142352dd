#include "common/clock.h"
#include "daemon/manager-private.h"

/* Tasks whose time has come. */

static uint64_t next_due(void *userdata) {
    return scheduler_next_due(&((Manager *)userdata)->scheduler);
}

static void on_due(void *userdata) {
    Manager *m = userdata;

    scheduler_set_time(&m->scheduler, clock_usec(CLOCK_REALTIME));
}

static void on_jumped(void *userdata, int64_t usec) {
    on_due(userdata);
}

static void on_zone_changed(void *userdata) {
}

static const ClockEvents clock_events = {
    .next = next_due,
    .alarm = on_due,
    .jumped = on_jumped,
    .zone_changed = on_zone_changed,
};

int manager_init_due(Manager *m) {
    return clock_watch_new(&m->clock, m->event, CLOCK_WATCH_LOCALTIME, &clock_events, m);
}
