#pragma once

#include "daemon/store/store.h"

/* What a batch holds: a list of changes, in their order. Texts are copied into one buffer, since
 * there may be tens of thousands. */

typedef enum StoreOpType {
    STORE_OP_PUT_TASK,
    STORE_OP_PUT_RESULT,
    STORE_OP_REMOVE_RESULT,
    STORE_OP_REMOVE_TASK,
    STORE_OP_PUT_ATTEMPT,
    STORE_OP_PUT_GROUP,
    STORE_OP_REMOVE_GROUP,
    STORE_OP_PUT_RESOURCE,
    STORE_OP_PUT_BACKEND,
    STORE_OP_REMOVE_BACKEND,
    STORE_OP_PUT_OPERATION,
} StoreOpType;

/* What changes in a task's life. Texts are offsets in the batch's buffer. */
typedef struct StoreRow {
    bool is_new;
    const TaskSpec *spec; /* not owned; all of it but the label stays as it is */
    TaskState state;
    uint64_t created_at, started_at, finished_at;
    size_t label, reason, status, message, phase;
    double progress;
    bool bytes;
    ProgressSource progress_source;
    uint64_t done, total;
    int32_t priority;
    uint64_t ready_at, due_at, retry_of;
    unsigned attempt, n_attempts;
    TaskState end_state;
    int exit_code, exit_signal;
    pid_t pid;
    uint64_t log_size, log_begin, log_kept;
    TaskUsage usage;
    bool has_result, cancel_requested;
} StoreRow;

typedef struct StoreAttempt {
    unsigned number;
    TaskState state;
    int exit_code, exit_signal;
    uint64_t started_at, finished_at, log_offset;
    size_t message;
} StoreAttempt;

typedef struct StoreGroup {
    size_t name, defaults;
    unsigned max_parallel, max_queued;
    bool paused, draining;
    uint64_t turn;
    unsigned succeeded, failed;
} StoreGroup;

typedef struct StoreResource {
    size_t name;
    uint32_t capacity;
} StoreResource;

typedef struct StoreBackend {
    size_t name, settings;
    bool polling;
} StoreBackend;

typedef struct StoreOp {
    StoreOpType type;
    uint64_t id; /* of a task; 0 = of none */
    union {
        StoreRow row;
        char *result;     /* owned */
        size_t operation; /* a text; 0 = there is none any more */
        StoreAttempt attempt;
        StoreGroup group;
        StoreResource resource;
        StoreBackend backend;
    };
} StoreOp;

struct StoreBatch {
    StoreOp *ops;
    size_t n_ops, ops_allocated;
    char *texts;
    size_t texts_size, texts_allocated;
    uint64_t id_max;
};

static inline const char *store_batch_text(const StoreBatch *b, size_t offset) {
    return b->texts + offset;
}
