#pragma once

#include "daemon/http/http-operation-words.h"

/* What an answer says of an operation. Pure. */

/* Which numbers a server means by "progress": 0 to 1, or 0 to 100. Known when one of them can only
 * be the one or the other; until then 1 is one percent. */
typedef enum OperationScale {
    OPERATION_SCALE_UNKNOWN,
    OPERATION_SCALE_FRACTION,
    OPERATION_SCALE_PERCENT,
} OperationScale;

typedef struct OperationReading {
    OperationState state;
    char word[64];        /* by which the server says so, cut; "" = by none */
    double fraction;      /* 0 to 1; negative: not known */
    uint64_t done, total; /* total 0: it does not count */
    const char *phase;    /* both belong to the JSON; NULL = none */
    const char *text;
} OperationReading;

/* root may be NULL: no JSON. *scale is what earlier answers have told, and is learned from this. */
void operation_read(const cJSON *root, const HttpOperationParams *p, OperationScale *scale,
                    OperationReading *ret);

/* Something in it is named "error". */
bool operation_has_error(const cJSON *root);

/* Why something has failed, in the server's words: one line, cut at OPERATION_TEXT_MAX bytes. To be
 * freed; NULL: it says nothing, or memory is short. p may be NULL. body: for an answer that is no
 * JSON. */
#define OPERATION_TEXT_MAX ((size_t)600)
char *operation_error_text(const cJSON *root, const char *body, const HttpOperationParams *p);
