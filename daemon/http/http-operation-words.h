#pragma once

#include "daemon/kinds/http-operation-params.h"

/* Words by which servers say how far an operation is. */

typedef enum OperationState {
    OPERATION_UNSAID, /* nothing is said about it */
    OPERATION_RUNNING,
    OPERATION_SUCCEEDED,
    OPERATION_FAILED,
    OPERATION_CANCELLED,
} OperationState;

static inline bool operation_state_is_final(OperationState s) {
    return s >= OPERATION_SUCCEEDED;
}

/* What a word means: first by the lists of the params, each of which replaces the one that is built
 * in. A word that is in none is RUNNING. Upper and lower case, blanks, "-" and "_" make no
 * difference. */
OperationState operation_state_of(const char *word, const HttpOperationParams *p);

/* Whether two words are the same but for that. */
bool operation_words_equal(const char *a, const char *b);
