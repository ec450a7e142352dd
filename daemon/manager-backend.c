#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/bus/bus-backend-emit.h"
#include "daemon/manager-backend-private.h"

/* Which backends there are: those of the configuration, and those of AddBackend, which are on disk.
 * One that is in both is as the file says. */

/* ---- finding ---- */

Backend *manager_find_backend(void *userdata, const char *name) {
    const Manager *m = userdata;
    Backend *b;

    HASH_FIND_STR(m->backends, name, b);
    return b;
}

const Backend *manager_next_backend(void *userdata, const Backend *b) {
    return b ? b->hh.next : ((Manager *)userdata)->backends;
}

static int compare(const Backend *a, const Backend *b) {
    return strcmp(a->name, b->name);
}

void manager_set_backend_condition(Manager *m, const Backend *b) {
    int r = scheduler_set_condition(&m->scheduler, b->name, b->state == BACKEND_ONLINE,
                                    clock_usec(CLOCK_REALTIME));

    if (r < 0)
        log_warning_errno(r, "Cannot note the state of backend %s for tasks that wait for it",
                          b->name);
    manager_schedule(m);
}

/* ---- one comes, changes, goes ---- */

/* Whether it is polled: what somebody has said counts for more than the file. */
static bool polling_of(const Manager *m, const char *name, const BackendSettings *settings) {
    const KeptBackend *k = manager_find_kept_backend(m, name);

    return k ? k->polling : settings->polling;
}

/* Takes settings. origin: copied; NULL = AddBackend. 0 or -errno. */
static int add(Manager *m, const char *name, BackendSettings *settings, const char *origin) {
    bool polling = polling_of(m, name, settings);
    Backend *b = backend_new(name, settings);
    int r;

    if (!b)
        return -ENOMEM;
    b->polling = polling;
    b->origin = origin ? strdup(origin) : NULL;
    r = origin && !b->origin ? -ENOMEM : backend_watch_add(m->watches, b);
    if (r < 0) {
        backend_free(b);
        return r;
    }
    HASH_ADD_KEYPTR_INORDER(hh, m->backends, b->name, strlen(b->name), b, compare);
    manager_set_backend_condition(m, b);
    manager_operations_join(m, b);
    return 0;
}

/* Who waits for an answer is told, while it can still be found. */
static void free_one(Manager *m, Backend *b) {
    backend_watch_remove(b);
    HASH_DEL(m->backends, b);
    backend_free(b);
}

static void drop(Manager *m, Backend *b) {
    scheduler_remove_condition(&m->scheduler, b->name, clock_usec(CLOCK_REALTIME));
    manager_schedule(m);
    free_one(m, b);
}

/* The watch tells nobody of what it is made to do. */
static void set_polling(Manager *m, Backend *b, bool on, BackendState before) {
    bool changed = b->polling != on;

    backend_watch_set_polling(b, on);
    if (changed || b->state != before)
        manager_backend_state_changed(m, b);
}

/* Takes settings, for one that is there. */
static int change(Manager *m, Backend *b, BackendSettings *settings, const char *origin) {
    char *copy = origin ? strdup(origin) : NULL;
    BackendSettings *before = b->settings;
    BackendState state = b->state;

    if (origin && !copy) {
        backend_settings_free(settings);
        return -ENOMEM;
    }
    free(b->origin);
    b->origin = copy;
    b->settings = settings;
    int r = backend_watch_change(b);
    backend_settings_free(before);
    set_polling(m, b, polling_of(m, b->name, settings), state);
    if (m->bus)
        bus_emit_backend_settings(m->bus->bus, b);
    return r;
}

/* ---- at the start ---- */

static int add_of_file(Manager *m, const ConfigBackend *c) {
    BackendSettings *settings = backend_settings_copy(c->settings);

    return settings ? add(m, c->name, settings, c->origin) : -ENOMEM;
}

/* What was good once need not be for this version of Longrun. */
static int add_kept(Manager *m, const KeptBackend *k) {
    _cleanup_error_ Error error = {};
    BackendSettings *settings = backend_settings_copy(k->settings);
    int r = settings ? backend_settings_check(settings, &error) : -ENOMEM;

    if (r >= 0)
        return add(m, k->name, settings, NULL);
    backend_settings_free(settings);
    if (r != -EREMOTE)
        return r;
    log_error("Backend %s of AddBackend is left out: %s", k->name, strempty(error.message));
    return 0;
}

