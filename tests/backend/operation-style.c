/* How different servers tell of the same operation.
 *
 *     location             202, Location: a path; status, progress 0 to 1; result
 *     operation-location   201, Operation-Location: a url; state, percent; result
 *     body                 202, the url is in the body; state, progress of total; output
 *     azure                202, Azure-AsyncOperation: a url; InProgress, percentComplete;
 * properties google               200, name; done true or false, metadata; response redirect as
 * location; the end is 303 to where the result is gone                 as location; once it has
 * ended nobody knows it: 404 */

#include "tests/backend/memory.h"
#include "tests/backend/operation.h"
#include "tests/backend/server.h"

struct OperationStyle {
    const char *name;
    unsigned status; /* of the answer to the POST */
    void (*begun)(Exchange *e, const Operation *op, cJSON *j);
    void (*state)(Exchange *e, const Operation *op, cJSON *j);
    const char *const *words; /* by OperationState */
};

/* ---- where it is ---- */

/* The prefix /b/NAME is part of it. */
static char *operation_path(const Exchange *e, const Operation *op) {
    return must_printf("%.*s/operations/%llu", (int)(e->route - e->path), e->path,
                       (unsigned long long)op->id);
}

static char *operation_url(const Exchange *e, const Operation *op) {
    _cleanup_free_ char *path = operation_path(e, op);

    return must_printf("%s://%s%s", e->server->https ? "https" : "http",
                       exchange_header(e, "Host") ?: "localhost", path);
}

static void header_path(Exchange *e, const Operation *op, const char *name) {
    _cleanup_free_ char *path = operation_path(e, op);

    reply_header(e, name, "%s", path);
}

static void header_url(Exchange *e, const Operation *op, const char *name) {
    _cleanup_free_ char *url = operation_url(e, op);

    reply_header(e, name, "%s", url);
}

static void begun_location(Exchange *e, const Operation *op, cJSON *j) {
    header_path(e, op, "Location");
}

static void begun_operation_location(Exchange *e, const Operation *op, cJSON *j) {
    header_url(e, op, "Operation-Location");
}

static void begun_azure(Exchange *e, const Operation *op, cJSON *j) {
    header_url(e, op, "Azure-AsyncOperation");
}

/* Objects down to the last name of the pointer. */
static void begun_body(Exchange *e, const Operation *op, cJSON *j) {
    _cleanup_free_ char *url = operation_url(e, op);
    _cleanup_free_ char *pointer = must_copy(json_string(op->request, "link", "/status_url"));
    char *rest = pointer, *name = strsep(&rest, "/");

    for (name = strsep(&rest, "/"); name && rest; name = strsep(&rest, "/"))
        j = cJSON_AddObjectToObject(j, name);
    cJSON_AddStringToObject(j, name ?: "status_url", url);
}

static void begun_google(Exchange *e, const Operation *op, cJSON *j) {
    _cleanup_free_ char *name = must_printf("operations/%llu", (unsigned long long)op->id);

    cJSON_AddStringToObject(j, "name", name);
}

/* ---- how far it is ---- */

static double part(const Operation *op) {
    return op->steps > 0 ? (double)op->done / op->steps : 1;
}

static void add_message(const Operation *op, cJSON *j) {
    _cleanup_free_ char *text = must_printf("step %u of %u", op->done, op->steps);

    cJSON_AddStringToObject(j, "message", text);
}

cJSON *operation_result(const Operation *op) {
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(op->request, "result");
    cJSON *j;

    if (result)
        return cJSON_Duplicate(result, true);
    j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "answer", 42);
    return j;
}

static const char *error_text(const Operation *op) {
    return json_string(op->request, "error", "it went wrong");
}

static void add_error(const Operation *op, cJSON *j, cJSON *code) {
    cJSON *error = cJSON_AddObjectToObject(j, "error");

    cJSON_AddItemToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", error_text(op));
}

static void add_word(const Operation *op, cJSON *j, const char *name);

static void state_location(Exchange *e, const Operation *op, cJSON *j) {
    add_word(op, j, "status");
    cJSON_AddNumberToObject(j, "progress", part(op));
    add_message(op, j);
    if (op->state == OPERATION_SUCCEEDED)
        cJSON_AddItemToObject(j, "result", operation_result(op));
    else if (op->state == OPERATION_FAILED)
        cJSON_AddStringToObject(j, "error", error_text(op));
}

static void state_operation_location(Exchange *e, const Operation *op, cJSON *j) {
    add_word(op, j, "state");
    cJSON_AddNumberToObject(j, "percent", 100 * part(op));
    if (op->state == OPERATION_SUCCEEDED)
        cJSON_AddItemToObject(j, "result", operation_result(op));
    else if (op->state == OPERATION_FAILED)
        add_error(op, j, cJSON_CreateString("Wrong"));
}

