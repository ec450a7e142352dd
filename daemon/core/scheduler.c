#include "daemon/core/scheduler.h"

#include "common/parse.h"

void scheduler_init(Scheduler *s, unsigned max_parallel, unsigned max_queued) {
    *s = (Scheduler){.max_parallel = max_parallel, .max_queued = max_queued};
    TAILQ_INIT(&s->queue);
}

int scheduler_check_room(const Scheduler *s, size_t n, size_t bytes, Error *error) {
    char buf[FORMAT_MAX];

    /* Those for which there is a slot do not wait. */
    size_t free_slots = s->max_parallel == 0           ? SIZE_MAX - UINT32_MAX
                        : s->max_parallel > s->running ? s->max_parallel - s->running
                                                       : 0;
    size_t room = free_slots + s->max_queued;

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

void scheduler_remove(Scheduler *s, Task *task) {
    TAILQ_REMOVE(&s->queue, task, queue);
    s->queued--;
    s->queued_bytes -= task->request_bytes;
}

Task *scheduler_take(Scheduler *s) {
    Task *task = TAILQ_FIRST(&s->queue);

    if (!task || s->closed || (s->max_parallel > 0 && s->running >= s->max_parallel))
        return NULL;
    scheduler_remove(s, task);
    s->running++;
    return task;
}

void scheduler_release(Scheduler *s) {
    s->running--;
}
