/* Fields of a new task: what people may write, what comes of it, and what they are told. */

#include <glib.h>
#include <string.h>

#include "client-gtk/start/field.h"
#include "client-gtk/start/kind-form.h"
#include "client-gtk/start/option-form.h"
#include "client-gtk/start/start-time.h"
#include "tests/unit/unit.h"

#define NOW (G_GINT64_CONSTANT(1795280400) * G_USEC_PER_SEC) /* Sat 2026-11-21 17:00:00 UTC */

/* ---- values ---- */

static const struct {
    Field field;
    const char *text;
    const char *value; /* as GVariant's text; NULL: nothing */
    const char *error; /* a part of it */
} values[] = {
    {{.type = FIELD_TEXT}, " a b ", "'a b'"},
    {{.type = FIELD_TEXT}, "   ", NULL},
    {{.type = FIELD_TEXT}, "", NULL},
    {{.type = FIELD_MESSAGE}, " \n", "b' \\n'"},
    {{.type = FIELD_NUMBER, .signature = 't'}, "18446744073709551615", NULL, "whole number"},
    {{.type = FIELD_NUMBER, .signature = 't'}, "42", "uint64 42"},
    {{.type = FIELD_NUMBER, .signature = 't'}, "-1", NULL, "not below zero"},
    {{.type = FIELD_NUMBER, .signature = 't'}, "4x", NULL, "whole number"},
    {{.type = FIELD_NUMBER, .signature = 'i', .min = -20, .max = 19}, "-20", "-20"},
    {{.type = FIELD_NUMBER, .signature = 'i', .min = -20, .max = 19}, "20", NULL, "-20 to 19"},
    {{.type = FIELD_NUMBER, .signature = 'u', .min = 1, .max = 10}, "1.5", NULL, "1 to 10"},
    {{.type = FIELD_DECIMAL, .max = 9}, "2.5", "2.5"},
    {{.type = FIELD_DECIMAL, .max = 9}, "nan", NULL, "0 to 9"},
    {{.type = FIELD_DECIMAL, .max = 9}, "9.1", NULL, "0 to 9"},
    {{.type = FIELD_OCTAL}, "022", "uint32 18"},
    {{.type = FIELD_OCTAL}, "8", NULL, "octal"},
    {{.type = FIELD_OCTAL}, "-7", NULL, "octal"},
    {{.type = FIELD_OCTAL}, "1000", NULL, "octal"},
    {{.type = FIELD_SPAN}, "1h 30min", "uint64 5400000000"},
    {{.type = FIELD_SPAN}, "1.5", "uint64 1500000"},
    {{.type = FIELD_SPAN, .max = 60}, "infinity", "uint64 0"},
    {{.type = FIELD_SPAN, .min = 0.1, .max = 60}, "infinity", NULL, "from 100ms to 1min"},
    {{.type = FIELD_SPAN, .min = 0.1, .max = 60}, "99ms", NULL, "from 100ms to 1min"},
    {{.type = FIELD_SPAN}, "soon", NULL, "time span"},
    {{.type = FIELD_MSEC, .max = 86400}, "2s", "uint64 2000"},
    {{.type = FIELD_MSEC, .max = 86400}, "infinity", NULL, "at most 1d"},
    {{.type = FIELD_SIZE}, "1.5G", "uint64 1610612736"},
    {{.type = FIELD_SIZE}, "much", NULL, "size"},
    {{.type = FIELD_TIME}, "+2h", "uint64 1795287600000000"},
    {{.type = FIELD_TIME}, "2020-01-01", NULL, "past"},
    {{.type = FIELD_TIME}, "later", NULL, "Write a time"},
    {{.type = FIELD_SWITCH}, "yes", "true"},
    {{.type = FIELD_SWITCH}, "no", "false"},
    {{.type = FIELD_LINES}, "a\n\n b \r\nc", "['a', ' b ', 'c']"},
    {{.type = FIELD_LINES}, "\n \n", NULL},
    {{.type = FIELD_ID}, "#12", "uint64 12"},
    {{.type = FIELD_ID}, "0", NULL, "number of one task"},
    {{.type = FIELD_ID}, "1, 2", NULL, "number of one task"},
    {{.type = FIELD_IDS}, "1, #2 3,", "[uint64 1, 2, 3]"},
    {{.type = FIELD_IDS}, ",", NULL},
    {{.type = FIELD_IDS}, "1, two", NULL, "“two”"},
    {{.type = FIELD_CODES}, "1 255", "[1, 255]"},
    {{.type = FIELD_CODES}, "0", NULL, "“0”"},
    {{.type = FIELD_CODES}, "256", NULL, "1 to 255"},
    {{.type = FIELD_TOKENS}, "gpu, net=2", "{'gpu': uint32 1, 'net': 2}"},
    {{.type = FIELD_TOKENS}, "gpu gpu", NULL, "twice"},
    {{.type = FIELD_TOKENS}, "gpu=0", NULL, "“gpu=0”"},
    {{.type = FIELD_TOKENS}, "=1", NULL, "“=1”"},
    {{.type = FIELD_ENV}, "A=1\n B=x y=z\n", "['A=1', 'B=x y=z']"},
    {{.type = FIELD_ENV}, "A=1\nB", NULL, "“B”"},
    {{.type = FIELD_ENV}, "=1", NULL, "NAME=VALUE"},
    {{.type = FIELD_ENV}, "A B=1", NULL, "NAME=VALUE"},
    {{.type = FIELD_HEADERS}, "Accept: */*\nX-A:b:c", "{'Accept': '*/*', 'X-A': 'b:c'}"},
    {{.type = FIELD_HEADERS}, ": x", NULL, "Name: value"},
    {{.type = FIELD_JSON}, " {\"a\": [1]} ", "'{\"a\": [1]}'"},
    {{.type = FIELD_JSON}, "{\"a\": \n[1}", NULL, "line 2"},
    {{.type = FIELD_JSON}, "{\"a\"", NULL, "too early"},
    {{.type = FIELD_JSON}, "1 2", NULL, "near “2”"},
    {{.type = FIELD_JSON}, "1 xäöüäöüäöüäöü", NULL, "near “xäöüäöüäöü”"},
    {{.type = FIELD_COMMAND}, "a 'b c'", "['a', 'b c']"},
    {{.type = FIELD_COMMAND}, "a 'b", NULL, "quotation mark"},
    {{.type = FIELD_COMMAND}, "''", NULL, "program is empty"},
    {{.type = FIELD_FOLDER}, "/x y", "'/x y'"},
    {{.type = FIELD_FOLDER}, "~/x", "'/somebody/x'"},
    {{.type = FIELD_FOLDER}, "~", "'/somebody'"},
    {{.type = FIELD_FILE}, "x", NULL, "“x”"},
    {{.type = FIELD_FILES}, "/a\n~/b", "['/a', '/somebody/b']"},
    {{.type = FIELD_FILES}, "/a\nb", NULL, "“b”"},
};

