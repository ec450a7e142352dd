#pragma once

#include "daemon/commit.h"
#include "tests/unit/unit-task.h"

/* A queue of what waits for a commit, with the real store in the folder of the test; what it tells
 * is counted. */

#define RIG_CALLS_MAX 4000
#define RIG_TASKS_MAX 8

extern sd_event *rig_event;
extern Store *rig_store;
extern CommitQueue *rig_queue;
extern EnvTable *rig_envs;
extern size_t rig_calls[RIG_CALLS_MAX], rig_n_calls; /* the numbers of those that were called */
extern unsigned rig_prepared, rig_commits, rig_failures;
extern bool rig_busy;                  /* what those before have sent is not taken yet */
extern Task *rig_tasks[RIG_TASKS_MAX]; /* with the ids 1 and up */

/* For checked fixtures. */
void rig_setup(void);
void rig_teardown(void);

/* Runs the loop until nothing is under way; waits for the disk. */
void rig_until_empty(void);
/* The same, until there were so many. */
void rig_until_prepared(unsigned n);
void rig_until_commits(unsigned n);
void rig_until_failures(unsigned n);
void rig_until_calls(size_t n); /* and not more */

/* To be called with rig_calls and a number, which it notes; must be told that it is on disk. */
void rig_on_call(void *userdata, void *arg, int error);
void rig_add(size_t n); /* that waits, with this number */

void rig_expect_put(const Task *t, bool is_changed, bool stored);
Group *rig_new_group(const char *name, unsigned max_parallel);
/* Puts in an attempt of the first task, which goes on. */
void rig_put_attempt(const char *message);

/* The end of the queue: how many active tasks a next daemon finds. */
unsigned rig_active_on_disk(void);
/* As a next daemon finds them, with another queue in place of the first: "NAME=NUMBER " each, of
 * groups their max-parallel, of attempts the message and number. */
void rig_expect_groups(const char *expected);
void rig_expect_resources(const char *expected);
void rig_expect_backends(const char *expected);   /* bytes of settings * 10, + 1 when polled */
void rig_expect_operations(const char *expected); /* the JSON and the id */
void rig_expect_attempts(const char *expected);
const char *rig_load_groups(void); /* the same words, and the queue stays; good until the next */
