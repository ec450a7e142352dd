#include "client-gtk/start/start-form.h"

#include <glib/gi18n.h>

#include "client-gtk/start/daemon-lists.h"
#include "client-gtk/start/form-part.h"
#include "client-gtk/start/kind-form.h"
#include "client-gtk/start/option-form.h"

/* The fields of a kind. They stay, with what is in them, while another kind is looked at. */
typedef struct KindParts {
    GtkWidget *group; /* in the form while the kind is chosen */
    FormPart *usual, *advanced;
} KindParts;

struct _StartForm {
    AdwBin parent_instance;

    AdwComboRow *kind_row;
    GtkWidget *kind_place;
    AdwBin *kind_bin;
    AdwPreferencesGroup *always, *sections;

    DaemonLink *link;
    DaemonLists *lists;
    char *kind;
    GHashTable *kinds;  /* name -> KindParts */
    GPtrArray *options; /* of FormPart */
    gboolean is_filling;
    guint update_id;
};

G_DEFINE_FINAL_TYPE(StartForm, start_form, ADW_TYPE_BIN)

enum {
    CHANGED,
    ENTERED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- the parts that count ---- */

static GPtrArray *current_parts(StartForm *self) {
    KindParts *parts = g_hash_table_lookup(self->kinds, self->kind);
    GPtrArray *all = g_ptr_array_new();

    if (parts) {
        g_ptr_array_add(all, parts->usual);
        g_ptr_array_add(all, parts->advanced);
    }
    g_ptr_array_extend(all, self->options, NULL, NULL);
    return all;
}

const char *start_form_get_kind(StartForm *self) {
    return self->kind;
}

FormValues *start_form_get_values(StartForm *self) {
    g_autoptr(GPtrArray) parts = current_parts(self);
    FormValues *values = form_values_new();

    for (guint i = 0; i < parts->len; i++)
        form_part_collect(g_ptr_array_index(parts, i), values);
    return values;
}

/* ---- changes ---- */

static gboolean update(gpointer userdata) {
    StartForm *self = userdata;
    g_autoptr(GPtrArray) parts = current_parts(self);
    g_autoptr(GHashTable) values = start_form_get_values(self);

    self->update_id = 0;
    for (guint i = 0; i < parts->len; i++)
        form_part_update(g_ptr_array_index(parts, i), self->kind, values);
    g_signal_emit(self, signals[CHANGED], 0);
    return G_SOURCE_REMOVE;
}

/* Many fields may change at once. */
static void update_soon(StartForm *self) {
    if (self->update_id == 0)
        self->update_id = g_idle_add_full(G_PRIORITY_HIGH_IDLE, update, self, NULL);
}

static void on_changed(StartForm *self, FieldRow *row) {
    if (row)
        field_row_set_error(row, NULL);
    update_soon(self);
}

static void on_entered(StartForm *self) {
    g_signal_emit(self, signals[ENTERED], 0);
}

/* ---- building ---- */

static FormPart *new_part(StartForm *self, const Field *fields, gsize n, bool advanced,
                          GtkWidget *place) {
    FormPart *part = form_part_new(fields, n, advanced, place, self->link, self->lists);

    g_signal_connect_object(part, "changed", G_CALLBACK(on_changed), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(part, "entered", G_CALLBACK(on_entered), self, G_CONNECT_SWAPPED);
    return part;
}

static GtkWidget *new_expander(const char *title, const char *icon, AdwPreferencesGroup *group) {
    GtkWidget *expander = adw_expander_row_new();

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(expander), title);
    if (icon)
        adw_expander_row_set_icon_name(ADW_EXPANDER_ROW(expander), icon);
    adw_preferences_group_add(group, expander);
    return expander;
}

static void kind_parts_free(gpointer data) {
    KindParts *parts = data;

    g_object_unref(parts->usual);
    g_object_unref(parts->advanced);
    g_object_unref(parts->group);
    g_free(parts);
}

static KindParts *add_kind(StartForm *self, const char *kind) {
    const KindForm *form = kind_form_find(kind);
    KindParts *parts = g_new0(KindParts, 1);
    GtkWidget *expander;

    parts->group = g_object_ref_sink(adw_preferences_group_new());
    parts->usual = new_part(self, form->fields, form->n_fields, false, parts->group);
    expander = new_expander(_("More"), NULL, ADW_PREFERENCES_GROUP(parts->group));
    parts->advanced = new_part(self, form->fields, form->n_fields, true, expander);
    gtk_widget_set_visible(expander, FALSE);
    g_hash_table_insert(self->kinds, g_strdup(kind), parts);
    return parts;
}

static void add_options(StartForm *self) {
    for (gsize i = 0; i < n_option_sections; i++) {
        const OptionSection *s = &option_sections[i];
        GtkWidget *place = s->title ? new_expander(_(s->title), s->icon, self->sections)
                                    : GTK_WIDGET(self->always);
        g_ptr_array_add(self->options, new_part(self, s->fields, s->n_fields, false, place));
    }
}

/* ---- the kind ---- */

static void show_kind(StartForm *self) {
    const KindForm *form = kind_form_find(self->kind);
    KindParts *parts = g_hash_table_lookup(self->kinds, self->kind);

    if (!parts)
        parts = add_kind(self, self->kind);
    gtk_widget_set_visible(self->kind_place, form->n_fields > 0);
    adw_bin_set_child(self->kind_bin, parts->group);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(self->kind_row),
                                form->summary ? _(form->summary)
                                              : daemon_lists_describe(self->lists, self->kind));
    update_soon(self);
}

