#include "daemon/store/store-batch.h"

#include <errno.h>

#include "common/cleanup.h"
#include "daemon/store/request-json.h"

StoreBatch *store_batch_new(void) {
    StoreBatch *b = calloc(1, sizeof(StoreBatch));

    if (!b)
        return NULL;
    b->texts_allocated = 256;
    b->texts = calloc(1, b->texts_allocated);
    b->texts_size = 1; /* the empty text is at 0 */
    return b->texts ? b : store_batch_free(b);
}

StoreBatch *store_batch_free(StoreBatch *b) {
    if (!b)
        return NULL;
    for (size_t i = 0; i < b->n_ops; i++)
        if (b->ops[i].type == STORE_OP_PUT_RESULT)
            free(b->ops[i].result);
    free(b->ops);
    free(b->texts);
    free(b);
    return NULL;
}

bool store_batch_is_empty(const StoreBatch *b) {
    return b->n_ops == 0;
}

static StoreOp *add_op(StoreBatch *b, StoreOpType type, uint64_t id) {
    if (b->n_ops == b->ops_allocated) {
        size_t n = MAX(b->ops_allocated * 2, (size_t)4);
        StoreOp *grown = realloc(b->ops, n * sizeof(StoreOp));
        if (!grown)
            return NULL;
        b->ops = grown;
        b->ops_allocated = n;
    }
    StoreOp *op = &b->ops[b->n_ops++];
    *op = (StoreOp){.type = type, .id = id};
    b->id_max = MAX(b->id_max, id);
    return op;
}

static int add_text(StoreBatch *b, const char *text, size_t *ret) {
    if (isempty(text)) {
        *ret = 0;
        return 0;
    }
    size_t size = strlen(text) + 1;
    if (b->texts_size + size > b->texts_allocated) {
        size_t n = MAX(b->texts_allocated * 2, b->texts_size + size);
        char *grown = realloc(b->texts, n);
        if (!grown)
            return -ENOMEM;
        b->texts = grown;
        b->texts_allocated = n;
    }
    *ret = b->texts_size;
    memcpy(b->texts + b->texts_size, text, size);
    b->texts_size += size;
    return 0;
}

static int add_texts(StoreBatch *b, const Task *t, StoreRow *row) {
    int r = add_text(b, t->spec->label, &row->label);

    if (r >= 0)
        r = add_text(b, task_work(t)->reason, &row->reason);
    if (r >= 0)
        r = add_text(b, task_work(t)->status, &row->status);
    if (r >= 0)
        r = add_text(b, t->message, &row->message);
    if (r >= 0)
        r = add_text(b, task_work(t)->progress.phase, &row->phase);
    return r;
}

/* One that is put in anew brings them along. */
static int add_attempts(StoreBatch *b, const Task *t) {
    int r = 0;

    for (unsigned i = 0; r >= 0 && !t->stored && i < t->n_attempts; i++)
        r = store_batch_put_attempt(b, t->id, &t->attempts[i]);
    return r;
}

int store_batch_put_task(StoreBatch *b, const Task *t, bool claimed) {
    StoreRow row = {
        .is_new = !t->stored,
        .spec = t->spec,
        .state = claimed ? TASK_STARTING : t->state,
        .created_at = t->created_at,
        .started_at = t->started_at,
        .finished_at = task_is_final(t) ? MAX(t->finished_at, UINT64_C(1)) : 0,
        .progress = task_work(t)->progress.fraction,
        .done = task_work(t)->progress.done,
        .total = task_work(t)->progress.total,
        .bytes = task_work(t)->progress.bytes,
        .progress_source = task_work(t)->progress.source,
        .priority = t->spec->priority,
        .ready_at = t->ready_at,
        .due_at = t->due_at,
        .retry_of = t->retry_of,
        .attempt = t->attempt + (claimed ? 1 : 0), /* the one that may begin */
        .n_attempts = t->n_attempts,
        .end_state = t->end_state,
        .exit_code = t->exit_code,
        .exit_signal = t->exit_signal,
        .pid = t->pid,
        .log_size = t->log_size,
        .log_begin = t->log_begin,
        .log_kept = task_work(t)->log_kept,
        .usage = task_work(t)->usage,
        .has_result = t->has_result,
        .cancel_requested = t->cancel_requested,
    };
    int r = add_texts(b, t, &row);

    if (r < 0)
        return r;
    StoreOp *op = add_op(b, STORE_OP_PUT_TASK, t->id);
    if (!op)
        return -ENOMEM;
    op->row = row;
    return add_attempts(b, t);
}

