#pragma once

#include "daemon/kinds/kinds.h"

/* What the params of the kind http-operation say. Read by the kind, to check them, and by whoever
 * carries it out. */

#define HTTP_OPERATION_INTERVAL_MIN_MS 100
#define HTTP_OPERATION_INTERVAL_MAX_MS (UINT64_C(24) * 60 * 60 * 1000)
#define HTTP_OPERATION_TRIES_DEFAULT 10
#define HTTP_OPERATION_TRIES_MAX 1000
#define HTTP_OPERATION_HEADERS_MAX 32
#define HTTP_OPERATION_STATES_MAX 64
#define HTTP_OPERATION_PATH_MAX (4 * KIB)
#define HTTP_OPERATION_KEY_MAX 200
#define HTTP_OPERATION_POINTER_MAX 1024

/* All of it belongs to the JSON; NULL = not given. Pointers are those of RFC 6901. */
typedef struct HttpOperationParams {
    const char *backend;
    const char *method; /* of the start */
    const char *path;
    const cJSON *body;
    const cJSON *headers; /* an object of strings: of each request */
    const char *idempotency_key;
    const char *url_field;    /* where the first answer has the url of the operation */
    const char *url_template; /* or how that is made: "/jobs/{/id}" */
    const char *state_field, *progress_field, *total_field, *message_field, *result_field,
        *error_field;
    const cJSON *succeeded_states, *failed_states, *cancelled_states; /* arrays of strings */
    uint64_t poll_interval_usec;                                      /* 0 = not given */
    uint64_t start_tries;
    const char *cancel_method, *cancel_path;
    const cJSON *cancel_body;
} HttpOperationParams;

/* As kind_parse_params(): 0, or -EINVAL and what is wrong, or -ENOMEM. */
int http_operation_params_read(const cJSON *params, HttpOperationParams *ret, char **ret_error);
