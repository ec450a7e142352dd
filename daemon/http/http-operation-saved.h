#pragma once

#include "daemon/http/http-operation-follow.h"

/* What a next daemon needs to go on with an operation. */

typedef struct OperationSaved {
    uint32_t attempt;
    char *key; /* of the start, which may have been sent */
    char *url; /* where it is followed; NULL: the start has not been answered yet */
    OperationTrack track;
    char *result_url; /* what the first answer named besides; NULL = nothing */
} OperationSaved;

void operation_saved_done(OperationSaved *s);
/* JSON, to be freed; NULL when memory is short. */
char *operation_saved_format(const OperationSaved *s);
/* 0; -ESTALE when it is of another attempt; -EBADMSG when it is none; -ENOMEM. */
int operation_saved_parse(const char *json, uint32_t attempt, OperationSaved *ret);
