#include "daemon/kinds/http-operation-params.h"

/* Carried out by http/http-operation.c, on the event loop of longrund. */

static int http_operation_check(const cJSON *params, char **ret_error) {
    HttpOperationParams p;

    return http_operation_params_read(params, &p, ret_error);
}

const Kind kind_http_operation = {
    .name = "http-operation",
    .description = "A long operation on a backend: started, followed, cancelled over HTTP",
    .place = KIND_PLACE_LOOP,
    .check = http_operation_check,
};
