#pragma once

#include "tests/backend/exchange.h"

/* Long operations, under /operations. POST there begins one; its body:
 *
 *     steps 8, step_ms 100    how long; step_ms 0: each poll is a step
 *     fail false              true: in the last step, N: in that one
 *     style "location"        how it is told, see operation-style.c
 *     retry_after             seconds, sent with every answer
 *     cancel "accept"         or "refuse", "ignore" (it says yes, and goes on), "slow" (it takes
 *                             three polls)
 *     result, error           what it ends with
 *     link "/status_url"      of the style body: where the link is, a JSON Pointer
 *
 * The same Idempotency-Key once more gives the same operation, and starts none. */

#define OPERATIONS_MAX 100000

typedef enum OperationState {
    OPERATION_RUNNING,
    OPERATION_CANCELLING,
    OPERATION_SUCCEEDED,
    OPERATION_FAILED,
    OPERATION_CANCELLED,
} OperationState;

typedef struct OperationStyle OperationStyle;

typedef struct Operation {
    uint64_t id;
    char *key; /* Idempotency-Key, NULL = none */
    const OperationStyle *style;
    cJSON *request;
    OperationState state;
    uint64_t begun_usec, polls, cancels, cancel_polls;
    unsigned steps, done, fail_at; /* fail_at 0 = never */
} Operation;

typedef struct Operations {
    Operation *items; /* the id is the index + 1 */
    size_t n;
    uint64_t posts, replayed;
} Operations;

void operations_clear(Operations *o); /* also at the end */
bool operations_route(Exchange *e, Operations *o);
cJSON *operations_to_json(Operations *o);
/* id, done, state: of one that is there. */
void operations_set(Operations *o, const cJSON *state);

/* ---- operation-style.c ---- */

const OperationStyle *operation_style_find(const char *name); /* NULL = there is none */
void operation_reply_begun(Exchange *e, const Operation *op);
void operation_reply_state(Exchange *e, const Operation *op);
void operation_reply_result(Exchange *e, const Operation *op);
cJSON *operation_result(const Operation *op);
