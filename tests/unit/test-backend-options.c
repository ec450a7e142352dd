/* That the client knows each setting of a backend that the daemon has, and as what it is read. */

#include "client-cli/backend-option-table.h"
#include "daemon/core/backend-settings.h"
#include "tests/unit/unit.h"

static const BackendOption *find_option(const char *name) {
    for (const BackendOption *o = backend_options(); o->name; o++)
        if (streq(o->name, name))
            return o;
    return NULL;
}

static unsigned flags_of(const BackendOption *o) {
    return o->form == BACKEND_OPTION_SPAN   ? BACKEND_SETTING_SPAN
           : o->form == BACKEND_OPTION_SIZE ? BACKEND_SETTING_SIZE
                                            : 0;
}

/* The form that stands for a type of D-Bus, apart from those with flags. */
static const char *type_of(const BackendOption *o) {
    static const char *const types[] = {
        [BACKEND_OPTION_TEXT] = "s",  [BACKEND_OPTION_TEXTS] = "as", [BACKEND_OPTION_FILE] = "s",
        [BACKEND_OPTION_PLACE] = "s", [BACKEND_OPTION_SPAN] = "t",   [BACKEND_OPTION_SIZE] = "t",
        [BACKEND_OPTION_COUNT] = "u", [BACKEND_OPTION_SWITCH] = "b",
    };

    return types[o->form];
}

START_TEST(test_each_setting) {
    size_t n = 0;

    for (const BackendSetting *s = backend_settings(); s->name; s++) {
        const BackendOption *o = find_option(s->name);
        if (streq(s->name, "url")) /* an argument, not an option */
            continue;
        ck_assert_msg(o, "%s", s->name);
        ck_assert_str_eq(o->type, s->type);
        ck_assert_str_eq(type_of(o), s->type);
        ck_assert_uint_eq(flags_of(o), s->flags);
        n++;
    }
    ck_assert_uint_gt(n, 0);
}
END_TEST

START_TEST(test_no_other) {
    for (const BackendOption *o = backend_options(); o->name; o++) {
        ck_assert_msg(backend_setting_by_name(o->name), "%s", o->name);
        ck_assert_ptr_eq(find_option(o->name), o);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("backend-options");
    TCase *t = tcase_create("table");

    tcase_add_test(t, test_each_setting);
    tcase_add_test(t, test_no_other);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
