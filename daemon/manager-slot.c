#include <errno.h>
#include <stdio.h>

#include "daemon/manager-private.h"

/* The way of a task from the queue to its slot. A slot of a task on a thread passes to the next one
 * inside the thread pool, which for that has some tasks ahead of their slots; the loop hears of it
 * later. */

void manager_update_status(Manager *m) {
    service_status_update(&m->status, m->scheduler.running, m->scheduler.queued);
}

/* ---- with a slot ---- */

/* Nothing has run. */
static void fail_start(TaskRun *run, int error) {
    char text[256];

    snprintf(text, sizeof(text), "cannot be started: %s",
             error == -ENODEV ? "its backend is not there any more, add it again"
                              : strerror(-error));
    manager_finish_run(run, &(ExecOutcome){.state = TASK_FAILED, .exit_code = -1, .message = text});
}

static void give_slot_to_thread(TaskRun *run) {
    Manager *m = run->manager;

    run->is_counted = true;
    thread_executor_set_slots(m->threads, ++m->threads_running);
    manager_guard_run(run, 0);
}

static void start_job(TaskRun *run) {
    if (run->is_thread)
        give_slot_to_thread(run);
    int r = manager_start_job(run, false);
    if (r < 0)
        fail_start(run, r);
    else if (run->is_loop)
        manager_guard_run(run, 0);
}

/* Of a task for which there is no other trace than the disk. */
static void on_starting_committed(void *userdata, void *arg, int error) {
    TaskRun *run = arg;

    run->waits_for_disk = false;
    if (run->task->cancel_requested)
        manager_finish_run(run, &(ExecOutcome){.state = TASK_CANCELLED,
                                               .exit_code = -1,
                                               .message = "cancelled before it was started"});
    else
        start_job(run);
}

/* The disk has it as "starting" since its claim. */
static void set_starting(Manager *m, Task *t) {
    t->claim = TASK_CLAIM_NONE;
    manager_claim_used(m);
    t->queue_deadline = 0; /* kept, also if it comes back into the queue */
    manager_set_state(t, TASK_STARTING);
    manager_attempt_begins(t);
    commit_queue_put_later(m->commits, t);
    commit_queue_put_group(m->commits, t->group, true); /* it has had its turn */
}

static void begin_run(Manager *m, Task *t) {
    TaskRun *run = manager_new_run(m, t);

    set_starting(m, t);
    if (!run) {
        task_set_message(t, "cannot be started: out of memory");
        scheduler_release(&m->scheduler, t);
        manager_set_state(t, TASK_QUEUED);
        manager_enter_again(m, t);
        manager_finish_queued(m, t, TASK_FAILED, "cannot be started: out of memory");
        return;
    }
    bus_publisher_task_started(m->bus->publisher, t);
    if (run->is_thread && m->trace)
        run->trace_place = start_trace_reserve(m->trace);
    run->waits_for_disk = run->is_thread && run->trace_place < 0;
    if (run->waits_for_disk)
        commit_queue_call(m->commits, on_starting_committed, m, run);
    else
        start_job(run);
}

/* ---- ahead of their slots ---- */

/* So many tasks wait in the thread pool, so that a slot passes from one to the next there. */
#define AHEAD_MAX 64

static bool hand_ahead(Manager *m, Task *t) {
    TaskRun *run = manager_new_run(m, t);

    if (!run)
        return false;
    run->trace_place = start_trace_reserve(m->trace);
    if (run->trace_place < 0 || manager_start_job(run, true) < 0) {
        if (run->trace_place >= 0)
            start_trace_release(m->trace, run->trace_place);
        manager_drop_run(run);
        return false;
    }
    scheduler_hand_ahead(&m->scheduler, t);
    return true;
}

/* In the order of the queue, so not beyond a command. */
static void fill_ahead(Manager *m) {
    unsigned before = m->scheduler.n_ahead;
    Task *t;

    if (m->threads_running == 0 || !m->trace)
        return;
    while (m->scheduler.n_ahead < AHEAD_MAX && (t = scheduler_peek(&m->scheduler)) &&
           manager_runs_on_thread(t->spec) && hand_ahead(m, t))
        ;
    if (m->scheduler.n_ahead > before)
        thread_executor_set_slots(m->threads, m->threads_running);
}

/* False: it has begun, and that is about to be told. */
static bool take_back(Manager *m, Task *t) {
    if (!thread_job_take_back(t->run->job))
        return false;
    start_trace_release(m->trace, t->run->trace_place);
    manager_drop_run(t->run);
    scheduler_take_back(&m->scheduler, t);
    return true;
}

unsigned manager_threads_busy(const Manager *m) {
    return m->threads_running + m->scheduler.n_ahead;
}

void manager_take_back_ahead(Manager *m) {
    Task *t, *before;

    for (t = TAILQ_LAST(&m->scheduler.ahead, TaskQueue); t; t = before) {
        before = TAILQ_PREV(t, TaskQueue, ahead);
        if (!take_back(m, t))
            return; /* nor can those before it */
    }
}

/* It has a slot: that of a task that has ended, or one that is free anyway. */
static void give_slot(Manager *m, Task *t) {
    set_starting(m, t);
    bus_publisher_task_started(m->bus->publisher, t);
    give_slot_to_thread(t->run);
    if (t->cancel_requested) {
        manager_set_state(t, TASK_CANCELLING);
        manager_publish_state(m, t);
    }
}

void manager_begin_ahead(Task *t) {
    Manager *m = t->run->manager;

    scheduler_begin(&m->scheduler, t);
    give_slot(m, t);
}

/* ---- slots ---- */

static void give_slots(Manager *m) {
    bool unclaimed = false;

    for (Task *t; (t = scheduler_take(&m->scheduler, &unclaimed));)
        if (t->run)
            give_slot(m, t);
        else
            begin_run(m, t);
    if (unclaimed)
        commit_queue_begin(m->commits);
}

static int on_schedule(sd_event_source *s, void *userdata) {
    Manager *m = userdata;
    bool may_start = (m->scheduler.queued > 0 || m->low_disk) && manager_disk_has_room(m);

    if (m->overtaken)
        manager_take_back_ahead(m);
    m->overtaken = false;
    if (may_start)
        give_slots(m);
    /* A slot that others have got now must be gone before more can wait for one. */
    thread_executor_set_slots(m->threads, m->threads_running);
    if (may_start)
        fill_ahead(m);
    manager_update_status(m);
    return 0;
}

int manager_init_scheduling(Manager *m) {
    int r = sd_event_add_defer(m->event, &m->scheduling, on_schedule, m);

    return r < 0 ? r : sd_event_source_set_enabled(m->scheduling, SD_EVENT_OFF);
}

/* Not at once: who asked for a task gets the answer before the loop is busy making its process. */
void manager_schedule(Manager *m) {
    (void)sd_event_source_set_enabled(m->scheduling, SD_EVENT_ONESHOT);
}
