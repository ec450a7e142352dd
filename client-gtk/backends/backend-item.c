#include "client-gtk/backends/backend-item.h"

#include <glib/gi18n.h>
#include <math.h>

struct _BackendItem {
    GObject parent_instance;

    char *name, *path;
    GHashTable *values; /* GVariant by the name of the property, which is of the table below */
    PlotSeries *latency;
};

G_DEFINE_FINAL_TYPE(BackendItem, backend_item, G_TYPE_OBJECT)

static guint signal_changed;

/* ---- what the daemon tells ---- */

/* Status is not among them: it may be large, and is not shown. */
static const struct {
    const char *name, *type;
} known[] = {
    {"Origin", "s"},       {"Url", "s"},       {"Type", "s"},           {"State", "s"},
    {"Reason", "s"},       {"Polling", "b"},   {"StatusInterval", "t"}, {"PollInterval", "t"},
    {"LastUpdate", "t"},   {"LastError", "s"}, {"Latency", "t"},        {"NextCheck", "t"},
    {"Settings", "a{sv}"},
};

/* As it is in the table, or NULL. */
static const char *known_name(const char *name, GVariant *value) {
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_str_equal(name, known[i].name))
            return g_variant_is_of_type(value, G_VARIANT_TYPE(known[i].type)) ? known[i].name
                                                                              : NULL;
    return NULL;
}

/* Not a part of the message, all of which would stay as long as the part does. */
static GVariant *copy_of(GVariant *value) {
    g_autoptr(GBytes) bytes = g_bytes_new(g_variant_get_data(value), g_variant_get_size(value));

    return g_variant_ref_sink(g_variant_new_from_bytes(g_variant_get_type(value), bytes, TRUE));
}

static gboolean apply_one(BackendItem *self, const char *name, GVariant *value) {
    const char *key = known_name(name, value);
    GVariant *old = key ? g_hash_table_lookup(self->values, key) : NULL;

    if (!key || (old && g_variant_equal(old, value)))
        return FALSE;
    g_hash_table_replace(self->values, (gpointer)key, copy_of(value));
    return TRUE;
}

/* An answer that came while the window did not ask is seen by its time alone. */
static void note_latency(BackendItem *self, guint64 before) {
    guint64 usec = backend_item_get_number(self, "LastUpdate");

    if (usec != before && usec > 0)
        plot_series_add(self->latency, (gint64)usec,
                        (double)backend_item_get_number(self, "Latency"));
}

void backend_item_apply(BackendItem *self, GVariant *properties) {
    guint64 before = backend_item_get_number(self, "LastUpdate");
    gboolean changed = FALSE;
    const char *name;
    GVariantIter iter;
    GVariant *value;

    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value))
        changed |= apply_one(self, name, value);
    if (!changed)
        return;
    note_latency(self, before);
    g_signal_emit(self, signal_changed, 0);
}

/* One is enough for a gap, however long it lasts: what is behind it says when it ends. */
void backend_item_note_offline(BackendItem *self, gint64 usec) {
    guint n = plot_series_get_n(self->latency);

    if (n > 0 && isfinite(plot_series_get(self->latency, n - 1).value))
        plot_series_add(self->latency, usec, NAN);
}

/* ---- what is known ---- */

const char *backend_item_get_name(BackendItem *self) {
    return self->name;
}

const char *backend_item_get_path(BackendItem *self) {
    return self->path;
}

gboolean backend_item_is_loaded(BackendItem *self) {
    return g_hash_table_size(self->values) > 0;
}

static GVariant *value_of(BackendItem *self, const char *property, const char *type) {
    GVariant *value = g_hash_table_lookup(self->values, property);

    return value && g_variant_is_of_type(value, G_VARIANT_TYPE(type)) ? value : NULL;
}

const char *backend_item_get_text(BackendItem *self, const char *property) {
    GVariant *value = value_of(self, property, "s");

    return value ? g_variant_get_string(value, NULL) : "";
}

guint64 backend_item_get_number(BackendItem *self, const char *property) {
    GVariant *value = value_of(self, property, "t");

    return value ? g_variant_get_uint64(value) : 0;
}

gboolean backend_item_get_flag(BackendItem *self, const char *property) {
    GVariant *value = value_of(self, property, "b");

    return value && g_variant_get_boolean(value);
}

GVariant *backend_item_get_settings(BackendItem *self) {
    return value_of(self, "Settings", "a{sv}");
}

const char *backend_item_get_origin(BackendItem *self) {
    return backend_item_get_text(self, "Origin");
}

gboolean backend_item_is_polled(BackendItem *self) {
    GVariant *settings = backend_item_get_settings(self);
    const char *path = "";

    if (!backend_item_get_flag(self, "Polling"))
        return FALSE;
    if (settings)
        g_variant_lookup(settings, "poll-path", "&s", &path);
    return *path || g_str_equal(backend_item_get_text(self, "Type"), "messenger");
}

PlotSeries *backend_item_get_latency(BackendItem *self) {
    return self->latency;
}

/* ---- words ---- */

char *backend_format_time(guint64 usec) {
    g_autoptr(GDateTime) time =
        usec > 0 ? g_date_time_new_from_unix_local((gint64)(usec / G_USEC_PER_SEC)) : NULL;

    return time ? g_date_time_format(time, "%H:%M:%S") : g_strdup("");
}

char *backend_item_last_update(BackendItem *self) {
    g_autofree char *time = backend_format_time(backend_item_get_number(self, "LastUpdate"));

    /* Translators: a time, as 12:34:56 */
    return *time ? g_strdup_printf(_("Last update: %s"), time) : g_strdup(_("Last update: Never"));
}

char *backend_format_latency(double usec) {
    if (usec < 999.5)
        return g_strdup_printf(_("%.0f µs"), usec);
    if (usec < 999.5e3)
        return g_strdup_printf(usec < 9.95e3 ? _("%.1f ms") : _("%.0f ms"), usec / 1e3);
    return g_strdup_printf(_("%.1f s"), usec / 1e6);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    BackendItem *self = LONGRUN_BACKEND_ITEM(object);

    g_free(self->name);
    g_free(self->path);
    g_hash_table_unref(self->values);
    g_object_unref(self->latency);
    G_OBJECT_CLASS(backend_item_parent_class)->finalize(object);
}

static void backend_item_class_init(BackendItemClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_changed = g_signal_new("changed", LONGRUN_TYPE_BACKEND_ITEM, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void backend_item_init(BackendItem *self) {
    self->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
    self->latency = plot_series_new(PLOT_KEEP_NEWEST, BACKEND_SAMPLES_MAX);
}

BackendItem *backend_item_new(const char *name, const char *path) {
    BackendItem *self = g_object_new(LONGRUN_TYPE_BACKEND_ITEM, NULL);

    self->name = g_strdup(name);
    self->path = g_strdup(path);
    return self;
}