START_TEST(test_values) {
    g_autofree char *error = NULL, *text = NULL;
    GVariant *value;

    g_setenv("HOME", "/somebody", TRUE);
    value = field_read(&values[_i].field, values[_i].text, NOW, &error);
    if (values[_i].error) {
        ck_assert_ptr_null(value);
        ck_assert_ptr_nonnull(error);
        ck_assert_msg(strstr(error, values[_i].error), "\"%s\"", error);
        return;
    }
    ck_assert_msg(!error, "%s", error);
    ck_assert_int_eq(value != NULL, values[_i].value != NULL);
    if (!value)
        return;
    text = g_variant_print(value, TRUE);
    if (values[_i].field.type == FIELD_MESSAGE)
        ck_assert_uint_eq(g_variant_n_children(value), 2);
    else
        ck_assert_str_eq(text, values[_i].value);
    g_variant_unref(g_variant_ref_sink(value));
}
END_TEST

START_TEST(test_choice) {
    static const char *const words[] = {"a", "b", NULL};
    static const Field f = {.type = FIELD_CHOICE, .words = words};
    g_autofree char *error = NULL;
    g_autoptr(GVariant) value = g_variant_ref_sink(field_read(&f, "b", NOW, &error));

    ck_assert_str_eq(g_variant_get_string(value, NULL), "b");
    ck_assert_ptr_null(field_read(&f, "c", NOW, &error));
    ck_assert_ptr_nonnull(error);
}
END_TEST