static void on_kind(StartForm *self) {
    const char *const *kinds = daemon_lists_kinds(self->lists);
    guint i = adw_combo_row_get_selected(self->kind_row);

    if (self->is_filling || i >= g_strv_length((char **)kinds))
        return;
    g_free(self->kind);
    self->kind = g_strdup(kinds[i]);
    show_kind(self);
}

/* The kind stays; one that is gone does so until another is chosen. */
static void on_lists(StartForm *self) {
    const char *const *kinds = daemon_lists_kinds(self->lists);
    g_autoptr(GtkStringList) titles = gtk_string_list_new(NULL);
    guint chosen = GTK_INVALID_LIST_POSITION;

    for (guint i = 0; kinds[i]; i++) {
        gtk_string_list_append(titles, kind_form_title(kinds[i]));
        if (g_str_equal(kinds[i], self->kind))
            chosen = i;
    }
    self->is_filling = TRUE;
    adw_combo_row_set_model(self->kind_row, G_LIST_MODEL(titles));
    adw_combo_row_set_selected(self->kind_row, chosen);
    self->is_filling = FALSE;
}

/* ---- what is wrong ---- */

static FieldRow *find_row(StartForm *self, const char *name) {
    g_autoptr(GPtrArray) parts = current_parts(self);
    FieldRow *row = NULL;

    for (guint i = 0; i < parts->len && !row; i++)
        row = form_part_find(g_ptr_array_index(parts, i), name);
    return row;
}

bool start_form_set_error(StartForm *self, const char *name, const char *message) {
    FieldRow *row = find_row(self, name);

    if (!row || !gtk_widget_get_visible(GTK_WIDGET(row)))
        return false;
    field_row_set_error(row, message);
    return true;
}

void start_form_clear_errors(StartForm *self) {
    g_autoptr(GPtrArray) parts = current_parts(self);

    for (guint i = 0; i < parts->len; i++)
        form_part_clear_errors(g_ptr_array_index(parts, i));
}

void start_form_focus(StartForm *self, const char *name) {
    FieldRow *row = name ? find_row(self, name) : NULL;
    GtkWidget *expander =
        row ? gtk_widget_get_ancestor(GTK_WIDGET(row), ADW_TYPE_EXPANDER_ROW) : NULL;

    if (expander)
        adw_expander_row_set_expanded(ADW_EXPANDER_ROW(expander), TRUE);
    if (row)
        field_row_focus(row);
    else
        gtk_widget_child_focus(GTK_WIDGET(self->kind_row), GTK_DIR_TAB_FORWARD);
}

/* ---- the object ---- */

void start_form_set_link(StartForm *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    self->lists = daemon_lists_new(link);
    add_options(self);
    on_lists(self);
    show_kind(self);
    g_signal_connect_object(self->lists, "changed", G_CALLBACK(on_lists), self, G_CONNECT_SWAPPED);
    g_signal_connect_swapped(self->kind_row, "notify::selected", G_CALLBACK(on_kind), self);
}

static void dispose(GObject *object) {
    StartForm *self = LONGRUN_START_FORM(object);

    g_clear_handle_id(&self->update_id, g_source_remove);
    g_hash_table_remove_all(self->kinds);
    g_ptr_array_set_size(self->options, 0);
    g_clear_object(&self->lists);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(start_form_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    StartForm *self = LONGRUN_START_FORM(object);

    g_hash_table_unref(self->kinds);
    g_ptr_array_unref(self->options);
    g_free(self->kind);
    G_OBJECT_CLASS(start_form_parent_class)->finalize(object);
}

static void start_form_class_init(StartFormClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_START_FORM, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    signals[ENTERED] = g_signal_new("entered", LONGRUN_TYPE_START_FORM, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/start/start-form.ui");
    gtk_widget_class_bind_template_child(widget, StartForm, kind_row);
    gtk_widget_class_bind_template_child(widget, StartForm, kind_place);
    gtk_widget_class_bind_template_child(widget, StartForm, kind_bin);
    gtk_widget_class_bind_template_child(widget, StartForm, always);
    gtk_widget_class_bind_template_child(widget, StartForm, sections);
}

static void start_form_init(StartForm *self) {
    self->kind = g_strdup("command");
    self->kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kind_parts_free);
    self->options = g_ptr_array_new_with_free_func(g_object_unref);
    gtk_widget_init_template(GTK_WIDGET(self));
}
