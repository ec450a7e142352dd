#include "daemon/core/scheduler.h"

#include "common/parse.h"

/* Tasks that are claimed before their time: twice as many as one commit saw started, but not so
 * many that a power cut would leave much in doubt. */
#define AHEAD_FACTOR 2
#define AHEAD_MAX 1024

void scheduler_init(Scheduler *s, unsigned max_parallel, unsigned max_queued) {
    *s = (Scheduler){.max_parallel = max_parallel, .max_queued = max_queued};
    TAILQ_INIT(&s->queue);
    TAILQ_INIT(&s->ahead);
}

static size_t free_slots(const Scheduler *s) {
    if (s->max_parallel == 0)
        return SIZE_MAX - UINT32_MAX;
    return s->max_parallel > s->running ? s->max_parallel - s->running : 0;
}

int scheduler_check_room(const Scheduler *s, size_t n, size_t bytes, Error *error) {
    char buf[FORMAT_MAX];

    /* Those for which there is a slot do not wait. */
    size_t room = free_slots(s) + s->max_queued;

    if (n > room || s->queued > room - n)
        return error_set(error, ERROR_QUEUE_FULL,
                         "%u tasks wait and the queue takes %u: try again when some have started, "
                         "or raise MaxQueued= in longrun.conf",
                         s->queued, s->max_queued);
    if (bytes > SCHEDULER_QUEUED_BYTES_MAX || s->queued_bytes > SCHEDULER_QUEUED_BYTES_MAX - bytes)
        return error_set(error, ERROR_QUEUE_FULL,
                         "the requests that wait would take more than %s of memory: try again "
                         "when some have started, or pass data in files",
                         format_size(buf, SCHEDULER_QUEUED_BYTES_MAX));
    return 0;
}

void scheduler_add(Scheduler *s, Task *task) {
    /* Noted, since the label may change while the task waits. */
    task->request_bytes = task_spec_size(task->spec);
    TAILQ_INSERT_TAIL(&s->queue, task, queue);
    s->queued++;
    s->queued_bytes += task->request_bytes;
}

static void unlink_task(Scheduler *s, Task *task) {
    if (!task->is_ahead) {
        TAILQ_REMOVE(&s->queue, task, queue);
        return;
    }
    TAILQ_REMOVE(&s->ahead, task, queue);
    task->is_ahead = false;
    s->n_ahead--;
}

void scheduler_remove(Scheduler *s, Task *task) {
    unlink_task(s, task);
    s->queued--;
    s->queued_bytes -= task->request_bytes;
}

/* To where it was: by its id. */
static void link_again(Scheduler *s, Task *task) {
    Task *before;

    /* From the end: those of an earlier daemon come in the order of their ids. */
    TAILQ_FOREACH_REVERSE(before, &s->queue, TaskQueue, queue)
    if (before->id < task->id)
        break;
    if (before)
        TAILQ_INSERT_AFTER(&s->queue, before, task, queue);
    else
        TAILQ_INSERT_HEAD(&s->queue, task, queue);
}

void scheduler_add_again(Scheduler *s, Task *task) {
    task->request_bytes = task_spec_size(task->spec);
    link_again(s, task);
    s->queued++;
    s->queued_bytes += task->request_bytes;
}

void scheduler_claim(Scheduler *s, void (*func)(void *userdata, Task *task), void *userdata) {
    size_t ahead = MIN(s->started * AHEAD_FACTOR, (unsigned)AHEAD_MAX);
    size_t n = s->closed ? 0 : free_slots(s) + ahead;

    n -= MIN(n, (size_t)s->n_ahead);
    Task *task;

    s->started = 0;
    TAILQ_FOREACH (task, &s->queue, queue) {
        if (n-- == 0)
            break;
        if (task->claim != TASK_CLAIM_NONE)
            continue;
        task->claim = TASK_CLAIM_PENDING;
        func(userdata, task);
    }
}

Task *scheduler_take(Scheduler *s, bool *ret_unclaimed) {
    Task *task = TAILQ_FIRST(&s->ahead) ?: TAILQ_FIRST(&s->queue);

    *ret_unclaimed = false;
    if (!task || s->closed || free_slots(s) == 0)
        return NULL;
    if (task->claim != TASK_CLAIM_SAFE) {
        *ret_unclaimed = task->claim == TASK_CLAIM_NONE;
        return NULL;
    }
    scheduler_begin(s, task);
    return task;
}

void scheduler_begin(Scheduler *s, Task *task) {
    scheduler_remove(s, task);
    s->running++;
    s->started++;
}

Task *scheduler_peek(const Scheduler *s) {
    Task *task = TAILQ_FIRST(&s->queue);
    bool too_many = s->max_parallel > 0 && s->running > s->max_parallel;

    return task && !s->closed && !too_many && task->claim == TASK_CLAIM_SAFE ? task : NULL;
}

void scheduler_hand_ahead(Scheduler *s, Task *task) {
    TAILQ_REMOVE(&s->queue, task, queue);
    TAILQ_INSERT_TAIL(&s->ahead, task, queue);
    task->is_ahead = true;
    s->n_ahead++;
}

void scheduler_take_back(Scheduler *s, Task *task) {
    unlink_task(s, task);
    link_again(s, task);
}

void scheduler_occupy(Scheduler *s) {
    s->running++;
}

void scheduler_release(Scheduler *s) {
    s->running--;
}
