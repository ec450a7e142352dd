/* Requests in one piece of memory, their copies, and what they take over from a group. Driven by
 * the table of options: a new one is tested as soon as it is there. */

#include <errno.h>
#include <malloc.h>

#include "common/strv.h"
#include "daemon/core/task-options.h"
#include "daemon/store/request-json.h"
#include "tests/unit/unit-task.h"

static EnvTable *envs;

static void setup(void) {
    envs = env_table_new();
    MUST(envs);
}

static void teardown(void) {
    ck_assert_uint_eq(env_table_size(envs), 0);
    envs = env_table_free(envs);
}

/* ---- values of each option ---- */

static char **strings(const char *a, const char *b) {
    char *v[] = {(char *)a, (char *)b, NULL};
    char **copy = strv_copy(v);

    MUST(copy);
    return copy;
}

/* n: makes it another value for each. */
static void fill(TaskSpec *s, const TaskOption *o, unsigned n) {
    const uint64_t ids[] = {n, n + 1, UINT64_MAX};
    const int32_t codes[] = {-(int32_t)n, (int32_t)n};
    const TokenClaim claims[] = {{"net", n}, {"a-very-long-name-of-a-resource", n + 1}};
    void *field = task_option_field(o, s);
    char text[32];

    snprintf(text, sizeof(text), "%s-%u", o->name, n);
    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        unit_set(field, text);
        break;
    case TASK_OPTION_STRINGS:
        strv_free(*(char ***)field);
        *(char ***)field = strings(text, "");
        break;
    case TASK_OPTION_ENV:
        env_block_unref(s->env);
        s->env = env_table_intern(envs, (char *[]){text, NULL});
        break;
    case TASK_OPTION_BOOL:
        *(bool *)field = n % 2;
        break;
    case TASK_OPTION_U32:
    case TASK_OPTION_I32:
        *(uint32_t *)field = n;
        break;
    case TASK_OPTION_U64:
        *(uint64_t *)field = (UINT64_C(1) << 40) + n;
        break;
    case TASK_OPTION_IDS:
        free(*(IdList **)field);
        MUST(id_list_new(field, ids, ELEMENTSOF(ids)) == 0);
        break;
    case TASK_OPTION_CODES:
        free(*(CodeList **)field);
        MUST(code_list_new(field, codes, ELEMENTSOF(codes)) == 0);
        break;
    case TASK_OPTION_TOKENS:
        free(*(TokenList **)field);
        MUST(token_list_new(field, claims, ELEMENTSOF(claims)) == 0);
        break;
    case TASK_OPTION_BYTES:
        free(*(Bytes **)field);
        MUST(bytes_new(field, &n, sizeof(n)) == 0);
        break;
    }
    s->given |= task_option_bit(o);
}

/* Each option of another value; only: those with one of these flags, 0 for all. */
static TaskSpec *make(const char *kind, unsigned n, unsigned only) {
    TaskSpec *s = task_spec_new(kind, &(TaskDefaults){.cwd = "/", .log_max = 7});

    MUST(s);
    for (const TaskOption *o = task_options(); o->name; o++)
        if (only == 0 || (o->flags & only))
            fill(s, o, n + 2 * (unsigned)(o - task_options()));
    return s;
}

static bool is_equal(const TaskOption *o, const TaskSpec *a, const TaskSpec *b) {
    const void *x = task_option_value(o, a), *y = task_option_value(o, b);
    _cleanup_(task_spec_freep) TaskSpec *alone_a = task_spec_new("", &(TaskDefaults){.cwd = ""});
    _cleanup_(task_spec_freep) TaskSpec *alone_b = task_spec_new("", &(TaskDefaults){.cwd = ""});

    if (task_option_type(o) == TASK_OPTION_ENV)
        return *(EnvBlock *const *)x == *(EnvBlock *const *)y;
    /* As text all types can be compared. */
    MUST(task_option_copy(o, alone_a, a) == 0 && task_option_copy(o, alone_b, b) == 0);
    alone_a->given = alone_b->given = task_option_bit(o);
    _cleanup_free_ char *s = request_defaults_to_json(alone_a);
    _cleanup_free_ char *t = request_defaults_to_json(alone_b);
    return streq(s, t);
}

static void assert_equal(const TaskSpec *a, const TaskSpec *b) {
    ck_assert_str_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->given, b->given);
    for (const TaskOption *o = task_options(); o->name; o++)
        ck_assert_msg(is_equal(o, a, b), "%s", o->name);
}

/* ---- packing ---- */

static const char *const kinds[] = {"command", "noop"};

