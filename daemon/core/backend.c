#include "daemon/core/backend.h"

#include <stdlib.h>

#include "common/cleanup.h"

static const char *const backend_state_table[_BACKEND_STATE_MAX] = {
    [BACKEND_UNKNOWN] = "unknown",
    [BACKEND_ONLINE] = "online",
    [BACKEND_OFFLINE] = "offline",
};

const char *backend_state_to_string(BackendState state) {
    return (size_t)state < _BACKEND_STATE_MAX ? backend_state_table[state] : NULL;
}

Backend *backend_new(const char *name, BackendSettings *settings) {
    Backend *b = malloc(sizeof(Backend));

    if (!b) {
        backend_settings_free(settings);
        return NULL;
    }
    *b = (Backend){
        .name = strdup(name),
        .settings = settings,
        .reason = strdup(""),
        .polling = settings->polling,
        .last_error = strdup(""),
        .current_peer = strdup(""),
    };
    if (!b->name || !b->reason || !b->last_error || !b->current_peer)
        return backend_free(b);
    return b;
}

Backend *backend_free(Backend *b) {
    if (!b)
        return NULL;
    backend_settings_free(b->settings);
    free(b->name);
    free(b->origin);
    free(b->reason);
    free(b->last_error);
    free(b->status);
    free(b->current_peer);
    free(b);
    return NULL;
}
