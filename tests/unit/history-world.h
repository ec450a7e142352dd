#pragma once

#include "tests/unit/history-model.h"

/* A scheduler with its tasks, driven as the manager does it, through the same history as a model.
 * There may be several at a time. */

typedef struct World {
    Scheduler scheduler;
    Group *groups[MODEL_GROUPS];
    Task *tasks[MODEL_ITEMS_MAX]; /* NULL: it has ended. Ids are places and 1 */
    const Model *model;           /* before the change that is being made */
    unsigned elapsed[MODEL_ITEMS_MAX];
} World;

/* Where we are, for the message of a failure. */
extern uint64_t world_seed;
extern unsigned world_step;

#define WORLD_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            world_fail(#condition, __FILE__, __LINE__);                                            \
    } while (false)
_Noreturn void world_fail(const char *what, const char *file, int line);

void world_init(World *w, const Model *m);
/* As the next daemon finds it: what is on disk of another one. */
void world_rebuild(World *w, const World *from, const Model *m);
void world_done(World *w);

/* A new item of the model; before the model has settled it. */
void world_add(World *w, unsigned i);
/* It ran, or was pending, and has ended. */
void world_end(World *w, unsigned i, TaskState state);
/* It ran, and is to be tried again; the model says when. */
void world_retry(World *w, unsigned i);
void world_set_time(World *w);
void world_sweep(World *w); /* frees those that have ended */

/* Starts one task, with as many commits as it takes. MODEL_NONE: there is none. */
unsigned world_take(World *w);
void world_commit(World *w);

/* All that can be seen is as the model says. */
void world_compare(const World *w);
