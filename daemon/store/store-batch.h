#pragma once

#include "daemon/store/store.h"

/* What a batch holds: a list of changes, in their order. Texts are copied into one buffer, since
 * there may be tens of thousands. */

typedef enum StoreOpType {
    STORE_OP_PUT_TASK,
    STORE_OP_PUT_RESULT,
    STORE_OP_REMOVE_RESULT,
    STORE_OP_REMOVE_TASK,
} StoreOpType;

/* What changes in a task's life. Texts are offsets in the batch's buffer. */
typedef struct StoreRow {
    bool is_new;
    const TaskSpec *spec; /* not owned; all of it but the label stays as it is */
    TaskState state;
    uint64_t created_at, started_at, finished_at;
    size_t label, reason, status, message, phase;
    double progress;
    uint64_t done, total;
    unsigned attempt;
    int exit_code, exit_signal;
    pid_t pid;
    uint64_t log_size, log_kept;
    TaskUsage usage;
    bool has_result, cancel_requested;
} StoreRow;

typedef struct StoreOp {
    StoreOpType type;
    uint64_t id;
    union {
        StoreRow row;
        char *result; /* owned */
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
