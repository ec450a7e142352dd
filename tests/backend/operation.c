#include "tests/backend/operation.h"

#include "common/clock.h"
#include "common/parse.h"
#include "tests/backend/memory.h"

#define STEPS 8
#define STEP_USEC (100 * USEC_PER_MSEC)
#define SLOW_CANCEL_POLLS 3

void operations_clear(Operations *o) {
    for (size_t i = 0; i < o->n; i++) {
        free(o->items[i].key);
        cJSON_Delete(o->items[i].request);
    }
    free(o->items);
    *o = (Operations){};
}

/* ---- how far it is ---- */

static void update(Operation *op) {
    uint64_t step = json_usec(op->request, "step_ms", STEP_USEC);
    uint64_t done = step == 0 ? op->polls : (clock_usec(CLOCK_MONOTONIC) - op->begun_usec) / step;

    if (op->state == OPERATION_CANCELLING && ++op->cancel_polls >= SLOW_CANCEL_POLLS)
        op->state = OPERATION_CANCELLED;
    if (op->state != OPERATION_RUNNING)
        return;
    op->done = (unsigned)MAX(op->done, MIN(done, op->steps));
    if (op->fail_at > 0 && op->done >= op->fail_at) {
        op->done = op->fail_at - 1;
        op->state = OPERATION_FAILED;
    } else if (op->done == op->steps)
        op->state = OPERATION_SUCCEEDED;
}

static unsigned fail_at(const cJSON *request, unsigned steps) {
    if (json_bool(request, "fail", false))
        return MAX(steps, 1U);
    return (unsigned)MAX(json_number(request, "fail", 0), 0);
}

/* ---- requests ---- */

static Operation *find_key(Operations *o, const char *key) {
    for (size_t i = 0; key && i < o->n; i++)
        if (o->items[i].key && streq(o->items[i].key, key))
            return &o->items[i];
    return NULL;
}

static Operation *operation_add(Operations *o, cJSON *request, const char *key,
                                const OperationStyle *style) {
    unsigned steps = (unsigned)MAX(json_number(request, "steps", STEPS), 0);

    if (o->n % 64 == 0)
        o->items = must(realloc(o->items, (o->n + 64) * sizeof(*o->items)));
    Operation *op = &o->items[o->n++];
    *op = (Operation){
        .id = o->n,
        .key = key ? must_copy(key) : NULL,
        .style = style,
        .request = request,
        .begun_usec = clock_usec(CLOCK_MONOTONIC),
        .steps = steps,
        .fail_at = fail_at(request, steps),
    };
    return op;
}

static void begin(Exchange *e, Operations *o) {
    const char *key = exchange_header(e, "Idempotency-Key");
    const Operation *known = find_key(o, key);
    _cleanup_json_ cJSON *request =
        e->body_size > 0 ? json_object_parse(e->body, e->body_size) : cJSON_CreateObject();

    o->posts++;
    if (known) {
        o->replayed++;
        operation_reply_begun(e, known);
        reply_header(e, "Idempotent-Replayed", "true");
        return;
    }
    const OperationStyle *style = operation_style_find(json_string(request, "style", "location"));
    if (!request || !style)
        reply_error(e, 400, "%s", request ? "no such style" : "the body is no object");
    else if (o->n >= OPERATIONS_MAX)
        reply_error(e, 507, "there are too many operations");
    else
        operation_reply_begun(e, operation_add(o, TAKE_PTR(request), key, style));
}

static void cancel(Exchange *e, Operation *op) {
    const char *how = json_string(op->request, "cancel", "accept");

    op->cancels++;
    update(op);
    if (op->state >= OPERATION_SUCCEEDED || streq(how, "refuse")) {
        reply_error(e, 409, "%s",
                    op->state >= OPERATION_SUCCEEDED ? "it has ended" : "it cannot be cancelled");
        return;
    }
    if (streq(how, "accept"))
        op->state = OPERATION_CANCELLED;
    else if (streq(how, "slow"))
        op->state = OPERATION_CANCELLING;
    if (streq(how, "accept"))
        reply_empty(e, 204);
    else
        reply_json(e, 202, cJSON_CreateObject());
}

/* "7", "7/cancel", "7:cancel", "7/result". ret_rest: "", "cancel", "result". */
static Operation *operation_of(Operations *o, const char *name, const char **ret_rest) {
    size_t digits = strspn(name, "0123456789");
    _cleanup_free_ char *number = must(strndup(name, digits));
    uint64_t id;

    if (parse_u64(number, &id) < 0 || id == 0 || id > o->n)
        return NULL;
    *ret_rest = name[digits] ? name + digits + 1 : "";
    return &o->items[id - 1];
}

static void poll_one(Exchange *e, Operation *op) {
    op->polls++;
    update(op);
    operation_reply_state(e, op);
}

bool operations_route(Exchange *e, Operations *o) {
    const char *name = exchange_below(e, "/operations/"), *rest = "";
    Operation *op = name ? operation_of(o, name, &rest) : NULL;

    if (streq(e->route, "/operations") && exchange_is(e, "POST"))
        begin(e, o);
    else if (streq(e->route, "/operations") && exchange_is(e, "GET"))
        reply_json(e, 200, operations_to_json(o));
    else if (!name)
        return false;
    else if (!op)
        reply_error(e, 404, "no such operation: %s", name);
    else if (exchange_is(e, "DELETE") || (exchange_is(e, "POST") && streq(rest, "cancel")))
        cancel(e, op);
    else if (exchange_is(e, "GET") && streq(rest, "result"))
        operation_reply_result(e, op);
    else if (exchange_is(e, "GET") && isempty(rest))
        poll_one(e, op);
    else
        return false;
    return true;
}

/* ---- for tests ---- */

static const char *const states[] = {
    [OPERATION_RUNNING] = "running",     [OPERATION_CANCELLING] = "cancelling",
    [OPERATION_SUCCEEDED] = "succeeded", [OPERATION_FAILED] = "failed",
    [OPERATION_CANCELLED] = "cancelled",
};

cJSON *operations_to_json(Operations *o) {
    cJSON *j = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(j, "operations");

    cJSON_AddNumberToObject(j, "posts", (double)o->posts);
    cJSON_AddNumberToObject(j, "started", (double)o->n);
    cJSON_AddNumberToObject(j, "replayed", (double)o->replayed);
    for (size_t i = 0; i < o->n; i++) {
        const Operation *op = &o->items[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "id", (double)op->id);
        cJSON_AddStringToObject(item, "key", strempty(op->key));
        cJSON_AddStringToObject(item, "state", states[op->state]);
        cJSON_AddNumberToObject(item, "done", op->done);
        cJSON_AddNumberToObject(item, "steps", op->steps);
        cJSON_AddNumberToObject(item, "polls", (double)op->polls);
        cJSON_AddNumberToObject(item, "cancels", (double)op->cancels);
        cJSON_AddItemToObject(item, "request", cJSON_Duplicate(op->request, true));
        cJSON_AddItemToArray(list, item);
    }
    return j;
}

void operations_set(Operations *o, const cJSON *state) {
    size_t i = (size_t)json_number(state, "id", 0) - 1;
    const char *word = json_string(state, "state", "");

    if (i >= o->n)
        return;
    o->items[i].done = (unsigned)json_number(state, "done", o->items[i].done);
    for (size_t k = 0; k < ELEMENTSOF(states); k++)
        if (streq(states[k], word))
            o->items[i].state = (OperationState)k;
}
