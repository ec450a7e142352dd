#include "client-gtk/task/task-about.h"

#include <glib/gi18n.h>

#include "client-gtk/task/fact-row.h"
#include "client-gtk/task/task-sheet.h"
#include "client-gtk/widgets/state-icon.h"

/* The rows of a group, and what they show: rows stay as long as they are about the same. */
typedef struct Section {
    AdwPreferencesGroup *group;
    GPtrArray *rows, *titles;
} Section;

struct _TaskAbout {
    AdwBin parent_instance;

    AdwPreferencesGroup *times, *work, *plan, *limits, *attempts;
    Section sections[_TASK_SECTION_MAX], tries;
    guint32 newest_try;
};

G_DEFINE_FINAL_TYPE(TaskAbout, task_about, ADW_TYPE_BIN)

/* ---- rows ---- */

static void empty(Section *s) {
    for (guint i = 0; i < s->rows->len; i++)
        adw_preferences_group_remove(s->group, s->rows->pdata[i]);
    g_ptr_array_set_size(s->rows, 0);
    g_ptr_array_set_size(s->titles, 0);
}

static void append(Section *s, GtkWidget *row, gconstpointer title) {
    adw_preferences_group_add(s->group, row);
    g_ptr_array_add(s->rows, row);
    g_ptr_array_add(s->titles, (gpointer)title);
}

/* ---- facts ---- */

static gboolean is_same(const Section *s, const GPtrArray *facts) {
    if (s->titles->len != facts->len)
        return FALSE;
    for (guint i = 0; i < facts->len; i++)
        if (!g_str_equal(s->titles->pdata[i], ((TaskFact *)facts->pdata[i])->title))
            return FALSE;
    return TRUE;
}

static void show_section(Section *s, const GPtrArray *facts) {
    gboolean same = is_same(s, facts);

    if (!same)
        empty(s);
    for (guint i = 0; i < facts->len; i++) {
        const TaskFact *fact = facts->pdata[i];

        if (same)
            fact_row_set(s->rows->pdata[i], fact);
        else
            append(s, fact_row_new(fact), fact->title);
    }
    gtk_widget_set_visible(GTK_WIDGET(s->group), facts->len > 0);
}

/* ---- attempts ---- */

static GtkWidget *attempt_row(const TaskAttempt *attempt) {
    g_autofree char *title = g_strdup_printf(_("Attempt %u"), attempt->number);
    GtkWidget *row = g_object_new(ADW_TYPE_ACTION_ROW, "use-markup", FALSE, "title", title,
                                  "subtitle", attempt->text, NULL);
    GtkWidget *icon = gtk_image_new();

    state_icon_set(GTK_IMAGE(icon), attempt->state);
    adw_action_row_add_prefix(ADW_ACTION_ROW(row), icon);
    return row;
}

/* What has ended changes no more. */
static void show_attempts(TaskAbout *self, const GPtrArray *attempts) {
    guint32 newest = attempts->len > 0 ? ((TaskAttempt *)attempts->pdata[0])->number : 0;

    if (newest == self->newest_try)
        return;
    self->newest_try = newest;
    empty(&self->tries);
    for (guint i = 0; i < attempts->len; i++)
        append(&self->tries, attempt_row(attempts->pdata[i]), NULL);
    gtk_widget_set_visible(GTK_WIDGET(self->attempts), attempts->len > 0);
}

void task_about_show(TaskAbout *self, TaskDetails *details) {
    TaskProps *props = task_details_get_props(details);
    gint64 now = g_get_real_time();
    g_autoptr(GPtrArray) attempts = task_attempts(props, now);

    for (TaskSection i = 0; i < _TASK_SECTION_MAX; i++) {
        g_autoptr(GPtrArray) facts = task_sheet(props, i, now);

        show_section(&self->sections[i], facts);
    }
    show_attempts(self, attempts);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    adw_bin_set_child(ADW_BIN(object), NULL);
    G_OBJECT_CLASS(task_about_parent_class)->dispose(object);
}

static void section_init(Section *s, AdwPreferencesGroup *group) {
    s->group = group;
    s->rows = g_ptr_array_new();
    s->titles = g_ptr_array_new();
}

static void section_done(Section *s) {
    g_ptr_array_unref(s->rows);
    g_ptr_array_unref(s->titles);
}

static void finalize(GObject *object) {
    TaskAbout *self = LONGRUN_TASK_ABOUT(object);

    for (TaskSection i = 0; i < _TASK_SECTION_MAX; i++)
        section_done(&self->sections[i]);
    section_done(&self->tries);
    G_OBJECT_CLASS(task_about_parent_class)->finalize(object);
}

static void task_about_class_init(TaskAboutClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/task-about.ui");
    gtk_widget_class_bind_template_child(widget, TaskAbout, times);
    gtk_widget_class_bind_template_child(widget, TaskAbout, work);
    gtk_widget_class_bind_template_child(widget, TaskAbout, plan);
    gtk_widget_class_bind_template_child(widget, TaskAbout, limits);
    gtk_widget_class_bind_template_child(widget, TaskAbout, attempts);
}

static void task_about_init(TaskAbout *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    section_init(&self->sections[TASK_SECTION_TIMES], self->times);
    section_init(&self->sections[TASK_SECTION_WORK], self->work);
    section_init(&self->sections[TASK_SECTION_PLAN], self->plan);
    section_init(&self->sections[TASK_SECTION_LIMITS], self->limits);
    section_init(&self->tries, self->attempts);
}
