#include "daemon/core/scheduler-private.h"

/* Claims. Those for slots that are free are exact: they are found by giving the slots away and
 * taking them back. Those for slots that will get free soon are a guess: each lane goes on as it
 * did since the last time. A guess that was wrong does no harm but that a claim was made for
 * nothing. */

/* Twice as many as one commit saw started, but not so many that a power cut would leave much in
 * doubt. */
#define AHEAD_FACTOR 2
#define AHEAD_MAX 1024
/* At a time; the others follow with the next commit. */
#define EXACT_MAX 1024

typedef struct ClaimRound {
    size_t n_given, n;
    uint64_t turns[EXACT_MAX];          /* of the groups of those that were given a slot, before */
    Task *tasks[EXACT_MAX + AHEAD_MAX]; /* these, and then those for which it is a guess */
} ClaimRound;

static void give_free_slots(Scheduler *s, ClaimRound *c) {
    size_t n = scheduler_free_slots(s);
    Task *t;

    /* Who was handed ahead is claimed, and comes before. */
    n -= MIN(n, (size_t)s->n_ahead);
    n = MIN(n, (size_t)EXACT_MAX);
    for (; n > 0 && (t = scheduler_next(s)); n--) {
        c->turns[c->n] = t->group->turn;
        c->tasks[c->n++] = t;
        scheduler_give_slot(s, t);
    }
    c->n_given = c->n;
}

static void take_slots_back(Scheduler *s, ClaimRound *c) {
    for (size_t i = c->n_given; i > 0; i--)
        scheduler_undo_slot(s, c->tasks[i - 1], c->turns[i - 1]);
}

static void guess_lane(Lane *l, ClaimRound *c, size_t *left) {
    size_t n = l->group->paused ? 0 : MIN((size_t)l->started * AHEAD_FACTOR, *left);

    *left -= n;
    for (Task *t = lane_next(l, NULL); t && n > 0; t = lane_next(l, t), n--)
        c->tasks[c->n++] = t;
}

static void guess(Scheduler *s, ClaimRound *c) {
    size_t in_slots = MIN(scheduler_free_slots(s) + c->n_given, (size_t)s->n_ahead);
    size_t left = MIN((size_t)s->started * AHEAD_FACTOR, (size_t)AHEAD_MAX);

    left -= MIN(left, s->n_ahead - in_slots);
    for (Lane *l; (l = TAILQ_FIRST(&s->busy));) {
        guess_lane(l, c, &left);
        scheduler_lane_rest(s, l);
    }
}

void scheduler_claim(Scheduler *s, void (*func)(void *userdata, Task *task), void *userdata) {
    ClaimRound c;

    c.n = c.n_given = 0;
    if (!s->closed) {
        give_free_slots(s, &c);
        guess(s, &c);
        take_slots_back(s, &c);
    }
    s->started = 0;
    for (size_t i = 0; i < c.n; i++) {
        if (c.tasks[i]->claim != TASK_CLAIM_NONE)
            continue;
        c.tasks[i]->claim = TASK_CLAIM_PENDING;
        func(userdata, c.tasks[i]);
    }
}

void scheduler_each_claim(Scheduler *s, void (*func)(void *userdata, Task *task), void *userdata) {
    Task *next;

    for (Task *t = scheduler_next_pending(s, NULL, NULL); t; t = next) {
        next = scheduler_next_pending(s, NULL, t);
        if (t->place == TASK_PLACE_LANE && t->claim != TASK_CLAIM_NONE)
            func(userdata, t);
    }
}
