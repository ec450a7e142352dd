#include <errno.h>

#include "common/log.h"
#include "daemon/core/backend-record.h"
#include "daemon/manager-backend-private.h"

/* Backends as they are on disk: those of AddBackend with their settings, and for each whether it is
 * polled, once somebody has said so. */

/* ---- the table ---- */

static KeptBackend *kept_free(KeptBackend *k) {
    if (!k)
        return NULL;
    backend_settings_free(k->settings);
    free(k->name);
    free(k);
    return NULL;
}

void manager_done_kept_backends(Manager *m) {
    KeptBackend *k, *next;

    HASH_ITER (hh, m->kept_backends, k, next) {
        HASH_DEL(m->kept_backends, k);
        kept_free(k);
    }
}

KeptBackend *manager_find_kept_backend(const Manager *m, const char *name) {
    KeptBackend *k;

    HASH_FIND_STR(m->kept_backends, name, k);
    return k;
}

static KeptBackend *find_or_add(Manager *m, const char *name) {
    KeptBackend *k = manager_find_kept_backend(m, name);

    if (k)
        return k;
    k = calloc(1, sizeof(KeptBackend));
    if (k)
        k->name = strdup(name);
    if (!k || !k->name)
        return kept_free(k);
    HASH_ADD_KEYPTR(hh, m->kept_backends, k->name, strlen(k->name), k);
    return k;
}

/* ---- from disk ---- */

/* One that cannot be read is of no use; it is there as long as nobody adds another one. */
static int on_loaded(void *userdata, const char *name, const char *json, bool polling) {
    BackendSettings *settings = NULL;
    int r = isempty(json) ? 0 : backend_settings_from_json(&settings, json);

    if (r == -EBADMSG) {
        log_error("Backend \"%s\" cannot be read from the database: it is left out", name);
        return 0;
    }
    KeptBackend *k = r >= 0 ? find_or_add(userdata, name) : NULL;
    if (!k) {
        backend_settings_free(settings);
        return -ENOMEM;
    }
    k->settings = settings;
    k->polling = polling;
    return 0;
}

int manager_load_kept_backends(Manager *m) {
    return store_load_backends(m->store, on_loaded, m);
}

/* ---- to disk ---- */

static int put(Manager *m, const KeptBackend *k) {
    _cleanup_free_ char *json = k->settings ? backend_settings_to_json(k->settings) : NULL;

    if (k->settings && !json)
        return -ENOMEM;
    return commit_queue_put_backend(m->commits, k->name, strempty(json), k->polling);
}

int manager_keep_backend(Manager *m, const char *name, const BackendSettings *settings,
                         bool polling) {
    BackendSettings *copy = settings ? backend_settings_copy(settings) : NULL;
    KeptBackend *k = settings && !copy ? NULL : find_or_add(m, name);

    if (!k) {
        backend_settings_free(copy);
        return -ENOMEM;
    }
    if (copy) {
        backend_settings_free(k->settings);
        k->settings = copy;
    }
    k->polling = polling;
    return put(m, k);
}

int manager_forget_kept_backend(Manager *m, const char *name) {
    KeptBackend *k = manager_find_kept_backend(m, name);
    int r = k ? commit_queue_remove_backend(m->commits, name) : 0;

    if (r < 0 || !k)
        return r;
    HASH_DEL(m->kept_backends, k);
    kept_free(k);
    return 0;
}

void manager_put_backends(Manager *m) {
    for (const KeptBackend *k = m->kept_backends; k; k = k->hh.next)
        if (put(m, k) < 0)
            log_warning_errno(-ENOMEM, "Cannot write backend %s anew, ignoring", k->name);
}
