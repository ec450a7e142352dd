#include "common/clock.h"
#include "common/log.h"
#include "daemon/manager-private.h"

/* Claims of tasks that are next, see core/scheduler.h. After a power cut nobody can tell a claim
 * from a start: so those that nothing is made of are given back soon. */

#define IDLE_USEC (1 * USEC_PER_SEC)

static void arm(Manager *m, uint64_t usec) {
    (void)sd_event_source_set_time(m->claim_timer, usec);
    (void)sd_event_source_set_enabled(m->claim_timer, SD_EVENT_ONESHOT);
}

static void on_claimed(void *userdata, Task *t) {
    Manager *m = userdata;

    commit_queue_put(m->commits, t);
    manager_claim_used(m);
    if (sd_event_source_get_enabled(m->claim_timer, NULL) <= 0)
        arm(m, m->claim_used + IDLE_USEC);
}

void manager_claim(Manager *m) {
    if (!m->low_disk)
        scheduler_claim(&m->scheduler, on_claimed, m);
}

void manager_claim_used(Manager *m) {
    (void)sd_event_now(m->event, CLOCK_MONOTONIC, &m->claim_used);
}

static void give_back(void *userdata, Task *t) {
    Manager *m = userdata;

    t->claim = TASK_CLAIM_NONE;
    commit_queue_put(m->commits, t);
}

void manager_give_back_claims(Manager *m) {
    manager_take_back_ahead(m);
    scheduler_each_claim(&m->scheduler, give_back, m);
}

static int on_claim_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    Manager *m = userdata;

    if (clock_usec(CLOCK_MONOTONIC) < m->claim_used + IDLE_USEC)
        arm(m, m->claim_used + IDLE_USEC);
    else
        manager_give_back_claims(m);
    return 0;
}

int manager_init_claims(Manager *m) {
    int r = sd_event_add_time(m->event, &m->claim_timer, CLOCK_MONOTONIC, 0, 0, on_claim_timer, m);

    return r < 0 ? r : sd_event_source_set_enabled(m->claim_timer, SD_EVENT_OFF);
}
