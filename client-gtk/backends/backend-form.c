#include "client-gtk/backends/backend-form.h"

#include <glib/gi18n.h>

#include "common/parse.h"

/* ---- the fields ---- */

static const char *const types[] = {"json", "messenger", NULL};
static const char *const type_titles[] = {N_("Any that speaks JSON"), N_("Messenger"), NULL};
static const char *const auths[] = {"", "bearer", "basic", NULL};
static const char *const auth_titles[] = {N_("None"), N_("Bearer token"), N_("User and password"),
                                          NULL};
static const char *const switches[] = {"yes", "no", NULL};

/* clang-format off */
static const BackendField fields[] = {
    {"name", BACKEND_FIELD_TEXT, BACKEND_GROUP_WHERE, N_("Name"),
     N_("Letters, digits, “-”, “_” and “.”")},
    {"url", BACKEND_FIELD_TEXT, BACKEND_GROUP_WHERE, N_("URL"), N_("As http://localhost:8080")},
    {"type", BACKEND_FIELD_CHOICE, BACKEND_GROUP_WHERE, N_("Type"), NULL, types, type_titles},

    {"status-path", BACKEND_FIELD_TEXT, BACKEND_GROUP_CHECKS, N_("Path of checks"),
     N_("Under the URL; empty: the URL itself, of a messenger /api/status")},
    {"status-interval", BACKEND_FIELD_SPAN, BACKEND_GROUP_CHECKS, N_("Time between checks"),
     N_("As 500ms, 10s or 5min; empty: 10s")},
    {"failure-threshold", BACKEND_FIELD_COUNT, BACKEND_GROUP_CHECKS, N_("Failures until offline"),
     N_("Checks in a row; empty: 1")},
    {"success-threshold", BACKEND_FIELD_COUNT, BACKEND_GROUP_CHECKS, N_("Successes until online"),
     N_("Checks in a row; empty: 1")},
    {"expect-status", BACKEND_FIELD_TEXT, BACKEND_GROUP_CHECKS, N_("Expected status codes"),
     N_("As 200-299,304; empty: 200-299")},
    {"expect", BACKEND_FIELD_LINES, BACKEND_GROUP_CHECKS, N_("Expected values"),
     N_("One a line, as /status == \"online\"")},
    {"expect-time", BACKEND_FIELD_SPAN, BACKEND_GROUP_CHECKS, N_("Slowest good answer"),
     N_("As 500ms; empty: no limit")},

    {"polling", BACKEND_FIELD_SWITCH, BACKEND_GROUP_POLLS, N_("Check and poll by itself"), NULL,
     switches},
    {"poll-path", BACKEND_FIELD_TEXT, BACKEND_GROUP_POLLS, N_("Path of polls"),
     N_("Under the URL; empty: nothing, of a messenger the open conversation")},
    {"poll-interval", BACKEND_FIELD_SPAN, BACKEND_GROUP_POLLS, N_("Time between polls"),
     N_("As 500ms, 10s or 5min; empty: 2s")},

    {"auth", BACKEND_FIELD_CHOICE, BACKEND_GROUP_SECURITY, N_("Authentication"), NULL, auths,
     auth_titles},
    {"credential", BACKEND_FIELD_FILE, BACKEND_GROUP_SECURITY, N_("File of the secret"),
     N_("A path, or the name of a credential of the service")},
    {"ca-file", BACKEND_FIELD_FILE, BACKEND_GROUP_SECURITY, N_("Trusted certificates"),
     N_("PEM; empty: those of the system")},
    {"client-cert", BACKEND_FIELD_FILE, BACKEND_GROUP_SECURITY, N_("Own certificate"), N_("PEM")},
    {"client-key", BACKEND_FIELD_FILE, BACKEND_GROUP_SECURITY, N_("Key of the own certificate"),
     N_("PEM")},

    {"timeout", BACKEND_FIELD_SPAN, BACKEND_GROUP_LIMITS, N_("Time for a request"),
     N_("Empty: 5s")},
    {"connect-timeout", BACKEND_FIELD_SPAN, BACKEND_GROUP_LIMITS, N_("Time to connect"),
     N_("Empty: as for a request")},
    {"backoff-max", BACKEND_FIELD_SPAN, BACKEND_GROUP_LIMITS,
     N_("Longest time between checks while offline"), N_("Empty: 1min")},
    {"response-max", BACKEND_FIELD_SIZE, BACKEND_GROUP_LIMITS, N_("Largest answer"),
     N_("As 500K or 8M; empty: 8M")},
    {NULL},
};
/* clang-format on */

const BackendField *backend_fields(void) {
    return fields;
}

