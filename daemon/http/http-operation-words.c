#include "daemon/http/http-operation-words.h"

/* Of Azure, Google (AIP-151), Redfish, GitLab, Kubernetes, Jenkins, Celery and others. What ends
 * well with remarks has succeeded; what was stopped by a person is cancelled. */
static const char *const succeeded[] = {
    "succeeded",
    "success",
    "successful",
    "completed",
    "complete",
    "done",
    "finished",
    "passed",
    "completedwithwarnings",
    "succeededwithwarnings",
    "successwithwarnings",
    NULL,
};
static const char *const failed[] = {
    "failed",
    "failure",
    "fail",
    "error",
    "errored",
    "faulted",
    "exception",
    "rejected",
    "expired",
    "timedout",
    "timeout",
    "crashed",
    "completedwitherrors",
    "partiallysucceeded",
    "partialsuccess",
    "partiallyfailed",
    "completedwithfailures",
    NULL,
};
static const char *const cancelled[] = {
    "cancelled",  "canceled", "aborted",       "killed",  "stopped",
    "terminated", "revoked",  "usercancelled", "skipped", NULL,
};

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *skip(const char *s) {
    while (*s == '_' || *s == '-' || *s == ' ')
        s++;
    return s;
}

bool operation_words_equal(const char *a, const char *b) {
    for (a = skip(a), b = skip(b); *a && *b && fold(*a) == fold(*b);)
        a = skip(a + 1), b = skip(b + 1);
    return !*a && !*b;
}

static bool is_among(const char *word, const char *const *words) {
    for (; *words; words++)
        if (operation_words_equal(word, *words))
            return true;
    return false;
}

static bool is_listed(const char *word, const cJSON *list) {
    const cJSON *item;

    cJSON_ArrayForEach (item, list)
        if (operation_words_equal(word, item->valuestring))
            return true;
    return false;
}

OperationState operation_state_of(const char *word, const HttpOperationParams *p) {
    const struct {
        OperationState state;
        const cJSON *list;
        const char *const *words;
    } table[] = {
        {OPERATION_SUCCEEDED, p->succeeded_states, succeeded},
        {OPERATION_FAILED, p->failed_states, failed},
        {OPERATION_CANCELLED, p->cancelled_states, cancelled},
    };

    /* What was said for this operation comes before all that is built in. */
    for (size_t i = 0; i < ELEMENTSOF(table); i++)
        if (is_listed(word, table[i].list))
            return table[i].state;
    for (size_t i = 0; i < ELEMENTSOF(table); i++)
        if (!table[i].list && is_among(word, table[i].words))
            return table[i].state;
    return OPERATION_RUNNING;
}
