#pragma once

#include <systemd/sd-event.h>

#include "daemon/bus/bus.h"

/* What stands behind the bus, as plain as it can be: active tasks in memory, ended ones on a "disk"
 * that answers from the loop, when it is let. Nothing runs. */

typedef struct FakeJob FakeJob;

typedef struct FakeDaemon {
    BusApi api;
    Bus *bus; /* not owned */
    sd_event_source *source;
    TAILQ_HEAD(FakeJobs, FakeJob) jobs; /* what the disk was asked for, and commits */
    TaskTable memory;
    TaskTable disk; /* its ended ones */
    EnvTable *envs;
    uint64_t last_id;
    TaskUsage used; /* by each active task */

    bool disk_stopped;    /* the disk does not answer */
    bool commits_stopped; /* nor are there commits */
    int disk_error, commit_error;
    const char *refusal; /* of a repetition: QueueFull; NULL = none is refused */
    unsigned evictions;  /* so many times, recalled tasks leave memory as soon as they may */

    unsigned checks; /* times that it was asked for calendars; "never" does not elapse */
    bool calendars_are_known;

    unsigned recalls;      /* times that it was asked for tasks */
    size_t recalled;       /* tasks that it was asked for */
    size_t largest_recall; /* most of them at a time */
    TaskFilter filter;     /* of the last list, count or prune; its strings are gone */
    const char *isolation_now;
    bool is_low_disk;

    Group *groups;  /* by name */
    uint64_t unset; /* of the last ConfigureGroup */
    ResourceTable resources;

    Backend *backends;
    TAILQ_HEAD(FakeAsks, FakeAsk) asks; /* what backends were asked, see fake-backends.h */
    int ask_result;                     /* of whoever asks; negative: it is refused */
} FakeDaemon;

/* In fake-groups.c, for the fake itself. */
void fake_groups_init(FakeDaemon *f);
void fake_groups_done(FakeDaemon *f);
/* In fake-backends.c. */
void fake_backends_init(FakeDaemon *f);
void fake_backends_done(FakeDaemon *f);

void fake_daemon_init(FakeDaemon *f, sd_event *event);
void fake_daemon_done(FakeDaemon *f); /* after its bus has gone */

/* A task that has ended and lies on disk; owned by the fake. */
Task *fake_daemon_add_ended(FakeDaemon *f, TaskState state);
/* So many of them; gives the first id. */
uint64_t fake_daemon_add_many(FakeDaemon *f, size_t n);
/* One that runs. */
Task *fake_daemon_add_running(FakeDaemon *f);
/* It ends; that is committed when commits are, and then told. */
void fake_daemon_end(FakeDaemon *f, Task *t, TaskState state);

/* Lets the disk, and commits, go on. */
void fake_daemon_go_on(FakeDaemon *f);
/* Now, rather than in a turn of the loop. */
void fake_daemon_run(FakeDaemon *f);
