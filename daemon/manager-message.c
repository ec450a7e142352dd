#include <errno.h>
#include <inttypes.h>

#include "common/log.h"
#include "common/message-queue.h"
#include "daemon/manager-private.h"

/* Messages between tasks, and to them from clients. Nobody waits for anybody: one that is not taken
 * is an error to the sender, or, where that is a task, a line in the journal. */

static int takes_none(const Task *t, Error *error) {
    if (streq(t->spec->kind, TASK_KIND_COMMAND))
        return error_set(error, ERROR_INVALID_OPTION,
                         "Task %" PRIu64 " takes no messages: start it with stdin-open, then each "
                         "is a line on its stdin",
                         t->id);
    return error_set(error, ERROR_INVALID_OPTION,
                     "Task %" PRIu64 " takes no messages: a %s does not look for any", t->id,
                     t->spec->kind);
}

static int is_not_there(const Task *t, Error *error) {
    return error_set(error, ERROR_NOT_RUNNING, "Task %" PRIu64 " takes no messages now: it %s",
                     t->id,
                     task_is_final(t)                      ? "has ended"
                     : task_is_pending(t)                  ? "has not started"
                     : t->end_state != _TASK_STATE_INVALID ? "only waits for its children"
                     : t->state == TASK_CANCELLING         ? "is being cancelled"
                     : t->state == TASK_STARTING           ? "is about to start, try again"
                                                           : "has ended its work");
}

static int put(Task *t, const char *text, Error *error) {
    int r = t->run && t->run->job && !task_is_pending(t) && t->state != TASK_CANCELLING
                ? exec_job_send(t->run->job, text)
                : -ESRCH;

    switch (r) {
    case -EOPNOTSUPP:
        return takes_none(t, error);
    case -ESRCH:
        return is_not_there(t, error);
    case -EPIPE:
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " takes no messages any more: it has closed its stdin",
                         t->id);
    case -ESHUTDOWN:
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " takes no messages any more: its stdin was closed by "
                         "CloseStdin",
                         t->id);
    case -ENOBUFS:
        return error_set(error, ERROR_QUEUE_FULL,
                         "Task %" PRIu64 " has not taken the last %d messages yet: try again when "
                         "it has",
                         t->id, MESSAGE_QUEUE_MAX);
    default:
        return r;
    }
}

static int deliver(Manager *m, Task *t, uint64_t from, const char *text, Error *error) {
    int r = put(t, text, error);

    if (r >= 0)
        bus_publisher_message(m->bus->publisher, t->id, from, text);
    return r;
}

int manager_send(void *userdata, Task *t, const char *text, Error *error) {
    return deliver(userdata, t, 0, text, error);
}

/* Of several, one that does not take it is no reason not to tell the others. */
int manager_send_to_children(void *userdata, Task *t, const char *text, uint32_t *ret_sent,
                             Error *error) {
    Manager *m = userdata;
    uint32_t sent = 0;
    int r = 0;

    if (task_is_final(t))
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " has ended: none of its children is active", t->id);

    for (Task *c = task_first_child(t); c; c = task_next_child(t, c)) {
        int e = deliver(m, c, t->id, text, error);
        if (e >= 0)
            sent++;
        else if (r == 0)
            r = e;
    }
    if (sent == 0 && r < 0)
        return r;
    if (sent > 0)
        bus_publisher_message(m->bus->publisher, t->id, t->id, text);
    *ret_sent = sent;
    return 0;
}

/* Once in a row: a task that goes on sending would fill the journal. */
static void note_refusal(TaskRun *run, const Task *parent, const Error *error) {
    if (run->message_refused)
        return;
    run->message_refused = true;
    log_full(LOG_NOTICE, run->task->id,
             "a message to its parent, task %" PRIu64 ", was not taken: %s", parent->id,
             strempty(error->message));
}

void manager_task_sent(TaskRun *run, const char *text) {
    _cleanup_error_ Error error = {};
    Manager *m = run->manager;
    Task *t = run->task, *parent = task_parent(t);

    bus_publisher_message(m->bus->publisher, t->id, t->id, text);
    if (!parent)
        return;
    /* Clients that watch the parent hear of it in any case. */
    bus_publisher_message(m->bus->publisher, parent->id, t->id, text);
    if (put(parent, text, &error) < 0)
        note_refusal(run, parent, &error);
    else
        run->message_refused = false;
}