static int add_all_kept(Manager *m) {
    int r = 0;

    for (const KeptBackend *k = m->kept_backends; r >= 0 && k; k = k->hh.next) {
        const Backend *b = manager_find_backend(m, k->name);
        if (!k->settings)
            continue;
        if (b)
            log_notice("Backend %s is as %s says, not as AddBackend has said", b->name, b->origin);
        else if (HASH_COUNT(m->backends) >= BACKENDS_MAX)
            log_error("Backend %s is left out: there are %d already", k->name, BACKENDS_MAX);
        else
            r = add_kept(m, k);
    }
    return r;
}

/* Nobody asks any more whether what no file has is polled. */
static void forget_switches(Manager *m) {
    KeptBackend *k, *next;

    HASH_ITER (hh, m->kept_backends, k, next)
        if (!k->settings && !m->config.backends.incomplete &&
            !config_backend_find(&m->config.backends, k->name) &&
            manager_forget_kept_backend(m, k->name) < 0)
            log_warning_errno(-ENOMEM, "Cannot forget a backend that is gone, ignoring");
}

static void set_probe(Manager *m) {
    int r = backend_watches_set_probe(m->watches, m->config.network_probe);

    if (r < 0)
        log_error_errno(r, "NetworkProbe=%s cannot be asked, ignoring",
                        strempty(m->config.network_probe));
}

int manager_init_backends(Manager *m) {
    int r = http_loop_new(&m->http, m->event);

    if (r >= 0)
        r = backend_watches_new(&m->watches, m->event, m->http, &manager_backend_events, m);
    if (r >= 0)
        r = manager_load_kept_backends(m);
    if (r < 0)
        return r;
    set_probe(m);
    for (const ConfigBackend *c = NULL;
         r >= 0 && (c = config_backend_next(&m->config.backends, c));)
        if (c->settings)
            r = add_of_file(m, c);
    if (r >= 0)
        r = add_all_kept(m);
    if (r >= 0)
        forget_switches(m);
    return r;
}

void manager_done_backends(Manager *m) {
    while (m->backends)
        free_one(m, m->backends);
    m->watches = backend_watches_free(m->watches);
    m->http = http_loop_free(m->http);
    manager_done_kept_backends(m);
    manager_done_backend_news(m);
}

/* ---- the configuration was read again ---- */

/* It is to be of the other type, which knows nothing of what this one has. */
static int replace(Manager *m, Backend *b, BackendSettings *settings, const char *origin) {
    _cleanup_free_ char *name = strdup(b->name);
    int r = name ? 0 : -ENOMEM;

    if (r < 0 || b->users > 0) {
        backend_settings_free(settings);
        if (r >= 0)
            log_warning("Backend %s stays of type %s, for %u tasks are at work on it: reload again "
                        "when they have ended",
                        b->name, b->settings->type, b->users);
        return r;
    }
    drop(m, b);
    manager_tell_backend(m, name, false);
    r = add(m, name, settings, origin);
    if (r >= 0)
        manager_tell_backend(m, name, true);
    return r;
}

static bool is_same_text(const char *a, const char *b) {
    return a && b ? streq(a, b) : a == b;
}

/* Is to be so. settings: copied. */
static int follow(Manager *m, Backend *b, const BackendSettings *settings, const char *origin) {
    if (backend_settings_equal(b->settings, settings) && is_same_text(b->origin, origin))
        return 0;
    BackendSettings *copy = backend_settings_copy(settings);
    if (!copy)
        return -ENOMEM;
    return streq(b->settings->type, copy->type) ? change(m, b, copy, origin)
                                                : replace(m, b, copy, origin);
}

/* No file has it any more. */
static int follow_gone(Manager *m, Backend *b) {
    const KeptBackend *k = manager_find_kept_backend(m, b->name);

    if (k && k->settings)
        return follow(m, b, k->settings, NULL);
    if (b->users > 0) {
        log_warning("Backend %s is in no file any more, but %u tasks are at work on it: it goes "
                    "with the next reload or start",
                    b->name, b->users);
        return 0;
    }
    manager_tell_backend(m, b->name, false);
    drop(m, b);
    return 0;
}

/* Those that are there and of a file: a bad file says nothing, so they stay as they are. */
static int follow_known(Manager *m) {
    const ConfigBackends *config = &m->config.backends;
    Backend *b, *next;
    int r = 0;

    HASH_ITER (hh, m->backends, b, next) {
        const ConfigBackend *c = config_backend_find(config, b->name);
        if (r < 0 || (c && !c->settings) || (!c && (!b->origin || config->incomplete)))
            continue;
        if (c && !b->origin)
            log_notice("Backend %s is as %s says now, not as AddBackend has said", b->name,
                       c->origin);
        r = c ? follow(m, b, c->settings, c->origin) : follow_gone(m, b);
    }
    return r;
}