const BackendField *backend_field(const char *name) {
    for (const BackendField *f = fields; f->name; f++)
        if (g_str_equal(f->name, name))
            return f;
    return NULL;
}

/* ---- from text ---- */

static GVariant *read_lines(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) strv = NULL;

    for (char **line = lines; *line; line++)
        if (*g_strstrip(*line))
            g_strv_builder_add(builder, *line);
    strv = g_strv_builder_end(builder);
    return *strv ? g_variant_new_strv((const char *const *)strv, -1) : NULL;
}

static GVariant *read_span(const char *text, char **ret_error) {
    uint64_t usec;

    if (parse_span(text, &usec) >= 0)
        return g_variant_new_uint64(usec);
    *ret_error = g_strdup(_("This is no time: write it as 500ms, 10s or 5min"));
    return NULL;
}

static GVariant *read_size(const char *text, char **ret_error) {
    uint64_t bytes;

    if (parse_size(text, &bytes) >= 0)
        return g_variant_new_uint64(bytes);
    *ret_error = g_strdup(_("This is no size: write it as 500K or 8M"));
    return NULL;
}

static GVariant *read_count(const char *text, char **ret_error) {
    uint32_t n;

    if (parse_u32(text, &n) >= 0)
        return g_variant_new_uint32(n);
    *ret_error = g_strdup(_("This is no number"));
    return NULL;
}

gboolean backend_field_read(const BackendField *field, const char *text, GVariant **ret,
                            char **ret_error) {
    g_autofree char *stripped = g_strstrip(g_strdup(text));

    *ret = NULL;
    *ret_error = NULL;
    if (!*stripped || (field->choices && g_str_equal(stripped, field->choices[0])))
        return TRUE;
    if (field->form == BACKEND_FIELD_LINES)
        *ret = read_lines(text);
    else if (field->form == BACKEND_FIELD_SPAN)
        *ret = read_span(stripped, ret_error);
    else if (field->form == BACKEND_FIELD_SIZE)
        *ret = read_size(stripped, ret_error);
    else if (field->form == BACKEND_FIELD_COUNT)
        *ret = read_count(stripped, ret_error);
    else if (field->form == BACKEND_FIELD_SWITCH)
        *ret = g_variant_new_boolean(g_str_equal(stripped, "yes"));
    else
        *ret = g_variant_new_string(stripped);
    return !*ret_error;
}

/* ---- to text ---- */

static const char *title_of_choice(const BackendField *field, const char *value) {
    for (guint i = 0; field->choices[i]; i++)
        if (g_str_equal(field->choices[i], value))
            return _(field->titles[i]);
    return value;
}

static char *show_text(const BackendField *field, const char *text) {
    if (!*text)
        return NULL;
    return g_strdup(field->form == BACKEND_FIELD_CHOICE ? title_of_choice(field, text) : text);
}

static char *show_number(const BackendField *field, guint64 n) {
    char buf[FORMAT_MAX];

    if (n == 0)
        return NULL;
    return g_strdup(field->form == BACKEND_FIELD_SIZE ? format_size(buf, n) : format_span(buf, n));
}

char *backend_field_show(const BackendField *field, GVariant *value) {
    g_autofree const char **strv = NULL;

    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_STRING:
        return show_text(field, g_variant_get_string(value, NULL));
    case G_VARIANT_CLASS_UINT64:
        return show_number(field, g_variant_get_uint64(value));
    case G_VARIANT_CLASS_UINT32:
        return g_strdup_printf("%u", g_variant_get_uint32(value));
    case G_VARIANT_CLASS_BOOLEAN:
        return g_strdup(g_variant_get_boolean(value) ? _("Yes") : _("No"));
    default:
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY))
            return NULL;
        strv = g_variant_get_strv(value, NULL);
        return *strv ? g_strjoinv("\n", (char **)strv) : NULL;
    }
}

/* ---- errors ---- */

static gboolean is_word_char(char c) {
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

/* Where word stands in text by itself, or NULL. */
static const char *find_word(const char *text, const char *word) {
    gsize n = strlen(word);

    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[n]))
            return at;
    return NULL;
}

/* Whatever is quoted may be the name of a setting, too: the first one counts. */
const BackendField *backend_field_of_error(const char *text) {
    const char *first = NULL, *at;
    const BackendField *found = fields;

    if (strstr(text, "another name") || strstr(text, "the name of a backend"))
        return fields;
    if (strstr(text, "the expectation ") || strstr(text, " expectations"))
        return backend_field("expect");
    for (const BackendField *f = fields + 1; f->name; f++) {
        at = find_word(text, f->name);
        if (at && (!first || at < first)) {
            first = at;
            found = f;
        }
    }
    return found;
}
