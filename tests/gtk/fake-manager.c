#include "tests/gtk/fake-manager.h"

#include <sys/socket.h>

#include <gio/gio.h>

#include "tests/unit/unit.h"

typedef struct FakeTask {
    guint64 id;
    TaskState state;
    char group[16];
} FakeTask;

struct FakeManager {
    GDBusConnection *ends[2]; /* of the client, of the manager */
    DbusManager *skeleton, *proxy;
    GArray *tasks; /* FakeTask, the oldest first */
    guint64 last_id;
    gboolean tells, is_confused;
    char *error;
    guint calls, listed;
};

/* ---- lists ---- */

typedef struct Asked {
    gboolean any_state, all_fields;
    guint states, limit;
    guint64 cursor;
    const char *group, *label;
} Asked;

static void read_filter(GVariant *filter, Asked *asked) {
    g_autofree const char **states = NULL, **fields = NULL;
    gboolean newest_first = FALSE;

    *asked = (Asked){.limit = 100, .cursor = G_MAXUINT64};
    asked->any_state = !g_variant_lookup(filter, "states", "^a&s", &states);
    for (gsize i = 0; states && states[i]; i++)
        asked->states |= 1u << task_state_from_string(states[i]);
    g_variant_lookup(filter, "limit", "u", &asked->limit);
    g_variant_lookup(filter, "cursor", "t", &asked->cursor);
    g_variant_lookup(filter, "group", "&s", &asked->group);
    g_variant_lookup(filter, "search", "&s", &asked->label);
    g_variant_lookup(filter, "newest-first", "b", &newest_first);
    ck_assert(newest_first && asked->limit <= 1000);
    ck_assert(g_variant_lookup(filter, "fields", "^a&s", &fields));
    asked->all_fields = g_strv_contains(fields, "label");
}

static char *label_of(const FakeTask *t) {
    return g_strdup_printf("task-%" G_GUINT64_FORMAT, t->id);
}

static gboolean matches(const FakeTask *t, const Asked *asked) {
    g_autofree char *label = label_of(t);

    return t->id <= asked->cursor && (asked->any_state || asked->states & (1u << t->state)) &&
           (!asked->group || g_str_equal(asked->group, t->group)) &&
           (!asked->label || strstr(label, asked->label));
}

static GVariant *describe(const FakeTask *t, gboolean all_fields) {
    GVariantDict d;

    g_variant_dict_init(&d, NULL);
    g_variant_dict_insert(&d, "id", "t", t->id);
    g_variant_dict_insert(&d, "state", "s", task_state_to_string(t->state));
    if (all_fields) {
        g_autofree char *label = label_of(t);
        g_variant_dict_insert(&d, "label", "s", label);
        g_variant_dict_insert(&d, "group", "s", t->group);
    }
    return g_variant_dict_end(&d);
}

static GVariant *make_page(FakeManager *self, const Asked *asked, guint64 *ret_next) {
    GVariantBuilder b;
    guint n = 0;

    *ret_next = 0;
    g_variant_builder_init(&b, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = self->tasks->len; i > 0 && *ret_next == 0; i--) {
        const FakeTask *t = &g_array_index(self->tasks, FakeTask, i - 1);
        if (!matches(t, asked))
            continue;
        if (n == asked->limit) {
            *ret_next = t->id;
            break;
        }
        g_variant_builder_add_value(&b, describe(t, asked->all_fields));
        if (self->is_confused)
            g_variant_builder_add_value(&b, describe(t, asked->all_fields));
        n++;
    }
    self->listed += n;
    return g_variant_builder_end(&b);
}

static gboolean refuse(FakeManager *self, GDBusMethodInvocation *call) {
    g_autofree char *name = g_strconcat("org.longrun.Longrun1.Error.", self->error, NULL);

    if (!self->error)
        return FALSE;
    g_dbus_method_invocation_return_dbus_error(call, name, "It is said why.");
    return TRUE;
}

static gboolean on_list(DbusManager *skeleton, GDBusMethodInvocation *call, GVariant *filter,
                        FakeManager *self) {
    guint64 next;
    Asked asked;

    self->calls++;
    if (refuse(self, call))
        return TRUE;
    read_filter(filter, &asked);
    GVariant *page = make_page(self, &asked, &next);
    dbus_manager_complete_list_tasks(skeleton, call, page, next);
    return TRUE;
}

/* ---- cancelling, removing ---- */

static FakeTask *find(FakeManager *self, guint64 id) {
    for (guint i = 0; i < self->tasks->len; i++)
        if (g_array_index(self->tasks, FakeTask, i).id == id)
            return &g_array_index(self->tasks, FakeTask, i);
    return NULL;
}

static const guint64 *read_ids(GVariant *ids, gsize *ret_n) {
    return g_variant_get_fixed_array(ids, ret_n, sizeof(guint64));
}

static gboolean refuse_with(GDBusMethodInvocation *call, const char *name) {
    g_autofree char *full = g_strconcat("org.longrun.Longrun1.Error.", name, NULL);

    g_dbus_method_invocation_return_dbus_error(call, full, "It is said why.");
    return TRUE;
}

static gboolean on_cancel(DbusManager *skeleton, GDBusMethodInvocation *call, GVariant *list,
                          FakeManager *self) {
    gsize n;
    const guint64 *ids = read_ids(list, &n);
    guint accepted = 0;

    if (refuse(self, call))
        return TRUE;
    for (gsize i = 0; i < n; i++)
        if (!find(self, ids[i]))
            return refuse_with(call, "NoSuchTask");
    for (gsize i = 0; i < n; i++)
        if (!task_state_is_final(find(self, ids[i])->state)) {
            fake_manager_set_state(self, ids[i], TASK_CANCELLED);
            accepted++;
        }
    if (accepted == 0)
        return refuse_with(call, "NotRunning");
    dbus_manager_complete_cancel(skeleton, call, accepted);
    return TRUE;
}

