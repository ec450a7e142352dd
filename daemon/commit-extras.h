#pragma once

#include <sys/queue.h>

#include "daemon/store/store.h"

/* The changes of a commit that are no rows of tasks or groups: removals, results, attempts,
 * resources,
 * backends, operations. Kept in the order in which they came, each with a copy of what it says. */

typedef enum CommitExtraType {
    COMMIT_REMOVE_TASK,
    COMMIT_PUT_RESULT, /* text: JSON; NULL deletes the one that is there */
    COMMIT_PUT_ATTEMPT,
    COMMIT_REMOVE_GROUP, /* text: its name */
    COMMIT_PUT_RESOURCE, /* text: its name */
    COMMIT_PUT_BACKEND,  /* text: its name */
    COMMIT_REMOVE_BACKEND,
    COMMIT_PUT_OPERATION, /* text: JSON; NULL deletes the one that is there */
} CommitExtraType;

typedef struct CommitExtra {
    CommitExtraType type;
    uint64_t id; /* of a task */
    char *text;  /* owned */
    union {
        TaskAttempt attempt; /* with a message of its own */
        uint32_t capacity;
        struct {
            char *settings; /* owned */
            bool polling;
        } backend;
    };
    STAILQ_ENTRY(CommitExtra) link;
} CommitExtra;

STAILQ_HEAD(CommitExtras, CommitExtra);

/* Takes text, unless it gives NULL, which it does when memory is short. */
CommitExtra *commit_extras_add(struct CommitExtras *l, CommitExtraType type, uint64_t id,
                               char *text);
/* Copies the attempt. 0 or -ENOMEM. */
int commit_extras_add_attempt(struct CommitExtras *l, uint64_t id, const TaskAttempt *attempt);
/* Copies name and settings. 0 or -ENOMEM. */
int commit_extras_add_backend(struct CommitExtras *l, const char *name, const char *settings,
                              bool polling);
/* Puts all into the batch. 0 or -ENOMEM. */
int commit_extras_put(const struct CommitExtras *l, StoreBatch *b);
void commit_extras_clear(struct CommitExtras *l);