static void state_body(Exchange *e, const Operation *op, cJSON *j) {
    add_word(op, j, "state");
    cJSON_AddNumberToObject(j, "progress", op->done);
    cJSON_AddNumberToObject(j, "total", op->steps);
    add_message(op, j);
    if (op->state == OPERATION_SUCCEEDED)
        cJSON_AddItemToObject(j, "output", operation_result(op));
    else if (op->state == OPERATION_FAILED)
        cJSON_AddStringToObject(j, "detail", error_text(op));
}

static void state_azure(Exchange *e, const Operation *op, cJSON *j) {
    add_word(op, j, "status");
    cJSON_AddNumberToObject(j, "percentComplete", 100 * part(op));
    if (op->state == OPERATION_SUCCEEDED)
        cJSON_AddItemToObject(j, "properties", operation_result(op));
    else if (op->state == OPERATION_FAILED)
        add_error(op, j, cJSON_CreateString("InternalError"));
}

static void state_google(Exchange *e, const Operation *op, cJSON *j) {
    cJSON *metadata = cJSON_AddObjectToObject(j, "metadata");

    begun_google(e, op, j);
    cJSON_AddNumberToObject(metadata, "progressPercent", 100 * part(op));
    cJSON_AddBoolToObject(j, "done", op->state >= OPERATION_SUCCEEDED);
    if (op->state == OPERATION_SUCCEEDED)
        cJSON_AddItemToObject(j, "response", operation_result(op));
    else if (op->state == OPERATION_FAILED)
        add_error(op, j, cJSON_CreateNumber(13));
    else if (op->state == OPERATION_CANCELLED)
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(j, "error"), "code", 1);
}

static void state_redirect(Exchange *e, const Operation *op, cJSON *j) {
    if (op->state == OPERATION_SUCCEEDED) {
        _cleanup_free_ char *path = operation_path(e, op);
        e->reply.status = 303;
        reply_header(e, "Location", "%s/result", path);
    } else
        state_location(e, op, j);
}

static void state_gone(Exchange *e, const Operation *op, cJSON *j) {
    if (op->state >= OPERATION_SUCCEEDED) {
        e->reply.status = 404;
        cJSON_AddStringToObject(j, "error", "no such operation");
    } else
        state_location(e, op, j);
}

/* ---- all of them ---- */

/* clang-format off */
static const char
    *const plain_words[] = {"running", "cancelling", "succeeded", "failed", "cancelled"},
    *const under_words[] = {"in_progress", "in_progress", "completed", "error", "canceled"},
    *const azure_words[] = {"InProgress", "Canceling", "Succeeded", "Failed", "Canceled"};

static const OperationStyle styles[] = {
    {"location", 202, begun_location, state_location, plain_words},
    {"operation-location", 201, begun_operation_location, state_operation_location, under_words},
    {"body", 202, begun_body, state_body, plain_words},
    {"azure", 202, begun_azure, state_azure, azure_words},
    {"google", 200, begun_google, state_google, plain_words},
    {"redirect", 202, begun_location, state_redirect, plain_words},
    {"gone", 202, begun_location, state_gone, plain_words},
};
/* clang-format on */

const OperationStyle *operation_style_find(const char *name) {
    for (size_t i = 0; i < ELEMENTSOF(styles); i++)
        if (streq(styles[i].name, name))
            return &styles[i];
    return NULL;
}

static void add_word(const Operation *op, cJSON *j, const char *name) {
    cJSON_AddStringToObject(j, name, op->style->words[op->state]);
}

static void reply(Exchange *e, const Operation *op, unsigned status,
                  void (*fill)(Exchange *e, const Operation *op, cJSON *j)) {
    cJSON *j = cJSON_CreateObject();
    double retry_after = json_number(op->request, "retry_after", -1);

    cJSON_AddNumberToObject(j, "id", (double)op->id);
    e->reply.status = status;
    fill(e, op, j);
    reply_json(e, e->reply.status, j);
    if (retry_after >= 0 && op->state < OPERATION_SUCCEEDED)
        reply_header(e, "Retry-After", "%.0f", retry_after);
}

void operation_reply_begun(Exchange *e, const Operation *op) {
    reply(e, op, op->style->status, op->style->begun);
}

void operation_reply_state(Exchange *e, const Operation *op) {
    reply(e, op, 200, op->style->state);
}

void operation_reply_result(Exchange *e, const Operation *op) {
    if (op->state == OPERATION_SUCCEEDED)
        reply_json(e, 200, operation_result(op));
    else
        reply_error(e, 404, "there is no result");
}
