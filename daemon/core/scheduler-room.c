#include "common/parse.h"
#include "daemon/core/scheduler-private.h"

/* Whether more may come. Those for which there is a slot do not wait, and need no room. */

static int check_all(const Scheduler *s, size_t n, Error *error) {
    size_t room = scheduler_free_slots(s) + s->max_queued;

    if (n <= room && s->queued <= room - n)
        return 0;
    return error_set(error, ERROR_QUEUE_FULL,
                     "%u tasks wait and the queue takes %u: try again when some have started, "
                     "or raise MaxQueued= in longrun.conf",
                     s->queued, s->max_queued);
}

static int check_bytes(const Scheduler *s, size_t bytes, Error *error) {
    char buf[FORMAT_MAX];

    if (bytes <= SCHEDULER_QUEUED_BYTES_MAX &&
        s->queued_bytes <= SCHEDULER_QUEUED_BYTES_MAX - bytes)
        return 0;
    return error_set(error, ERROR_QUEUE_FULL,
                     "the requests that wait would take more than %s of memory: try again "
                     "when some have started, or pass data in files",
                     format_size(buf, SCHEDULER_QUEUED_BYTES_MAX));
}

static size_t free_slots_of(const Scheduler *s, const Group *g) {
    size_t of_all = g->paused ? 0 : scheduler_free_slots(s);

    if (g->max_parallel == 0)
        return of_all;
    return group_is_full(g) ? 0 : MIN(of_all, (size_t)(g->max_parallel - g->running));
}

static int check_group(const Scheduler *s, const Group *g, Error *error) {
    unsigned waiting = g->queued + g->waiting;

    if (g->draining)
        return error_set(error, ERROR_QUEUE_FULL,
                         "the group %s is draining: it runs what it has and takes nothing in. Name "
                         "another group, or end that by Resume, or \"longrun resume %s\"",
                         g->name, g->name);
    if (g->max_queued == 0 || (size_t)waiting + g->coming <= free_slots_of(s, g) + g->max_queued)
        return 0;
    return error_set(error, ERROR_QUEUE_FULL,
                     "the group %s has no room for %u more: %u wait in it, and it takes %u: try "
                     "again when some have started, or raise its max-queued",
                     g->name, g->coming, waiting, g->max_queued);
}

int scheduler_check_room(Scheduler *s, TaskSpec *const *specs, Group *const *groups, size_t n,
                         Error *error) {
    size_t bytes = 0;
    int r = check_all(s, n, error);

    for (size_t i = 0; i < n; i++) {
        groups[i]->coming = 0;
        bytes += task_spec_size(specs[i]);
    }
    r = r < 0 ? r : check_bytes(s, bytes, error);
    for (size_t i = 0; r >= 0 && i < n; i++) {
        groups[i]->coming++;
        r = check_group(s, groups[i], error);
    }
    return r;
}
