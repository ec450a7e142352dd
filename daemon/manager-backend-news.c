#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/bus/bus-backend-emit.h"
#include "daemon/manager-backend-private.h"

/* What happens to backends: clients are told, and tasks that wait for one to come online. */

/* ---- watched ---- */

static sd_bus *bus_of(void *userdata) {
    const Manager *m = userdata;

    return m->bus ? m->bus->bus : NULL;
}

static void on_checked(void *userdata, Backend *b, bool online, const char *status_json) {
    sd_bus *bus = bus_of(userdata);

    if (!bus)
        return;
    bus_emit_backend_online(bus, b, online);
    if (online && status_json)
        bus_emit_backend_status(bus, b, status_json);
}

/* Tasks first: who hears of the state may look at them. */
void manager_backend_state_changed(void *userdata, Backend *b) {
    Manager *m = userdata;

    manager_set_backend_condition(m, b);
    if (m->bus)
        bus_emit_backend_state(m->bus->bus, b);
}

static void on_updated(void *userdata, Backend *b, const char *path, const char *json) {
    sd_bus *bus = bus_of(userdata);

    if (bus)
        bus_emit_backend_updated(bus, b, path, json);
}

static void on_error(void *userdata, Backend *b, const char *message) {
    sd_bus *bus = bus_of(userdata);

    log_debug("Backend %s: %s", b->name, message);
    if (bus)
        bus_emit_backend_error(bus, b, message);
}

static void on_friends_loaded(void *userdata, Backend *b, const FriendList *friends) {
    sd_bus *bus = bus_of(userdata);

    if (bus)
        bus_emit_friends_loaded(bus, b, friends);
}

static void on_friend_added(void *userdata, Backend *b, const FriendList *one) {
    sd_bus *bus = bus_of(userdata);

    if (bus)
        bus_emit_friend_added(bus, b, one);
}

static void on_messages_loaded(void *userdata, Backend *b, const char *peer,
                               const MessageList *messages) {
    sd_bus *bus = bus_of(userdata);

    if (bus)
        bus_emit_messages_loaded(bus, b, peer, messages);
}

static void on_message_sent(void *userdata, Backend *b, const MessageList *one) {
    sd_bus *bus = bus_of(userdata);

    if (bus)
        bus_emit_message_sent(bus, b, one);
}

static void on_current_peer_changed(void *userdata, Backend *b) {
    sd_bus *bus = bus_of(userdata);

    if (bus)
        bus_emit_backend_peer(bus, b);
}

const BackendEvents manager_backend_events = {
    .checked = on_checked,
    .state_changed = manager_backend_state_changed,
    .updated = on_updated,
    .error = on_error,
    .friends_loaded = on_friends_loaded,
    .friend_added = on_friend_added,
    .messages_loaded = on_messages_loaded,
    .message_sent = on_message_sent,
    .current_peer_changed = on_current_peer_changed,
};

/* ---- which there are ---- */

/* In the list, since the daemon may end before it is told. */
typedef struct BackendNote {
    char *name;
    bool added;
    LIST_ENTRY(BackendNote) link;
} BackendNote;

static void free_note(BackendNote *n) {
    LIST_REMOVE(n, link);
    free(n->name);
    free(n);
}

void manager_done_backend_news(Manager *m) {
    for (BackendNote *n; (n = LIST_FIRST(&m->backend_notes));)
        free_note(n);
}

static void on_written(void *userdata, void *arg, int error) {
    sd_bus *bus = bus_of(userdata);
    BackendNote *n = arg;

    if (bus && n->added)
        bus_emit_backend_added(bus, n->name);
    else if (bus)
        bus_emit_backend_removed(bus, n->name);
    free_note(n);
}

void manager_tell_backend(Manager *m, const char *name, bool added) {
    BackendNote *n = malloc(sizeof(BackendNote));
    char *copy = n ? strdup(name) : NULL;

    if (!copy) {
        log_warning_errno(-ENOMEM, "Cannot note a backend for a signal, ignoring");
        free(n);
        return;
    }
    *n = (BackendNote){.name = copy, .added = added};
    LIST_INSERT_HEAD(&m->backend_notes, n, link);
    commit_queue_call(m->commits, on_written, m, n);
}
