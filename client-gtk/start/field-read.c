#include <errno.h>
#include <glib/gi18n.h>

#include "client-gtk/start/command-line.h"
#include "client-gtk/start/field-list.h"
#include "client-gtk/start/field.h"
#include "client-gtk/start/params-json.h"
#include "client-gtk/start/start-time.h"
#include "common/parse.h"

/* Who picks a moment that is now means no time that is past. */
#define PAST_USEC (60 * G_USEC_PER_SEC)

static GVariant *wrong(char **ret_error, const char *message) {
    *ret_error = g_strdup(message);
    return NULL;
}

static bool has_bounds(const Field *f) {
    return f->min != 0 || f->max != 0;
}

/* ---- numbers ---- */

static GVariant *number_variant(const Field *f, gint64 value) {
    if (f->signature == 'i')
        return g_variant_new_int32((gint32)value);
    if (f->signature == 'u')
        return g_variant_new_uint32((guint32)value);
    return g_variant_new_uint64((guint64)value);
}

static GVariant *out_of_bounds(const Field *f, char **ret_error) {
    *ret_error = g_strdup_printf(_("Write a whole number from %.0f to %.0f."), f->min, f->max);
    return NULL;
}

static GVariant *read_whole(const Field *f, const char *text, char **ret_error) {
    gint64 value;
    char *end;

    errno = 0;
    value = g_ascii_strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return has_bounds(f) ? out_of_bounds(f, ret_error)
                             : wrong(ret_error, _("Write a whole number."));
    if (value < f->min || (has_bounds(f) && value > f->max))
        return has_bounds(f) ? out_of_bounds(f, ret_error)
                             : wrong(ret_error, _("Write a number that is not below zero."));
    return number_variant(f, value);
}

/* Both with the decimal point of the language and with a dot. */
static GVariant *read_decimal(const Field *f, const char *text, char **ret_error) {
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (*end)
        value = strtod(text, &end);
    if (end == text || *end || !(value >= f->min && value <= f->max)) {
        *ret_error = g_strdup_printf(_("Write a number from %g to %g."), f->min, f->max);
        return NULL;
    }
    return g_variant_new_double(value);
}

static GVariant *read_octal(const char *text, char **ret_error) {
    guint64 value;
    char *end;

    value = g_ascii_strtoull(text, &end, 8);
    if (!g_ascii_isdigit(*text) || *end || value > 0777)
        return wrong(ret_error, _("Write an octal number up to 777, such as 022 or 077."));
    return g_variant_new_uint32((guint32)value);
}

static GVariant *read_size(const char *text, char **ret_error) {
    guint64 bytes;

    if (parse_size(text, &bytes) < 0)
        return wrong(ret_error, _("Write a size, such as 512M or 1.5G."));
    return g_variant_new_uint64(bytes);
}

/* ---- times ---- */

static GVariant *span_bounds(const Field *f, char **ret_error) {
    char low[FORMAT_MAX], high[FORMAT_MAX];

    format_span(low, (guint64)(f->min * G_USEC_PER_SEC));
    format_span(high, (guint64)(f->max * G_USEC_PER_SEC));
    /* Translators: time spans, such as 100ms and 1d 0h. */
    *ret_error = f->min > 0 ? g_strdup_printf(_("It can be from %s to %s."), low, high)
                            : g_strdup_printf(_("It can be at most %s."), high);
    return NULL;
}

static GVariant *read_span(const Field *f, const char *text, char **ret_error) {
    guint64 usec;

    if (parse_span(text, &usec) < 0)
        return wrong(ret_error, _("Write a time span, such as 30s, 5min or 1h 30min."));
    if (usec == USEC_INFINITY && f->min == 0 && f->type == FIELD_SPAN)
        usec = 0;
    if (has_bounds(f) &&
        ((double)usec < f->min * G_USEC_PER_SEC || (double)usec > f->max * G_USEC_PER_SEC))
        return span_bounds(f, ret_error);
    return g_variant_new_uint64(f->type == FIELD_MSEC ? usec / USEC_PER_MSEC : usec);
}

