#pragma once

#include "daemon/core/error.h"
#include "daemon/http/http-operation-reading.h"

/* An answer of HTTP, and where an operation is to be followed after it. Pure. */

typedef struct OperationAnswer {
    unsigned status;
    const char *url;  /* where it came from, absolute */
    const char *body; /* never NULL */
    size_t body_size;
    cJSON *root; /* NULL: no JSON, or more of it than anybody takes apart */
    /* Headers; NULL = not there. The first also stands for Azure-AsyncOperation. */
    const char *operation_location, *location, *content_type, *retry_after, *date;
} OperationAnswer;

/* Parses the body. a->root is to be freed by cJSON_Delete(). */
void operation_answer_parse(OperationAnswer *a);

/* A body that is no JSON, but should be: it says so, or is a page for people. */
bool operation_answer_is_garbage(const OperationAnswer *a);
/* There is nothing in it but blanks. */
bool operation_answer_is_empty(const OperationAnswer *a);

typedef enum OperationTrack {
    OPERATION_TRACK_NONE,     /* there is nothing to follow: that was all */
    OPERATION_TRACK_STATUS,   /* an url that answers with the state */
    OPERATION_TRACK_RESOURCE, /* one that answers 202 until it has the result; or with a state */
} OperationTrack;

/* After a good answer (200, 201, 202, 204, 303) to the start. *ret_url, to be freed: what is to be
 * asked, an url of the same origin, or a path as in HttpClientRequest. 0 and the track; -EREMOTE
 * with the error set, which says what to do; -ENOMEM. */
int operation_follow(const OperationAnswer *a, const HttpOperationParams *p,
                     const OperationReading *reading, OperationTrack *ret_track, char **ret_url,
                     Error *error);

/* An url in an answer: of the same origin, else -EREMOTE. */
int operation_resolve(const OperationAnswer *a, const char *reference, char **ret, Error *error);

/* Where the result is, when the answer that says "succeeded" does not have it; belongs to the
 * answer; NULL = in this answer. */
const char *operation_result_link(const OperationAnswer *a);

/* What is to be asked to cancel: cancel_path, or what that is below the operation's url. To be
 * freed; NULL when memory is short. */
char *operation_cancel_url(const char *url, const char *cancel_path);

/* What is shown of an url: without its query, which may hold secrets of the server. To be freed. */
char *operation_url_shown(const char *url);