/* Of any type: what is larger than any of them may be is not even looked at. */
START_TEST(test_cap) {
    static const Field lines = {.type = FIELD_LINES}, json = {.type = FIELD_JSON};
    g_autofree char *error = NULL, *text = g_strnfill(FIELD_TEXT_MAX + 1, 'x');

    ck_assert_ptr_null(field_read(&lines, text, NOW, &error));
    ck_assert_ptr_nonnull(strstr(error, "1 MiB"));
    g_clear_pointer(&error, g_free);
    ck_assert_ptr_null(field_read(&json, text, NOW, &error));
    ck_assert_ptr_nonnull(strstr(error, "1 MiB"));
}
END_TEST

START_TEST(test_caps_of_lists) {
    static const Field codes = {.type = FIELD_CODES}, tokens = {.type = FIELD_TOKENS};
    g_autofree char *error = NULL;
    GString *many = g_string_new(NULL), *names = g_string_new(NULL);

    for (int i = 0; i < 257; i++)
        g_string_append(many, "1 ");
    for (int i = 0; i < 65; i++)
        g_string_append_printf(names, "r%d ", i);
    ck_assert_ptr_null(field_read(&codes, many->str, NOW, &error));
    ck_assert_ptr_nonnull(error);
    g_clear_pointer(&error, g_free);
    ck_assert_ptr_null(field_read(&tokens, names->str, NOW, &error));
    ck_assert_ptr_nonnull(strstr(error, "64"));
    g_string_free(many, TRUE);
    g_string_free(names, TRUE);
}
END_TEST

/* ---- times ---- */

static const struct {
    const char *text;
    guint64 usec; /* since NOW, in UTC; G_MAXUINT64: none */
} times[] = {
    {"+0", 0},
    {"+90min", 5400},
    {"18:00", 3600},
    {"17:00", 86400},
    {"17:00:01", 1},
    {"9:30", 59400},
    {"today 18:00", 3600},
    {"tomorrow", 25200},
    {"Tomorrow 09:00", 57600},
    {"2026-11-22", 25200},
    {"2026-11-22T00:00:05", 25205},
    {"  2026-11-22   0:00 ", 25200},
    {"2026-11-21 18:00", 3600},
    {"", G_MAXUINT64},
    {"+", G_MAXUINT64},
    {"+infinity", G_MAXUINT64},
    {"24:00", G_MAXUINT64},
    {"12:60", G_MAXUINT64},
    {"12:0:60", G_MAXUINT64},
    {"12", G_MAXUINT64},
    {"12:00 13:00", G_MAXUINT64},
    {"18:00 tomorrow", G_MAXUINT64},
    {"2026-02-29", G_MAXUINT64},
    {"2026-13-01", G_MAXUINT64},
    {"2026-11-22 x", G_MAXUINT64},
    {"99999-01-01", G_MAXUINT64},
};

START_TEST(test_times) {
    guint64 usec = 0;
    bool good = start_time_parse(times[_i].text, NOW, &usec);

    ck_assert_msg(good == (times[_i].usec != G_MAXUINT64), "%s", times[_i].text);
    if (good)
        ck_assert_uint_eq(usec, NOW + times[_i].usec * G_USEC_PER_SEC);
}
END_TEST

/* The day on which the clock is set back has 25 hours. */
START_TEST(test_time_zone) {
    g_autoptr(GDateTime) eve = NULL;
    guint64 usec = 0;

    g_setenv("TZ", "Europe/Berlin", TRUE);
    eve = g_date_time_new_local(2026, 10, 24, 12, 0, 0);
    ck_assert(start_time_parse("11:00", g_date_time_to_unix(eve) * G_USEC_PER_SEC, &usec));
    ck_assert_uint_eq(usec / G_USEC_PER_SEC, (guint64)g_date_time_to_unix(eve) + 24 * 3600);
}
END_TEST

