#include "daemon/commit-extras.h"

#include <errno.h>

#include "common/cleanup.h"

CommitExtra *commit_extras_add(struct CommitExtras *l, CommitExtraType type, uint64_t id,
                               char *text) {
    CommitExtra *e = calloc(1, sizeof(CommitExtra));

    if (!e)
        return NULL;
    *e = (CommitExtra){.type = type, .id = id, .text = text};
    STAILQ_INSERT_TAIL(l, e, link);
    return e;
}

int commit_extras_add_attempt(struct CommitExtras *l, uint64_t id, const TaskAttempt *attempt) {
    _cleanup_free_ char *message = strdup(strempty(attempt->message));
    CommitExtra *e = message ? commit_extras_add(l, COMMIT_PUT_ATTEMPT, id, NULL) : NULL;

    if (!e)
        return -ENOMEM;
    e->attempt = *attempt;
    e->attempt.message = TAKE_PTR(message);
    return 0;
}

int commit_extras_add_backend(struct CommitExtras *l, const char *name, const char *settings,
                              bool polling) {
    _cleanup_free_ char *name_copy = strdup(name), *copy = strdup(settings);
    CommitExtra *e =
        name_copy && copy ? commit_extras_add(l, COMMIT_PUT_BACKEND, 0, name_copy) : NULL;

    if (!e)
        return -ENOMEM;
    TAKE_PTR(name_copy);
    e->backend.settings = TAKE_PTR(copy);
    e->backend.polling = polling;
    return 0;
}

static int put(const CommitExtra *e, StoreBatch *b) {
    switch (e->type) {
    case COMMIT_REMOVE_TASK:
        return store_batch_remove_task(b, e->id);
    case COMMIT_PUT_RESULT:
        return e->text ? store_batch_put_result(b, e->id, e->text)
                       : store_batch_remove_result(b, e->id);
    case COMMIT_PUT_ATTEMPT:
        return store_batch_put_attempt(b, e->id, &e->attempt);
    case COMMIT_REMOVE_GROUP:
        return store_batch_remove_group(b, e->text);
    case COMMIT_PUT_RESOURCE:
        return store_batch_put_resource(b, e->text, e->capacity);
    case COMMIT_PUT_BACKEND:
        return store_batch_put_backend(b, e->text, e->backend.settings, e->backend.polling);
    case COMMIT_REMOVE_BACKEND:
        return store_batch_remove_backend(b, e->text);
    case COMMIT_PUT_OPERATION:
        return store_batch_put_operation(b, e->id, e->text);
    }
    return -EINVAL;
}

int commit_extras_put(const struct CommitExtras *l, StoreBatch *b) {
    const CommitExtra *e;
    int r = 0;

    STAILQ_FOREACH (e, l, link) {
        r = put(e, b);
        if (r < 0)
            break;
    }
    return r;
}

void commit_extras_clear(struct CommitExtras *l) {
    for (CommitExtra *e; (e = STAILQ_FIRST(l));) {
        STAILQ_REMOVE_HEAD(l, link);
        if (e->type == COMMIT_PUT_ATTEMPT)
            free(e->attempt.message);
        if (e->type == COMMIT_PUT_BACKEND)
            free(e->backend.settings);
        free(e->text);
        free(e);
    }
}