static GVariant *read_time(const char *text, gint64 now_usec, char **ret_error) {
    guint64 usec;

    if (!start_time_parse(text, now_usec, &usec))
        return wrong(ret_error,
                     _("Write a time, such as 18:00, tomorrow 9:00, 2026-12-24 18:00 or +2h."));
    if (usec + PAST_USEC < (guint64)now_usec)
        return wrong(ret_error, _("This time is past."));
    return g_variant_new_uint64(usec);
}

/* ---- words ---- */

static GVariant *read_switch(const char *text) {
    bool on = false;

    parse_bool(text, &on);
    return g_variant_new_boolean(on);
}

static GVariant *read_choice(const Field *f, const char *text, char **ret_error) {
    for (const char *const *word = f->words; *word; word++)
        if (g_str_equal(*word, text))
            return g_variant_new_string(text);
    return wrong(ret_error, _("Choose one of the list."));
}

static GVariant *read_json(const char *text, char **ret_error) {
    return params_json_check(text, ret_error) ? g_variant_new_string(text) : NULL;
}

static GVariant *read_message(const char *text) {
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, text, strlen(text), 1);
}

static GVariant *read_path(const char *text, char **ret_error) {
    g_autofree char *path = field_list_path(text, ret_error);

    return path ? g_variant_new_string(path) : NULL;
}

static GVariant *read_command(const char *text, char **ret_error) {
    g_auto(GStrv) argv = command_line_split(text, NULL, ret_error);

    return argv ? g_variant_new_strv((const char *const *)argv, -1) : NULL;
}

/* ---- any of them ---- */

static GVariant *read_scalar(const Field *f, const char *text, gint64 now_usec, char **ret_error) {
    switch (f->type) {
    case FIELD_NUMBER:
        return read_whole(f, text, ret_error);
    case FIELD_DECIMAL:
        return read_decimal(f, text, ret_error);
    case FIELD_OCTAL:
        return read_octal(text, ret_error);
    case FIELD_SPAN:
    case FIELD_MSEC:
        return read_span(f, text, ret_error);
    case FIELD_SIZE:
        return read_size(text, ret_error);
    case FIELD_TIME:
        return read_time(text, now_usec, ret_error);
    case FIELD_SWITCH:
        return read_switch(text);
    case FIELD_CHOICE:
        return read_choice(f, text, ret_error);
    default:
        return g_variant_new_string(text);
    }
}

static GVariant *read_any(const Field *f, const char *text, const char *stripped, gint64 now_usec,
                          char **ret_error) {
    switch (f->type) {
    case FIELD_MESSAGE:
        return read_message(text);
    case FIELD_JSON:
        return read_json(stripped, ret_error);
    case FIELD_COMMAND:
        return read_command(stripped, ret_error);
    case FIELD_FILE:
    case FIELD_FOLDER:
        return read_path(stripped, ret_error);
    case FIELD_LINES:
        return field_list_lines(text);
    case FIELD_FILES:
        return field_list_paths(text, ret_error);
    case FIELD_ENV:
        return field_list_env(text, ret_error);
    case FIELD_HEADERS:
        return field_list_headers(text, ret_error);
    case FIELD_ID:
        return field_list_id(stripped, ret_error);
    case FIELD_IDS:
        return field_list_ids(stripped, ret_error);
    case FIELD_CODES:
        return field_list_codes(stripped, ret_error);
    case FIELD_TOKENS:
        return field_list_tokens(stripped, ret_error);
    default:
        return read_scalar(f, stripped, now_usec, ret_error);
    }
}

GVariant *field_read(const Field *f, const char *text, gint64 now_usec, char **ret_error) {
    g_autofree char *stripped = NULL;

    *ret_error = NULL;
    if (strlen(text) > FIELD_TEXT_MAX)
        return wrong(ret_error, _("This is more than 1 MiB: put it into a file."));
    stripped = g_strstrip(g_strdup(text));
    if (!*stripped && f->type != FIELD_MESSAGE)
        return NULL;
    if (!*text)
        return NULL;
    return read_any(f, text, stripped, now_usec, ret_error);
}
