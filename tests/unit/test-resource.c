/* Named tokens: what there is, what is taken, and what is free. */

#include <errno.h>

#include "daemon/core/resource.h"
#include "tests/unit/unit-task.h"

static ResourceTable table;
static const char *const names[] = {"disk", "gpu", "net"};
static TokenList *list;

static void setup(void) {
    table = (ResourceTable){};
    /* Not in their order. */
    MUST(resource_configure(&table, "net", 1) == 0);
    MUST(resource_configure(&table, "gpu", 4) == 0);
}

static void teardown(void) {
    free(list);
    list = NULL;
    resource_table_done(&table);
    MUST(!table.by_name);
}

/* So many of disk, gpu and net; valid until the next call. */
static const TokenList *want(uint32_t disk, uint32_t gpu, uint32_t net) {
    const uint32_t amounts[] = {disk, gpu, net};
    TokenClaim claims[3];
    size_t n = 0;

    for (size_t i = 0; i < ELEMENTSOF(amounts); i++)
        if (amounts[i] > 0)
            claims[n++] = (TokenClaim){.name = names[i], .amount = amounts[i]};
    free(list);
    MUST(token_list_new(&list, claims, n) == 0);
    return list;
}

static uint32_t used(const char *name) {
    const Resource *r = resource_find(&table, name);

    return r ? r->used : UINT32_MAX;
}

/* ---- what could be had ---- */

static const struct {
    uint32_t disk, gpu, net;
    ErrorCode code;
    const char *word;
} checks[] = {
    {0, 0, 0, ERROR_NONE, NULL},
    {0, 4, 1, ERROR_NONE, NULL},
    {0, 5, 0, ERROR_INVALID_OPTION, "gpu=5"},
    {0, 4, 2, ERROR_INVALID_OPTION, "net=2"},
    {0, UINT32_MAX, 0, ERROR_INVALID_OPTION, "gpu"},
    {1, 1, 1, ERROR_NO_SUCH_RESOURCE, "longrun resource set disk"},
};

START_TEST(test_check) {
    const TokenList *l = want(checks[_i].disk, checks[_i].gpu, checks[_i].net);
    _cleanup_error_ Error e = {};
    bool good = checks[_i].code == ERROR_NONE;

    /* What is in use does not matter. */
    ck_assert_int_eq(resource_take(&table, l), 0);
    ck_assert_int_eq(resource_check(&table, l, &e), good ? 0 : -EREMOTE);
    ck_assert_int_eq(e.code, checks[_i].code);
    ck_assert(good || strstr(e.message, checks[_i].word));
    ck_assert_int_eq(resource_are_there(&table, l), good);
    resource_give_back(&table, l);
}
END_TEST

/* ---- what is free ---- */

static const struct {
    uint32_t gpu_used, disk, gpu, net;
    const char *lacking; /* NULL: none */
} claims[] = {
    {0, 0, 4, 1, NULL},   {0, 0, 0, 0, NULL},           {3, 0, 1, 1, NULL},  {3, 0, 2, 1, "gpu"},
    {4, 0, 0, 1, NULL},   {4, 0, 1, 0, "gpu"},          {6, 0, 1, 0, "gpu"}, {0, 0, 1, 2, "net"},
    {0, 1, 1, 1, "disk"}, {1, 0, UINT32_MAX, 0, "gpu"},
};

START_TEST(test_free) {
    const TokenClaim *lacking = NULL;

    MUST(resource_take(&table, want(0, claims[_i].gpu_used, 0)) == 0);
    const TokenList *l = want(claims[_i].disk, claims[_i].gpu, claims[_i].net);
    ck_assert_int_eq(resource_are_free(&table, l, &lacking), !claims[_i].lacking);
    ck_assert(!lacking == !claims[_i].lacking);
    ck_assert(!lacking || streq(lacking->name, claims[_i].lacking));
}
END_TEST

