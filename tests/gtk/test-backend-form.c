/* Settings of a backend as people write and see them, and the field that an error is about. The
 * fields are those of the daemon's own table. */

#include "client-gtk/backends/backend-form.h"
#include "daemon/core/backend-rules.h"
#include "tests/unit/unit.h"

/* ---- fields ---- */

static gboolean has_setting(const char *name) {
    for (const BackendSetting *s = backend_settings(); s->name; s++)
        if (g_str_equal(s->name, name))
            return TRUE;
    return FALSE;
}

START_TEST(has_all_settings_and_no_others) {
    for (const BackendSetting *s = backend_settings(); s->name; s++)
        ck_assert_msg(backend_field(s->name) != NULL, "no field for %s", s->name);
    for (const BackendField *f = backend_fields() + 1; f->name; f++)
        ck_assert_msg(has_setting(f->name), "no setting %s", f->name);
    ck_assert_str_eq(backend_fields()->name, "name");
    ck_assert_ptr_null(backend_field("nonsense"));
}
END_TEST

static const struct {
    const char *field, *text, *value; /* NULL: an error; "": nothing to say */
} texts[] = {
    {"url", " http://a ", "'http://a'"},
    {"url", "", ""},
    {"url", "  ", ""},
    {"status-interval", "10s", "uint64 10000000"},
    {"status-interval", "500ms", "uint64 500000"},
    {"status-interval", "soon", NULL},
    {"status-interval", "-5s", NULL},
    {"response-max", "8M", "uint64 8388608"},
    {"response-max", "much", NULL},
    {"failure-threshold", "3", "uint32 3"},
    {"failure-threshold", "three", NULL},
    {"failure-threshold", "99999999999", NULL},
    {"expect", "/a == 1\n\n  /b == \"x\" \n", "['/a == 1', '/b == \"x\"']"},
    {"expect", " \n \n", ""},
    {"type", "json", ""},
    {"type", "messenger", "'messenger'"},
    {"auth", "", ""},
    {"auth", "basic", "'basic'"},
    {"polling", "yes", ""},
    {"polling", "no", "false"},
    {"ca-file", "/a b", "'/a b'"},
};

START_TEST(reads_fields) {
    const BackendField *field = backend_field(texts[_i].field);
    g_autofree char *error = NULL, *printed = NULL;
    g_autoptr(GVariant) value = NULL;
    GVariant *read;
    gboolean good = backend_field_read(field, texts[_i].text, &read, &error);

    value = read ? g_variant_ref_sink(read) : NULL;
    ck_assert_int_eq(good, texts[_i].value != NULL);
    ck_assert_int_eq(good, error == NULL);
    if (!good)
        return;
    printed = value ? g_variant_print(value, TRUE) : g_strdup("");
    ck_assert_str_eq(printed, texts[_i].value);
}
END_TEST

static const struct {
    const char *field, *value, *text; /* NULL: nothing to be shown */
} values[] = {
    {"url", "'http://a'", "http://a"},
    {"poll-path", "''", NULL},
    {"type", "'messenger'", "Messenger"},
    {"type", "'newer'", "newer"},
    {"auth", "''", NULL},
    {"timeout", "uint64 5000000", "5.0s"},
    {"expect-time", "uint64 0", NULL},
    {"response-max", "uint64 8388608", "8.0M"},
    {"failure-threshold", "uint32 2", "2"},
    {"polling", "false", "No"},
    {"expect", "['a', 'b']", "a\nb"},
    {"expect", "@as []", NULL},
    {"url", "5.0", NULL},
};

START_TEST(shows_values) {
    g_autoptr(GVariant) value = g_variant_parse(NULL, values[_i].value, NULL, NULL, NULL);
    g_autofree char *text = backend_field_show(backend_field(values[_i].field), value);

    ck_assert_ptr_nonnull(value);
    ck_assert_pstr_eq(text, values[_i].text);
}
END_TEST

/* ---- errors: in the daemon's own words ---- */

static const struct {
    const char *setting, *text, *field;
} wrong[] = {
    {"url", "", "url"},
    {"url", "ftp://timeout", "url"},
    {"url", "http://", "url"},
    {"url", "http://u:p@host", "url"},
    {"type", "url", "type"},
    {"status-path", "x", "status-path"},
    {"poll-path", "a url", "poll-path"},
    {"expect-status", "all of it", "expect-status"},
    {"expect", "nonsense", "expect"},
    {"expect", "/url", "expect"},
    {"ca-file", "url", "ca-file"},
    {"client-key", "/key", "client-key"},
    {"auth", "url", "auth"},
    {"auth", "basic", "auth"},
    {"credential", "/url", "credential"},
};

START_TEST(finds_the_field_of_an_error) {
    BackendSettings *settings = backend_settings_new();
    _cleanup_error_ Error error = {};

    ck_assert_int_ge(backend_setting_parse(settings, backend_setting_by_name("url"),
                                           "https://example.org", &error),
                     0);
    ck_assert_int_ge(backend_setting_parse(settings, backend_setting_by_name(wrong[_i].setting),
                                           wrong[_i].text, &error),
                     0);
    ck_assert_int_lt(backend_settings_check(settings, &error), 0);
    ck_assert_msg(g_str_equal(backend_field_of_error(error.message)->name, wrong[_i].field),
                  "\"%s\" is about %s", error.message, backend_field_of_error(error.message)->name);
    backend_settings_free(settings);
}
END_TEST

static const struct {
    const char *text, *field;
} words[] = {
    {"the name of a backend has letters, digits, '-', '_' and '.' alone", "name"},
    {"\"5\" cannot be the name of a backend: there must be a letter in it", "name"},
    {"There is a backend url already, from AddBackend: remove that one first, or take another name",
     "name"},
    {"timeout is out of bounds: it can be from 100ms to 1h", "timeout"},
    {"connect-timeout is out of bounds: it can be from 100ms to 1h", "connect-timeout"},
    {"there are more than 64 expectations", "expect"},
    {"There is no setting \"colour\" of a backend. Known are: url, type", "url"},
    {"something else", "name"},
};

START_TEST(finds_the_field_of_words) {
    ck_assert_str_eq(backend_field_of_error(words[_i].text)->name, words[_i].field);
}
END_TEST

int main(void) {
    Suite *s = suite_create("backend-form");
    TCase *t = tcase_create("form");

    tcase_add_test(t, has_all_settings_and_no_others);
    tcase_add_loop_test(t, reads_fields, 0, G_N_ELEMENTS(texts));
    tcase_add_loop_test(t, shows_values, 0, G_N_ELEMENTS(values));
    tcase_add_loop_test(t, finds_the_field_of_an_error, 0, G_N_ELEMENTS(wrong));
    tcase_add_loop_test(t, finds_the_field_of_words, 0, G_N_ELEMENTS(words));
    suite_add_tcase(s, t);
    return unit_run(s);
}
