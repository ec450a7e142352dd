#include "daemon/http/backend-watch.h"

#include <stdlib.h>

/* Any service that speaks JSON: what is polled is told as it is. */

static char *poll_path(const Backend *b) {
    return *b->settings->poll_path ? strdup(b->settings->poll_path) : NULL;
}

const BackendType backend_type_json = {
    .name = BACKEND_TYPE_JSON,
    .poll_path = poll_path,
    .poll_failed = "Failed to poll",
};
