#include "client-gtk/tasks/task-item.h"

struct _TaskItem {
    GObject parent_instance;

    TaskFacts facts;
};

G_DEFINE_FINAL_TYPE(TaskItem, task_item, G_TYPE_OBJECT)

static guint changed_signal;

const char *const task_item_fields[] = {
    "id",     "state",   "label",    "group",      "reason",      "status",
    "phase",  "message", "progress", "started-at", "finished-at", "expected-end-time",
    "due-at", NULL};

const TaskFacts *task_item_facts(TaskItem *self) {
    return &self->facts;
}

static void tell(TaskItem *self) {
    g_signal_emit(self, changed_signal, 0);
}

/* ---- texts ---- */

/* A label may be a command line of a megabyte: to lay that out in a row would take seconds. */
static char *one_line(const char *text) {
    char *line = g_utf8_strlen(text, -1) > LONGRUN_TASK_TEXT_MAX
                     ? g_utf8_substring(text, 0, LONGRUN_TASK_TEXT_MAX)
                     : g_strdup(text);

    return g_strdelimit(line, "\n\r\t\v\f", ' ');
}

static void set_text(char **text, const char *new) {
    g_free(*text);
    *text = one_line(new);
}

/* ---- what is known ---- */

static void load_texts(TaskFacts *f, GVariantDict *task) {
    const struct {
        const char *key;
        char **text;
    } texts[] = {{"label", &f->label},   {"group", &f->group}, {"reason", &f->reason},
                 {"status", &f->status}, {"phase", &f->phase}, {"message", &f->message}};
    const char *text;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_variant_dict_lookup(task, texts[i].key, "&s", &text))
            set_text(texts[i].text, text);
}

void task_item_load(TaskItem *self, GVariant *task) {
    g_auto(GVariantDict) dict;
    TaskFacts *f = &self->facts;
    const char *state;

    g_variant_dict_init(&dict, task);
    if (g_variant_dict_lookup(&dict, "state", "&s", &state))
        f->state = task_state_from_string(state);
    if (g_variant_dict_contains(&dict, "label"))
        f->is_known = f->is_fresh = TRUE;
    load_texts(f, &dict);
    g_variant_dict_lookup(&dict, "progress", "d", &f->progress);
    g_variant_dict_lookup(&dict, "started-at", "t", &f->started_at);
    g_variant_dict_lookup(&dict, "finished-at", "t", &f->finished_at);
    g_variant_dict_lookup(&dict, "expected-end-time", "t", &f->expected_end);
    g_variant_dict_lookup(&dict, "due-at", "t", &f->due_at);
    tell(self);
}

void task_item_change(TaskItem *self, TaskState state, double progress, const char *status) {
    TaskFacts *f = &self->facts;

    if (task_state_is_final(f->state))
        return;
    if (state != f->state)
        f->is_fresh = FALSE;
    f->state = state;
    f->progress = progress;
    if (status && !g_str_equal(status, f->status))
        set_text(&f->status, status);
    tell(self);
}

void task_item_set_stale(TaskItem *self) {
    self->facts.is_fresh = FALSE;
}

void task_item_set_plan(TaskItem *self, TaskPlan plan) {
    if (self->facts.plan == plan)
        return;
    self->facts.plan = plan;
    tell(self);
}

void task_item_tick(TaskItem *self) {
    tell(self);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    TaskFacts *f = &LONGRUN_TASK_ITEM(object)->facts;

    g_free(f->label);
    g_free(f->group);
    g_free(f->reason);
    g_free(f->status);
    g_free(f->phase);
    g_free(f->message);
    G_OBJECT_CLASS(task_item_parent_class)->finalize(object);
}

static void task_item_class_init(TaskItemClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void task_item_init(TaskItem *self) {
    TaskFacts *f = &self->facts;
    char **texts[] = {&f->label, &f->group, &f->reason, &f->status, &f->phase, &f->message};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = g_strdup("");
    f->progress = -1;
}

TaskItem *task_item_new(guint64 id, TaskState state) {
    TaskItem *self = g_object_new(LONGRUN_TYPE_TASK_ITEM, NULL);

    self->facts.id = id;
    self->facts.state = state;
    return self;
}