START_TEST(test_pack) {
    _cleanup_(task_spec_freep) TaskSpec *s = make(kinds[_i], 5, 0), *same = make(kinds[_i], 5, 0);
    size_t size = task_spec_size(s);

    ck_assert_int_eq(task_spec_pack(&s), 0);
    ck_assert_uint_eq(s->packed, size);
    ck_assert_uint_le(size, malloc_usable_size(s));
    ck_assert_uint_eq(task_spec_size(s), size);
    assert_equal(s, same);
    ck_assert_ptr_null(s->argv[2]);
    TaskSpec *before = s;
    ck_assert_int_eq(task_spec_pack(&s), 0); /* it is */
    ck_assert_ptr_eq(s, before);
}
END_TEST

static bool is_within(const TaskSpec *s, const void *p) {
    return (const char *)p >= (const char *)s && (const char *)p < (const char *)s + s->packed;
}

/* What most have in common takes no place. */
START_TEST(test_pack_constants) {
    _cleanup_(task_spec_freep) TaskSpec *s = task_spec_new("command", &(TaskDefaults){.cwd = "/"});
    _cleanup_error_ Error e = {};

    s->argv = strings("sleep", "1");
    ck_assert_int_eq(task_spec_check(s, &e), 0);
    ck_assert_int_eq(task_spec_pack(&s), 0);
    const void *outside[] = {s->kind,     s->group,       s->unique,  s->params,
                             s->calendar, s->when_online, s->pty_size};
    for (size_t i = 0; i < ELEMENTSOF(outside); i++)
        ck_assert(!is_within(s, outside[i]));
    ck_assert_str_eq(s->kind, "command");
    ck_assert_str_eq(s->group, "default");
    ck_assert(is_within(s, s->label) && is_within(s, s->argv[1]) && is_within(s, s->cwd));
    ck_assert_uint_eq(s->packed, sizeof(TaskSpec) + 3 * sizeof(char *) + sizeof("sleep") +
                                     sizeof("1") + sizeof("sleep 1") + sizeof("/"));
}
END_TEST

/* What malloc(3) takes for so many bytes. */
static size_t chunk(size_t size) {
    return (size + sizeof(size_t) + 15) / 16 * 16;
}

/* 100,000 that wait are to fit in 80 MB, with all the rest of the daemon. */
START_TEST(test_a_waiting_task_is_small) {
    _cleanup_(task_spec_freep) TaskSpec *s =
        task_spec_new(kinds[_i], &(TaskDefaults){.cwd = "/root"});
    _cleanup_error_ Error e = {};

    if (streq(kinds[_i], TASK_KIND_COMMAND))
        s->argv = strings("sleep", "1000");
    MUST(task_spec_check(s, &e) == 0 && task_spec_pack(&s) == 0);
    ck_assert_uint_le(chunk(sizeof(Task)) + chunk(s->packed), 672);
}
END_TEST

START_TEST(test_label) {
    for (int packed = 0; packed < 2; packed++) {
        _cleanup_(task_spec_freep) TaskSpec *s = make("noop", 5, 0);
        MUST(!packed || task_spec_pack(&s) == 0);
        task_spec_set_label(s, strdup("first"));
        task_spec_set_label(s, strdup("second")); /* the leak check does the rest */
        ck_assert_str_eq(s->label, "second");
    }
}
END_TEST

/* ---- copies ---- */

START_TEST(test_copy) {
    _cleanup_(task_spec_freep) TaskSpec *s = make("noop", 5, 0);

    MUST(!_i || task_spec_pack(&s) == 0);
    _cleanup_(task_spec_freep) TaskSpec *copy = task_spec_copy(s, 0);
    assert_equal(copy, s);
    ck_assert_uint_eq(copy->packed, 0);
    unit_set(&copy->unique, ""); /* it is the caller's to change */
    ck_assert_str_ne(s->unique, "");
}
END_TEST

/* As for a retry: what spoke of the first start alone is as if it had not been said. */
START_TEST(test_copy_without) {
    _cleanup_(task_spec_freep) TaskSpec *s = make("noop", 5, 0);
    _cleanup_(task_spec_freep) TaskSpec *plain = request_new("noop");
    unsigned without = TASK_OPTION_FIRST | TASK_OPTION_CALL;

    MUST(task_spec_pack(&s) == 0);
    _cleanup_(task_spec_freep) TaskSpec *copy = task_spec_copy(s, without);
    for (const TaskOption *o = task_options(); o->name; o++) {
        bool left_out = o->flags & without;
        ck_assert_msg(is_equal(o, copy, left_out ? plain : s), "%s", o->name);
        ck_assert_int_eq((copy->given & task_option_bit(o)) != 0, !left_out);
    }
    ck_assert(!task_spec_is_series(copy));
}
END_TEST