static int follow_new(Manager *m) {
    const ConfigBackend *c = NULL;
    int r = 0;

    while (r >= 0 && (c = config_backend_next(&m->config.backends, c))) {
        if (!c->settings || manager_find_backend(m, c->name))
            continue;
        if (HASH_COUNT(m->backends) >= BACKENDS_MAX) {
            log_error("Backend %s is left out: there are %d already", c->name, BACKENDS_MAX);
            continue;
        }
        r = add_of_file(m, c);
        if (r >= 0)
            manager_tell_backend(m, c->name, true);
    }
    return r;
}

void manager_follow_config_backends(Manager *m) {
    int r;

    set_probe(m);
    r = follow_known(m);
    if (r >= 0)
        r = follow_new(m);
    if (r < 0)
        log_warning_errno(r, "Cannot take all backends from the configuration");
    forget_switches(m);
}

/* ---- what clients change ---- */

static int check_new(const Manager *m, const char *name, Error *error) {
    const ConfigBackend *c = config_backend_find(&m->config.backends, name);
    const Backend *b = manager_find_backend((Manager *)m, name);
    int r = group_name_check("backend", name, error);

    if (r < 0)
        return r;
    if (b)
        return error_set(error, ERROR_INVALID_OPTION,
                         "There is a backend %s already, from %s: remove that one first, or take "
                         "another name",
                         name, b->origin ?: "AddBackend");
    if (c)
        return error_set(error, ERROR_INVALID_OPTION,
                         "Backend %s is to come from %s, which cannot be made use of, as the "
                         "journal says: put that right, and reload, or take another name",
                         name, c->origin);
    if (HASH_COUNT(m->backends) >= BACKENDS_MAX)
        return error_set(error, ERROR_NOT_PERMITTED,
                         "There are %d backends, and there can be no more: remove one that is not "
                         "needed by RemoveBackend, or \"longrun backend remove\"",
                         BACKENDS_MAX);
    return 0;
}

int manager_add_backend(void *userdata, const char *name, BackendSettings *settings, Error *error) {
    Manager *m = userdata;
    int r = check_new(m, name, error);

    if (r >= 0)
        r = backend_settings_check(settings, error);
    if (r >= 0)
        r = manager_keep_backend(m, name, settings, settings->polling);
    if (r < 0) {
        backend_settings_free(settings);
        return r;
    }
    r = add(m, name, settings, NULL);
    if (r < 0) {
        (void)manager_forget_kept_backend(m, name);
        return r;
    }
    manager_tell_backend(m, name, true);
    return 0;
}

static int check_remove(const Backend *b, const char *name, Error *error) {
    if (!b)
        return error_set(error, ERROR_NO_SUCH_BACKEND,
                         "There is no backend \"%.100s\" that could be removed: ListBackends, or "
                         "\"longrun backend list\", lists those that there are",
                         name);
    if (b->origin)
        return error_set(error, ERROR_NOT_PERMITTED,
                         "Backend %s comes from %s: take it out there, then reload the "
                         "configuration (systemctl --user reload longrund)",
                         name, b->origin);
    if (b->users > 0)
        return error_set(error, ERROR_STILL_ACTIVE,
                         "%u task%s at work on backend %s: wait for the end, or cancel first",
                         b->users, b->users == 1 ? " is" : "s are", name);
    return 0;
}

int manager_remove_backend(void *userdata, const char *name, Error *error) {
    Manager *m = userdata;
    Backend *b = manager_find_backend(m, name);
    int r = check_remove(b, name, error);

    if (r >= 0)
        r = manager_forget_kept_backend(m, name);
    if (r < 0)
        return r;
    manager_tell_backend(m, name, false);
    drop(m, b);
    return 0;
}

int manager_set_backend_polling(void *userdata, Backend *b, bool on, Error *error) {
    Manager *m = userdata;
    bool before = b->polling;
    int r = manager_keep_backend(m, b->name, NULL, on);

    if (r < 0)
        return r;
    set_polling(m, b, on, b->state);
    if (m->bus && on != before)
        bus_emit_backend_polling(m->bus->bus, b);
    return 0;
}