int store_batch_put_attempt(StoreBatch *b, uint64_t id, const TaskAttempt *attempt) {
    size_t message;
    int r = add_text(b, attempt->message, &message);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_PUT_ATTEMPT, id) : NULL;

    if (!op)
        return -ENOMEM;
    op->attempt = (StoreAttempt){
        .number = attempt->number,
        .state = attempt->state,
        .exit_code = attempt->exit_code,
        .exit_signal = attempt->exit_signal,
        .started_at = attempt->started_at,
        .finished_at = attempt->finished_at,
        .log_offset = attempt->log_offset,
        .message = message,
    };
    return 0;
}

int store_batch_put_result(StoreBatch *b, uint64_t id, const char *json) {
    _cleanup_free_ char *copy = strdup(json);
    StoreOp *op = copy ? add_op(b, STORE_OP_PUT_RESULT, id) : NULL;

    if (!op)
        return -ENOMEM;
    op->result = TAKE_PTR(copy);
    return 0;
}

int store_batch_remove_result(StoreBatch *b, uint64_t id) {
    return add_op(b, STORE_OP_REMOVE_RESULT, id) ? 0 : -ENOMEM;
}

int store_batch_remove_task(StoreBatch *b, uint64_t id) {
    return add_op(b, STORE_OP_REMOVE_TASK, id) ? 0 : -ENOMEM;
}

int store_batch_put_group(StoreBatch *b, const Group *g) {
    _cleanup_free_ char *json = g->defaults ? request_defaults_to_json(g->defaults) : NULL;
    size_t name, defaults;

    if (g->defaults && !json)
        return -ENOMEM;
    int r = add_text(b, g->name, &name);
    if (r >= 0)
        r = add_text(b, json, &defaults);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_PUT_GROUP, 0) : NULL;
    if (!op)
        return -ENOMEM;
    op->group = (StoreGroup){
        .name = name,
        .defaults = defaults,
        .max_parallel = g->max_parallel,
        .max_queued = g->max_queued,
        .paused = g->paused,
        .draining = g->draining,
        .turn = g->turn,
        .succeeded = g->succeeded,
        .failed = g->failed,
    };
    return 0;
}

int store_batch_remove_group(StoreBatch *b, const char *name) {
    size_t at;
    int r = add_text(b, name, &at);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_REMOVE_GROUP, 0) : NULL;

    if (!op)
        return -ENOMEM;
    op->group.name = at;
    return 0;
}

int store_batch_put_resource(StoreBatch *b, const char *name, uint32_t capacity) {
    size_t at;
    int r = add_text(b, name, &at);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_PUT_RESOURCE, 0) : NULL;

    if (!op)
        return -ENOMEM;
    op->resource = (StoreResource){.name = at, .capacity = capacity};
    return 0;
}

int store_batch_put_backend(StoreBatch *b, const char *name, const char *settings, bool polling) {
    size_t name_at, settings_at;
    int r = add_text(b, name, &name_at);

    if (r >= 0)
        r = add_text(b, settings, &settings_at);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_PUT_BACKEND, 0) : NULL;
    if (!op)
        return -ENOMEM;
    op->backend = (StoreBackend){.name = name_at, .settings = settings_at, .polling = polling};
    return 0;
}

int store_batch_remove_backend(StoreBatch *b, const char *name) {
    size_t at;
    int r = add_text(b, name, &at);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_REMOVE_BACKEND, 0) : NULL;

    if (!op)
        return -ENOMEM;
    op->backend.name = at;
    return 0;
}

int store_batch_put_operation(StoreBatch *b, uint64_t id, const char *json) {
    size_t at;
    int r = add_text(b, json, &at);
    StoreOp *op = r >= 0 ? add_op(b, STORE_OP_PUT_OPERATION, id) : NULL;

    if (!op)
        return -ENOMEM;
    op->operation = at;
    return 0;
}