/* ---- which fields count ---- */

static const struct {
    const char *field, *kind, *name, *value;
    bool applies;
} counting[] = {
    {"label", "command", "", "", true},
    {"label", "noop", "", "", true},
    {"isolate", "command", "", "", false},
    {"isolate", "noop", "", "", true},
    {"env", "noop", "", "", false},
    {"env", "noop", "isolate", "yes", true},
    {"env", "noop", "isolate", "no", false},
    {"env", "download", "", "", true},
    {"stdin", "command", "", "", false},
    {"stdin", "command", "input", "text", true},
    {"stdin", "noop", "input", "text", false},
    {"calendar", "command", "schedule", "every", false},
    {"calendar", "command", "schedule", "calendar", true},
    {"retry-delay", "command", "retries", "", false},
    {"retry-delay", "command", "retries", "0", false},
    {"retry-delay", "command", "retries", "2", true},
    {"pty-size", "command", "pty", "no", false},
    {"pty-size", "command", "pty", "yes", true},
};

START_TEST(test_counting) {
    g_autoptr(GHashTable) form = form_values_new();
    const Field *f = option_form_find(counting[_i].field);

    ck_assert_ptr_nonnull(f);
    form_values_set(form, counting[_i].name, counting[_i].value);
    ck_assert_int_eq(field_applies(f, counting[_i].kind, form), counting[_i].applies);
}
END_TEST

/* ---- the tables ---- */

static void check_field(const Field *f) {
    ck_assert_ptr_nonnull(f->title);
    if (f->type == FIELD_CHOICE)
        ck_assert_str_eq(f->words[0], f->initial ? f->initial : "");
    for (int i = 0; f->word_titles && f->words[i]; i++)
        ck_assert_ptr_nonnull(f->word_titles[i]);
    if (f->type == FIELD_NUMBER)
        ck_assert_ptr_nonnull(strchr("uit", f->signature));
    if (f->initial && f->type != FIELD_CHOICE && f->type != FIELD_GROUP) {
        g_autofree char *error = NULL;
        GVariant *value = field_read(f, f->initial, NOW, &error);
        ck_assert_ptr_nonnull(value);
        g_variant_unref(g_variant_ref_sink(value));
    }
}

START_TEST(test_tables) {
    static const char *const kinds[] = {"command",        "checksum",  "download",
                                        "http-operation", "map",       "compute-e",
                                        "noop",           "countdown", "another"};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const KindForm *form = kind_form_find(kinds[i]);
        ck_assert_int_eq(form->kind == NULL, g_str_equal(kinds[i], "another"));
        for (gsize k = 0; k < form->n_fields; k++)
            check_field(&form->fields[k]);
    }
    for (gsize i = 0; i < n_option_sections; i++)
        for (gsize k = 0; k < option_sections[i].n_fields; k++) {
            const Field *f = &option_sections[i].fields[k];
            check_field(f);
            ck_assert_ptr_eq(option_form_find(f->name), f);
            ck_assert(!f->needs || option_form_find(f->needs));
        }
    ck_assert_str_eq(kind_form_title("another"), "another");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("start-fields");
    TCase *t = tcase_create("fields");

    g_setenv("TZ", "UTC", TRUE);
    tcase_add_loop_test(t, test_values, 0, G_N_ELEMENTS(values));
    tcase_add_test(t, test_choice);
    tcase_add_test(t, test_cap);
    tcase_add_test(t, test_caps_of_lists);
    tcase_add_loop_test(t, test_times, 0, G_N_ELEMENTS(times));
    tcase_add_test(t, test_time_zone);
    tcase_add_loop_test(t, test_counting, 0, G_N_ELEMENTS(counting));
    tcase_add_test(t, test_tables);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
