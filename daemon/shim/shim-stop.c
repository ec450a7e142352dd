#include "daemon/shim/shim-stop.h"

#include <signal.h>

/* SIGKILL is repeated for processes made meanwhile. What does not die of it hangs in the kernel or
 * belongs to another user, so the pause grows. */
#define KILL_INTERVAL_MIN_USEC (10 * USEC_PER_MSEC)
#define KILL_INTERVAL_MAX_USEC (320 * USEC_PER_MSEC)

void shim_stop_init(ShimStop *s, const ShimProcs *procs, uint64_t timeout_usec) {
    *s = (ShimStop){.procs = procs,
                    .timeout_usec = timeout_usec,
                    .next_usec = USEC_INFINITY,
                    .interval_usec = KILL_INTERVAL_MIN_USEC};
}

static void kill_all(ShimStop *s, uint64_t now) {
    s->killing = true;
    shim_procs_kill(s->procs);
    s->next_usec = now + s->interval_usec;
    s->interval_usec = MIN(s->interval_usec * 2, KILL_INTERVAL_MAX_USEC);
}

void shim_stop_request(ShimStop *s, uint64_t now) {
    if (s->requested)
        return;
    s->requested = true;
    if (s->timeout_usec == 0) {
        s->timed_out = true;
        kill_all(s, now);
        return;
    }
    shim_procs_signal(s->procs, SIGTERM);
    shim_procs_signal(s->procs, SIGCONT); /* one that is stopped could not heed it */
    if (__builtin_add_overflow(now, s->timeout_usec, &s->next_usec))
        s->next_usec = USEC_INFINITY;
}

void shim_stop_extend(ShimStop *s, uint64_t span, uint64_t now) {
    uint64_t until;

    if (!s->requested || s->killing)
        return;
    if (__builtin_add_overflow(now, span, &until))
        until = USEC_INFINITY;
    s->next_usec = MAX(s->next_usec, until);
}

void shim_stop_at_once(ShimStop *s, uint64_t now) {
    s->requested = true;
    kill_all(s, now);
}

void shim_stop_tick(ShimStop *s, uint64_t now) {
    if (now < s->next_usec)
        return;
    if (!s->killing)
        s->timed_out = true;
    kill_all(s, now);
}

void shim_stop_on_child(ShimStop *s, uint64_t now) {
    if (!s->killing)
        return;
    s->interval_usec = KILL_INTERVAL_MIN_USEC;
    kill_all(s, now);
}
