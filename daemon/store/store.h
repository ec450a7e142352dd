#pragma once

#include <systemd/sd-event.h>

#include "daemon/core/filter.h"
#include "daemon/core/group.h"
#include "daemon/core/task.h"

/* The tasks on disk: a SQLite database in WAL mode with synchronous=FULL, so that what was
 * committed outlives a power cut. A thread writes, another reads, each with a connection of its
 * own; the loop hands them jobs and is called back, in the order in which it asked. The only module
 * that knows SQLite.
 *
 * Errors of SQLite are given as -errno: -ENOSPC (full), -EROFS, -EIO, -EBADMSG (the file is
 * damaged), -ENOMEM. */

#define STORE_FILE "longrun.db"

typedef struct Store Store;

/* Opens or makes DIR/longrun.db and brings its schema up to date. A schema that is newer than this
 * program is refused and left untouched. A file that is damaged or is no database is moved aside
 * whole (longrun.db.damaged-TIME, with its -wal and -shm), what can be read of it is copied into a
 * new one, and *ret_damaged gets the path that it has now, for the caller to free; NULL otherwise.
 * 0, or -EREMOTE with the error set: Storage, in words for the person who started the daemon. */
int store_open(Store **ret, sd_event *event, const char *dir, char **ret_damaged, Error *error);
/* Waits for the jobs under way; what has not been begun is not done, and nobody is called any more.
 * NULL-safe, gives NULL. */
Store *store_free(Store *s);

/* ---- at the start, on the loop, before anything else ---- */

/* The number that the next task gets: above every one that was ever given out. */
uint64_t store_next_id(const Store *s);

/* The session in which the last daemon ran, as it wrote it; "" when there was none. To be freed by
 * the caller. NULL when memory is short. */
char *store_session(Store *s);
/* Writes down the session; it is on disk with the next commit. */
int store_set_session(Store *s, const char *session);

/* Every task that has not ended, by id, with `stored` set. envs: where environments are interned.
 * The function takes the task. 0 or -errno, which may be that of the function. */
int store_load_active(Store *s, EnvTable *envs, int (*func)(void *userdata, Task *task),
                      void *userdata);

/* The groups as they were put in last. The function takes them. 0 or -errno. */
int store_load_groups(Store *s, int (*func)(void *userdata, Group *group), void *userdata);
int store_load_resources(Store *s, int (*func)(void *userdata, const char *name, uint32_t capacity),
                         void *userdata);

/* The backends as they were put in last. */
int store_load_backends(Store *s,
                        int (*func)(void *userdata, const char *name, const char *settings,
                                    bool polling),
                        void *userdata);
/* What the tasks that have not ended have put in as their operation, by id. */
int store_load_operations(Store *s, int (*func)(void *userdata, uint64_t id, const char *json),
                          void *userdata);

/* How a task has ended. 0; -ENOENT when there is none of that id, or it is active; -errno. */
int store_final_state(Store *s, uint64_t id, TaskState *ret);

/* ---- writing ---- */

/* Changes that are committed together: all or none. Tasks that are put in must not be freed, and
 * the environments and requests of new ones not be changed (but for the label), until the commit is
 * over; their state, texts and numbers are copied. */
typedef struct StoreBatch StoreBatch;

StoreBatch *store_batch_new(void);
StoreBatch *store_batch_free(StoreBatch *b); /* NULL-safe, gives NULL */
bool store_batch_is_empty(const StoreBatch *b);

/* Puts in the row of a task: all of it when it is not `stored` yet, else what changes in a life. Of
 * a task that is waiting with claimed=true the row says "starting", see docs/ARCHITECTURE.md. 0 or
 * -ENOMEM. */
