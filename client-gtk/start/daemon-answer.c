#include "client-gtk/start/daemon-answer.h"

#include <string.h>

#include "client-gtk/start/kind-form.h"
#include "client-gtk/start/option-form.h"

/* Errors that are about one option wherever they come from. */
static const struct {
    const char *error, *field;
} by_error[] = {
    {"NoSuchGroup", "group"},
    {"QueueFull", "group"},
    {"NoSuchResource", "resources"},
};

/* Words of messages that do not name the option itself. */
static const struct {
    const char *words, *field;
} by_words[] = {
    {"the name of a group", "group"},       {"the name of a resource", "resources"},
    {"for when-online", "when-online"},     {"cannot be waited for and be the parent", "parent"},
    {"this task would wait for", "parent"}, {"never elapses", "calendar"},
};

static bool is_name_char(char c) {
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

/* The message names it as a word of its own. */
static const char *find_word(const char *message, const char *word) {
    gsize n = strlen(word);

    for (const char *p = strstr(message, word); p; p = strstr(p + 1, word))
        if ((p == message || !is_name_char(p[-1])) && !is_name_char(p[n]))
            return p;
    return NULL;
}

/* ---- parameters ---- */

/* They are in quotation marks: parameter 'url' is missing; or begin the message: items[3] must be.
 * The first that is named is the one that it is about. */
static const Field *find_param(const KindForm *form, const char *message) {
    const char *first = NULL;
    const Field *found = NULL;

    for (gsize i = 0; i < form->n_fields; i++) {
        const Field *f = &form->fields[i];
        const char *p = g_str_has_prefix(f->name, PARAMS_PREFIX)
                            ? find_word(message, f->name + strlen(PARAMS_PREFIX))
                            : NULL;
        if (p && (!first || p < first)) {
            first = p;
            found = f;
        }
    }
    return found;
}

static char *param_field(const char *kind, const char *message) {
    const KindForm *form = kind_form_find(kind);
    const char *why = strstr(message, ": ");
    const Field *f = find_param(form, why ? why + 2 : message);

    if (!f && g_str_equal(kind, "download") && find_word(message, "url"))
        return g_strdup("params.urls");
    if (!f && kind_form_field(form, "params"))
        return g_strdup("params");
    return f ? g_strdup(f->name) : NULL;
}

/* ---- options ---- */

/* Most messages begin with the option, or with "option NAME"; else the first that is named. */
static const Field *find_option(const char *all) {
    const char *known = strstr(all, "Known are:"), *first = NULL;
    g_autofree char *message = known ? g_strndup(all, (gsize)(known - all)) : g_strdup(all);
    const Field *found = NULL;

    for (gsize i = 0; i < n_option_sections; i++)
        for (gsize k = 0; k < option_sections[i].n_fields; k++) {
            const Field *f = &option_sections[i].fields[k];
            const char *p = f->is_choice ? NULL : find_word(message, f->name);
            if (p && (!first || p < first)) {
                first = p;
                found = f;
            }
        }
    return found;
}

static char *option_field(const char *message) {
    const Field *f;

    for (gsize i = 0; i < G_N_ELEMENTS(by_words); i++)
        if (strstr(message, by_words[i].words))
            return g_strdup(by_words[i].field);
    if (find_word(message, "argv") == message || g_str_has_prefix(message, "argv["))
        return g_strdup("argv");
    f = find_option(message);
    return f ? g_strdup(f->name) : NULL;
}

char *daemon_answer_field(const char *kind, const char *name, const char *message) {
    if (!name)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(by_error); i++)
        if (g_str_equal(name, by_error[i].error))
            return g_strdup(by_error[i].field);
    if (g_str_has_prefix(message, "params"))
        return param_field(kind, message);
    if (g_str_equal(name, "NoSuchBackend") && !strstr(message, "when-online"))
        return g_strdup("params.backend");
    if (g_str_equal(name, "InvalidOption") || g_str_equal(name, "UnknownOption") ||
        g_str_equal(name, "NoSuchTask") || g_str_equal(name, "NotRunning") ||
        g_str_equal(name, "NoSuchBackend"))
        return option_field(message);
    return NULL;
}