/* ---- defaults of a group ---- */

static const struct {
    const char *kind;
    bool isolate, has_process;
} takers[] = {
    {"noop", false, false},
    {"noop", true, true},
    {"command", false, true},
};

START_TEST(test_defaults) {
    _cleanup_(task_spec_freep) TaskSpec *s =
        task_spec_new(takers[_i].kind, &(TaskDefaults){.cwd = "/", .log_max = 7});
    _cleanup_(task_spec_freep) TaskSpec *plain =
        task_spec_new(takers[_i].kind, &(TaskDefaults){.cwd = "/", .log_max = 7});
    _cleanup_(task_spec_freep) TaskSpec *group = make("", 5, 0);

    s->isolate = plain->isolate = takers[_i].isolate;
    ck_assert_int_eq(task_spec_apply_defaults(s, NULL), 0);
    ck_assert_int_eq(task_spec_apply_defaults(s, group), 0);
    ck_assert_uint_eq(s->given, 0);
    for (const TaskOption *o = task_options(); o->name; o++) {
        bool taken = (o->flags & TASK_OPTION_DEFAULT) &&
                     (takers[_i].has_process || !(o->flags & TASK_OPTION_OWN_PROCESS));
        ck_assert_msg(is_equal(o, s, taken ? group : plain), "%s", o->name);
    }
}
END_TEST

/* What the task or the group does not name. */
START_TEST(test_defaults_given) {
    _cleanup_(task_spec_freep) TaskSpec *s = make("command", 5, TASK_OPTION_DEFAULT);
    _cleanup_(task_spec_freep) TaskSpec *same = make("command", 5, TASK_OPTION_DEFAULT);
    _cleanup_(task_spec_freep) TaskSpec *group = make("", 99, TASK_OPTION_DEFAULT);

    ck_assert_int_eq(task_spec_apply_defaults(s, group), 0);
    assert_equal(s, same);
    s->given = 0;
    group->given = 0;
    ck_assert_int_eq(task_spec_apply_defaults(s, group), 0);
    s->given = same->given;
    assert_equal(s, same);
}
END_TEST

/* The task says nothing of retries, and its group more than it needs. */
START_TEST(test_defaults_say_nothing) {
    _cleanup_(task_spec_freep) TaskSpec *s = task_spec_new("noop", &(TaskDefaults){.cwd = "/"});
    _cleanup_(task_spec_freep) TaskSpec *group = NULL;
    _cleanup_error_ Error e = {};

    MUST(request_defaults_from_json(&group, "{\"retry-on\":[3],\"nice\":5}") == 0);
    ck_assert_int_eq(task_spec_apply_defaults(s, group), 0);
    ck_assert_msg(task_spec_check(s, &e) == 0, "%s", strempty(e.message));
    ck_assert_int_eq(s->nice, 0);
}
END_TEST

/* ---- places in a call ---- */

START_TEST(test_resolve_index) {
    const uint64_t ids[] = {100, 50, 102};
    const uint64_t after[] = {7, 50, 102};
    _cleanup_(task_spec_freep) TaskSpec *s = task_spec_new("noop", &(TaskDefaults){.cwd = "/"});

    ck_assert_int_eq(task_spec_resolve_index(&s, NULL), 0);
    MUST(id_list_new(&s->after, (uint64_t[]){7, 102}, 2) == 0);
    MUST(id_list_new(&s->after_index, (uint64_t[]){1, 2}, 2) == 0);
    s->given = 1;
    MUST(task_spec_pack(&s) == 0);
    ck_assert_int_eq(task_spec_resolve_index(&s, ids), 0);
    ck_assert_uint_eq(s->given, 1);
    ck_assert_ptr_null(s->after_index);
    ck_assert_uint_eq(s->after->n, ELEMENTSOF(after)); /* one was named in both ways */
    ck_assert_mem_eq(s->after->ids, after, sizeof(after));
    ck_assert_str_eq(s->cwd, "/");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-spec-pack");
    TCase *t = tcase_create("task-spec-pack");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_pack, 0, ELEMENTSOF(kinds));
    tcase_add_test(t, test_pack_constants);
    tcase_add_loop_test(t, test_a_waiting_task_is_small, 0, ELEMENTSOF(kinds));
    tcase_add_test(t, test_label);
    tcase_add_loop_test(t, test_copy, 0, 2);
    tcase_add_test(t, test_copy_without);
    tcase_add_loop_test(t, test_defaults, 0, ELEMENTSOF(takers));
    tcase_add_test(t, test_defaults_given);
    tcase_add_test(t, test_defaults_say_nothing);
    tcase_add_test(t, test_resolve_index);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
