#pragma once

#include "daemon/store/store.h"
#include "tests/unit/unit-task.h"

/* A store in the folder of the test, on a loop of its own, asked one thing at a time. */

extern sd_event *rig_event;
extern EnvTable *rig_envs;
extern Store *rig_store;
extern char *rig_damaged; /* what the last rig_open() found damaged, or NULL */

/* Makes the loop; for checked fixtures. */
void rig_setup(void);
void rig_teardown(void);

void rig_open(void);          /* must succeed */
void rig_close(void);         /* does nothing when it is closed */
void rig_reopen(void);        /* both */
char *rig_open_refused(void); /* must fail with Storage; its words, for the caller to free */
const char *rig_path(const char *suffix); /* of the database, with something behind its name */

/* A task that has come to an end, at 5000 + id. */
Task *rig_ended(uint64_t id, TaskState state);

/* ---- commits ---- */

/* Waits for it; 0 or -errno. The batch is freed. */
int rig_commit(StoreBatch *b);
StoreBatch *rig_batch(Task *const *tasks, size_t n);
/* Commits it, must succeed; marks the task as stored. */
void rig_put(Task *t);
void rig_put_many(Task *const *tasks, size_t n);
void rig_remove(uint64_t id);

/* Runs the loop until the number is at least as wanted. */
void rig_wait(const size_t *number, size_t wanted);

/* ---- answers, good until the next one ---- */

typedef struct RigAnswer {
    int error;
    Task **tasks; /* owned by the rig */
    uint64_t *ids;
    size_t n;
    uint64_t next;
    uint32_t counts[_TASK_STATE_MAX];
    char *json;
} RigAnswer;

const RigAnswer *rig_read(const uint64_t *ids, size_t n);
Task *rig_read_one(uint64_t id); /* NULL when it is not there */
const RigAnswer *rig_list(const TaskFilter *filter);
const RigAnswer *rig_count(const TaskFilter *filter);
const RigAnswer *rig_match(const TaskFilter *filter);
const RigAnswer *rig_excess(StoreLimits limits);
const char *rig_result(uint64_t id); /* NULL when there is none */

/* All active tasks, as an answer. */
const RigAnswer *rig_load(void);

/* ---- the file, from outside ---- */

/* The first column of the first row, as a number. */
int64_t rig_sql(const char *sql);
/* Transactions in the WAL. */
size_t rig_wal_commits(void);
/* Overwrites bytes of the file. */
void rig_damage(const char *path, long offset, size_t size);
long rig_size(const char *path);

/* ---- comparing ---- */

/* Every field that is to outlive the daemon. */
void rig_assert_same(const Task *a, const Task *b);
