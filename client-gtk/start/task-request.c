#include "client-gtk/start/task-request.h"

#include <glib/gi18n.h>

#include "client-gtk/start/command-line.h"
#include "client-gtk/start/kind-form.h"
#include "client-gtk/start/option-form.h"
#include "client-gtk/start/params-json.h"

typedef struct Reading {
    TaskRequest *request;
    FormValues *values;
    gint64 now_usec;
    GVariantBuilder options;
    ParamsJson *params;
} Reading;

static void problem_free(gpointer data) {
    FormProblem *problem = data;

    g_free(problem->message);
    g_free(problem);
}

/* Takes message. */
static void add_problem(TaskRequest *self, const Field *f, char *message, bool is_missing) {
    FormProblem *problem = g_new0(FormProblem, 1);

    problem->field = f;
    problem->message = message;
    problem->is_missing = is_missing;
    g_ptr_array_add(self->problems, problem);
}

/* ---- one field ---- */

/* What is there from the beginning is what the daemon would take by itself, in most cases. Of a
 * form all that can be seen is said. */
static bool is_said(const Field *f, const char *text) {
    return g_str_has_prefix(f->name, PARAMS_PREFIX) && f->initial ? *text : field_is_set(f, text);
}

static void add_value(Reading *r, const Field *f, GVariant *value) {
    const char *name = f->name + strlen(PARAMS_PREFIX);

    if (!g_str_has_prefix(f->name, PARAMS_PREFIX)) {
        g_variant_builder_add(&r->options, "{sv}", f->name, value);
        return;
    }
    if (f->type == FIELD_JSON) {
        g_autoptr(GVariant) json = g_variant_ref_sink(value);
        params_json_add_raw(r->params, name, g_variant_get_string(json, NULL));
        return;
    }
    params_json_add(r->params, name, value);
}

static void read_field(Reading *r, const Field *f) {
    const char *text = form_value(r->values, f->name);
    char *message = NULL;
    GVariant *value;

    if (f->is_choice || !field_applies(f, r->request->kind, r->values))
        return;
    value = field_read(f, text, r->now_usec, &message);
    if (message)
        add_problem(r->request, f, message, false);
    else if (!value && f->required)
        /* Translators: %s is the title of a field, such as Command Line. */
        add_problem(r->request, f, g_strdup_printf(_("Fill in “%s”."), _(f->title)), true);
    else if (value && (is_said(f, text) || f->required))
        add_value(r, f, value);
    else if (value)
        g_variant_unref(g_variant_ref_sink(value));
}

/* ---- all of them ---- */

/* The object of a kind whose parameters are not known. */
static bool has_raw_params(const KindForm *form) {
    return form->n_fields == 1 && g_str_equal(form->fields[0].name, "params");
}

static void check_raw_params(Reading *r, const KindForm *form) {
    const char *text = form_value(r->values, "params");
    char *message = NULL;

    if (*text && r->request->problems->len == 0 && !params_json_check_object(text, &message))
        add_problem(r->request, &form->fields[0], message, false);
}

static void read_kind(Reading *r) {
    const KindForm *form = kind_form_find(r->request->kind);

    for (gsize i = 0; i < form->n_fields; i++)
        read_field(r, &form->fields[i]);
    if (has_raw_params(form))
        check_raw_params(r, form);
    else if (!g_str_equal(r->request->kind, "command")) {
        g_autofree char *params = params_json_print(r->params);
        g_variant_builder_add(&r->options, "{sv}", "params", g_variant_new_string(params));
    }
}

static bool applies_stdin_open(const Reading *r) {
    return g_str_equal(r->request->kind, "command") &&
           g_str_equal(form_value(r->values, "input"), "open");
}

static void read_options(Reading *r) {
    for (gsize i = 0; i < n_option_sections; i++)
        for (gsize k = 0; k < option_sections[i].n_fields; k++)
            read_field(r, &option_sections[i].fields[k]);
    if (applies_stdin_open(r))
        g_variant_builder_add(&r->options, "{sv}", "stdin-open", g_variant_new_boolean(TRUE));
}

TaskRequest *task_request_new(const char *kind, FormValues *values, gint64 now_usec) {
    TaskRequest *self = g_new0(TaskRequest, 1);
    g_autoptr(ParamsJson) params = params_json_new();
    Reading r = {.request = self, .values = values, .now_usec = now_usec, .params = params};

    self->kind = g_strdup(kind);
    self->problems = g_ptr_array_new_with_free_func(problem_free);
    g_variant_builder_init(&r.options, G_VARIANT_TYPE_VARDICT);
    read_kind(&r);
    read_options(&r);
    if (self->problems->len == 0)
        self->options = g_variant_ref_sink(g_variant_builder_end(&r.options));
    else
        g_variant_builder_clear(&r.options);
    return self;
}

void task_request_free(TaskRequest *self) {
    g_free(self->kind);
    g_clear_pointer(&self->options, g_variant_unref);
    g_ptr_array_unref(self->problems);
    g_free(self);
}

char *task_request_name(const char *kind, FormValues *values) {
    const char *label = form_value(values, "label"), *line = form_value(values, "argv");
    g_autofree char *stripped = NULL;

    if (!*label && !g_str_equal(kind, "command"))
        return g_strdup(kind_form_title(kind));
    stripped = g_strstrip(g_strdup(*label ? label : line));
    return command_line_shown(stripped);
}