int store_batch_put_task(StoreBatch *b, const Task *t, bool claimed);
/* An attempt of a task that is over and was not the last. Copied. */
int store_batch_put_attempt(StoreBatch *b, uint64_t id, const TaskAttempt *attempt);
/* All of a group; copied. */
int store_batch_put_group(StoreBatch *b, const Group *g);
int store_batch_remove_group(StoreBatch *b, const char *name);
/* capacity 0 removes it. */
int store_batch_put_resource(StoreBatch *b, const char *name, uint32_t capacity);
/* settings: JSON; "" = only whether it is polled. Copied. */
int store_batch_put_backend(StoreBatch *b, const char *name, const char *settings, bool polling);
int store_batch_remove_backend(StoreBatch *b, const char *name);
/* What a next daemon needs to go on with the operation of a task: a JSON text; NULL deletes it. */
int store_batch_put_operation(StoreBatch *b, uint64_t id, const char *json);
/* The result of a task that has ended: a JSON text. */
int store_batch_put_result(StoreBatch *b, uint64_t id, const char *json);
/* Deletes the result. */
int store_batch_remove_result(StoreBatch *b, uint64_t id);
/* Deletes the task, with its result, and its environment if no other task has it. */
int store_batch_remove_task(StoreBatch *b, uint64_t id);

/* Commits the batch and calls func on the loop, with 0 or -errno: then none of it was written.
 * Several may be under way. The batch stays the caller's and must live until then. On -EBADMSG the
 * database was moved aside as by store_open() and a new one begun; see store_damaged_path(). */
typedef void (*StoreCommitFunc)(void *userdata, int error);
int store_commit(Store *s, StoreBatch *b, StoreCommitFunc func, void *userdata);

/* Where the database lies that was found damaged last while the daemon ran, NULL for none. */
const char *store_damaged_path(const Store *s);

/* ---- reading: of what is committed ---- */

/* Tasks that have ended, read from the disk. The function takes those that it sets to NULL; what is
 * left is freed after it. One that is not there is NULL. error: 0 or -errno, then n is 0. next: the
 * cursor of the next page, 0 at the end. */
typedef void (*StoreTasksFunc)(void *userdata, int error, Task **tasks, size_t n, uint64_t next);

/* The tasks with these ids, ended or not, in their order. */
int store_read_tasks(Store *s, EnvTable *envs, const uint64_t *ids, size_t n, StoreTasksFunc func,
                     void *userdata);

/* A page of those that have ended, by id, as core/filter.h says, without their environments:
 * spec->env is NULL. The filter is copied. A task at the cursor belongs to the page, which may be
 * shorter than its limit when the requests are large. */
int store_list(Store *s, const TaskFilter *filter, StoreTasksFunc func, void *userdata);

/* How many have ended, for each state. */
typedef void (*StoreCountFunc)(void *userdata, int error, const uint32_t counts[_TASK_STATE_MAX]);
int store_count(Store *s, const TaskFilter *filter, StoreCountFunc func, void *userdata);

/* The result of a task; NULL when it has none. Freed after the function. */
typedef void (*StoreResultFunc)(void *userdata, int error, const char *json);
int store_read_result(Store *s, uint64_t id, StoreResultFunc func, void *userdata);

/* Ids of ended tasks to be removed, at most STORE_IDS_MAX at a time: those that match, in the order
 * of the filter and from its cursor on, or those that are more than what is to be kept, oldest ends
 * first. */
#define STORE_IDS_MAX 1000
typedef void (*StoreIdsFunc)(void *userdata, int error, const uint64_t *ids, size_t n);
int store_match_ids(Store *s, const TaskFilter *filter, StoreIdsFunc func, void *userdata);

typedef struct StoreLimits {
    uint64_t tasks;       /* ended ones that are kept, UINT64_MAX = all */
    uint64_t log_bytes;   /* of their logs, UINT64_MAX = all */
    uint64_t ended_since; /* CLOCK_REALTIME, microseconds: those that ended before go; 0 = none */
} StoreLimits;
/* Cheap when there is nothing to remove. */
int store_excess_ids(Store *s, const StoreLimits *limits, StoreIdsFunc func, void *userdata);

/* Reads under way or waiting. While there are any, tasks that have ended stay in memory, so that
 * none is missed between the one and the other. */
size_t store_reads(const Store *s);