START_TEST(test_take_and_give_back) {
    ck_assert_int_eq(resource_take(&table, want(0, 3, 1)), 0);
    ck_assert_int_eq(resource_take(&table, want(0, 3, 0)), 0); /* more than there are */
    ck_assert_uint_eq(used("gpu"), 6);
    ck_assert_uint_eq(used("net"), 1);
    resource_give_back(&table, want(0, 3, 0));
    ck_assert_uint_eq(used("gpu"), 3);
    resource_give_back(&table, want(0, 3, 1));
    ck_assert_uint_eq(used("gpu"), 0);
    resource_give_back(&table, want(0, 1, 0)); /* of nothing */
    ck_assert_uint_eq(used("gpu"), 0);
}
END_TEST

/* ---- changes ---- */

START_TEST(test_lowered) {
    const TokenClaim *lacking;

    MUST(resource_take(&table, want(0, 4, 0)) == 0);
    ck_assert_int_eq(resource_configure(&table, "gpu", 2), 0);
    ck_assert_uint_eq(used("gpu"), 4);
    resource_give_back(&table, want(0, 2, 0));
    ck_assert(!resource_are_free(&table, want(0, 1, 0), &lacking));
    resource_give_back(&table, want(0, 1, 0));
    ck_assert(resource_are_free(&table, want(0, 1, 0), &lacking));
}
END_TEST

/* What runs goes on holding it, also when it is there again. */
START_TEST(test_removed_while_used) {
    MUST(resource_take(&table, want(0, 3, 0)) == 0);
    ck_assert_int_eq(resource_configure(&table, "gpu", 0), 0);
    ck_assert_ptr_null(resource_find(&table, "gpu"));
    ck_assert(!resource_are_there(&table, want(0, 1, 0)));
    ck_assert_int_eq(resource_configure(&table, "gpu", 8), 0);
    ck_assert_uint_eq(used("gpu"), 3);
    ck_assert_int_eq(resource_configure(&table, "gpu", 0), 0);
    resource_give_back(&table, want(0, 3, 0));
    ck_assert_int_eq(resource_configure(&table, "gpu", 8), 0);
    ck_assert_uint_eq(used("gpu"), 0);
}
END_TEST

/* A command of an earlier daemon holds some that were removed meanwhile. */
START_TEST(test_taken_of_none) {
    ck_assert_int_eq(resource_take(&table, want(2, 0, 0)), 0);
    ck_assert_ptr_null(resource_find(&table, "disk"));
    ck_assert_int_eq(resource_configure(&table, "disk", 2), 0);
    ck_assert_uint_eq(used("disk"), 2);
    resource_give_back(&table, want(2, 0, 0));
    ck_assert_uint_eq(used("disk"), 0);
}
END_TEST

START_TEST(test_walk) {
    MUST(resource_configure(&table, "disk", 1) == 0);
    MUST(resource_take(&table, want(0, 1, 0)) == 0);
    const Resource *r = NULL;
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        r = resource_next(&table, r);
        ck_assert(r && streq(r->name, names[i]));
    }
    ck_assert_ptr_null(resource_next(&table, r));
    MUST(resource_configure(&table, "gpu", 0) == 0); /* still in use */
    r = resource_next(&table, resource_next(&table, NULL));
    ck_assert(r && streq(r->name, "net"));
    MUST(resource_configure(&table, "disk", 0) == 0);
    ck_assert_str_eq(resource_next(&table, NULL)->name, "net");
    ck_assert_int_eq(resource_configure(&table, "never", 0), 0);
    ck_assert_ptr_null(resource_find(&table, "never"));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("resource");
    TCase *t = tcase_create("resource");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_check, 0, ELEMENTSOF(checks));
    tcase_add_loop_test(t, test_free, 0, ELEMENTSOF(claims));
    tcase_add_test(t, test_take_and_give_back);
    tcase_add_test(t, test_lowered);
    tcase_add_test(t, test_removed_while_used);
    tcase_add_test(t, test_taken_of_none);
    tcase_add_test(t, test_walk);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
