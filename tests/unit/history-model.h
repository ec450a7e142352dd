#pragma once

#include "daemon/core/scheduler.h"
#include "tests/unit/unit.h"

/* What the scheduler is held against: the same rules once more, as plainly as they can be said,
 * over arrays, whatever time that takes. It does not decide; it says whether a decision was right.
 */

#define MODEL_GROUPS 4
#define MODEL_RESOURCES 3
#define MODEL_CONDITIONS 2
#define MODEL_NEEDS_MAX 4
#define MODEL_ITEMS_MAX 120
#define MODEL_NONE UINT32_MAX

extern const char *const model_group_names[MODEL_GROUPS];
extern const char *const model_resource_names[MODEL_RESOURCES];
extern const char *const model_condition_names[MODEL_CONDITIONS];

typedef enum ModelPhase {
    MODEL_WAITING,
    MODEL_QUEUED,
    MODEL_RUNNING,
    MODEL_ENDED,
} ModelPhase;

typedef struct ModelItem {
    unsigned group, condition; /* MODEL_NONE = none */
    int32_t priority;
    uint32_t wants[MODEL_RESOURCES];
    unsigned n_needs;
    struct {
        unsigned on;
        DependencyKind kind;
    } needs[MODEL_NEEDS_MAX];
    unsigned parent;
    uint64_t due;
    bool is_series;

    ModelPhase phase;
    TaskState end;
} ModelItem;

typedef struct ModelGroup {
    unsigned max_parallel, running;
    uint64_t turn;
    bool paused;
    unsigned waited; /* so many others were served while it could have started something */
} ModelGroup;

typedef struct Model {
    ModelItem items[MODEL_ITEMS_MAX];
    unsigned n;
    ModelGroup groups[MODEL_GROUPS];
    uint32_t capacity[MODEL_RESOURCES], used[MODEL_RESOURCES];
    bool holds[MODEL_CONDITIONS];
    uint64_t now, last_turn;
    unsigned max_parallel, running;
} Model;

/* What follows from the last change: who is ready now, who waits again, who is skipped. */
void model_settle(Model *m);
/* The time of this series has come. */
bool model_has_elapsed(const Model *m, unsigned i);

/* NULL, or what is wrong about starting this one now; MODEL_NONE: about starting nothing. */
const char *model_start_fault(const Model *m, unsigned i);
void model_start(Model *m, unsigned i);
void model_release(Model *m, unsigned i); /* it runs no more; the phase is up to the caller */

/* Whether this end is one for which the item is skipped. */
bool model_dooms(const Model *m, unsigned i, unsigned cause);
/* Whether `on` waits, over whatever others, for i, or is it: parents wait for their children. */
bool model_waits_for(const Model *m, unsigned on, unsigned i);