static gboolean on_remove(DbusManager *skeleton, GDBusMethodInvocation *call, GVariant *list,
                          FakeManager *self) {
    gsize n;
    const guint64 *ids = read_ids(list, &n);

    if (refuse(self, call))
        return TRUE;
    for (gsize i = 0; i < n; i++)
        if (!find(self, ids[i]))
            return refuse_with(call, "NoSuchTask");
    for (gsize i = 0; i < n; i++)
        if (!task_state_is_final(find(self, ids[i])->state))
            return refuse_with(call, "StillActive");
    fake_manager_remove(self, ids, n);
    dbus_manager_complete_remove_tasks(skeleton, call, (guint)n);
    return TRUE;
}

/* ---- tasks, and what is told of them ---- */

void fake_manager_add(FakeManager *self, guint n, TaskState state, const char *group) {
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("a(to)"));
    for (guint i = 0; i < n; i++) {
        FakeTask t = {.id = ++self->last_id, .state = state};
        g_strlcpy(t.group, group, sizeof(t.group));
        g_array_append_val(self->tasks, t);
        g_variant_builder_add(&b, "(to)", t.id, "/a/task");
    }
    g_autoptr(GVariant) added = g_variant_ref_sink(g_variant_builder_end(&b));
    if (self->tells)
        dbus_manager_emit_tasks_added(self->skeleton, added);
}

void fake_manager_set_state(FakeManager *self, guint64 id, TaskState state) {
    const char *word = task_state_to_string(state);

    find(self, id)->state = state;
    if (!self->tells)
        return;
    if (task_state_is_final(state))
        dbus_manager_emit_tasks_finished(self->skeleton,
                                         g_variant_new_parsed("[(%t, %s, 0)]", id, word));
    else
        dbus_manager_emit_tasks_changed(
            self->skeleton, g_variant_new_parsed("[(%t, %s, 0.5, 'half of it')]", id, word));
}

void fake_manager_remove(FakeManager *self, const guint64 *ids, gsize n) {
    for (gsize i = 0; i < n; i++) {
        FakeTask *t = find(self, ids[i]);
        g_array_remove_index(self->tasks, (guint)(t - &g_array_index(self->tasks, FakeTask, 0)));
    }
    if (self->tells)
        dbus_manager_emit_tasks_removed(
            self->skeleton,
            g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64, ids, n, sizeof(guint64)));
}

TaskState fake_manager_state(FakeManager *self, guint64 id) {
    const FakeTask *t = find(self, id);

    return t ? t->state : _TASK_STATE_INVALID;
}

guint fake_manager_count(FakeManager *self) {
    return self->tasks->len;
}

void fake_manager_tell(FakeManager *self, gboolean on) {
    self->tells = on;
}

guint fake_manager_calls(FakeManager *self) {
    return self->calls;
}

guint fake_manager_listed(FakeManager *self) {
    return self->listed;
}

void fake_manager_fail(FakeManager *self, const char *error) {
    g_free(self->error);
    self->error = g_strdup(error);
}

void fake_manager_confuse(FakeManager *self, gboolean on) {
    self->is_confused = on;
}

/* ---- waiting ---- */

static gboolean on_timeout(gpointer unused) {
    return G_SOURCE_CONTINUE;
}

void fake_manager_turn(void) {
    guint timer = g_timeout_add(20, on_timeout, NULL);

    g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
}

/* Nothing was asked for longer than any delay of the model's but that after an error. */
void fake_manager_settle(FakeManager *self) {
    gint64 quiet_since = g_get_monotonic_time();
    guint calls = self->calls;

    while (g_get_monotonic_time() - quiet_since < 400 * 1000) {
        fake_manager_turn();
        if (self->calls != calls)
            quiet_since = g_get_monotonic_time();
        calls = self->calls;
    }
}

/* ---- the connection ---- */

static GDBusConnection *connect_end(int fd) {
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
    GDBusConnection *end = g_dbus_connection_new_sync(
        G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_NONE, NULL, NULL, NULL);

    ck_assert_ptr_nonnull(end);
    return end;
}

FakeManager *fake_manager_new(void) {
    FakeManager *self = g_new0(FakeManager, 1);
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        self->ends[i] = connect_end(fds[i]);
    self->tasks = g_array_new(FALSE, FALSE, sizeof(FakeTask));
    self->tells = TRUE;
    self->skeleton = dbus_manager_skeleton_new();
    g_signal_connect(self->skeleton, "handle-list-tasks", G_CALLBACK(on_list), self);
    g_signal_connect(self->skeleton, "handle-cancel", G_CALLBACK(on_cancel), self);
    g_signal_connect(self->skeleton, "handle-remove-tasks", G_CALLBACK(on_remove), self);
    ck_assert(g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->skeleton),
                                               self->ends[1], "/org/longrun/Longrun1", NULL));
    self->proxy =
        dbus_manager_proxy_new_sync(self->ends[0], G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES, NULL,
                                    "/org/longrun/Longrun1", NULL, NULL);
    ck_assert_ptr_nonnull(self->proxy);
    return self;
}

DbusManager *fake_manager_proxy(FakeManager *self) {
    return self->proxy;
}

void fake_manager_free(FakeManager *self) {
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(self->skeleton));
    g_object_unref(self->skeleton);
    g_object_unref(self->proxy);
    for (int i = 0; i < 2; i++) {
        g_dbus_connection_close_sync(self->ends[i], NULL, NULL);
        g_object_unref(self->ends[i]);
    }
    g_array_unref(self->tasks);
    g_free(self->error);
    g_free(self);
}
