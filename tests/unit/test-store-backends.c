/* What the store keeps of backends, and of operations on them. */

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "tests/unit/store-rig.h"

static char found[512];

static void setup(void) {
    rig_setup();
    rig_open();
}

/* ---- backends ---- */

static int on_backend(void *userdata, const char *name, const char *settings, bool polling) {
    size_t n = strlen(found);

    snprintf(found + n, sizeof(found) - n, "%s=%s%s ", name, settings, polling ? "+" : "-");
    return 0;
}

static void assert_backends(const char *expected) {
    found[0] = '\0';
    rig_reopen();
    ck_assert_int_eq(store_load_backends(rig_store, on_backend, NULL), 0);
    ck_assert_str_eq(found, expected);
}

static void put_backend(const char *name, const char *settings, bool polling) {
    StoreBatch *b = store_batch_new();

    MUST(b && store_batch_put_backend(b, name, settings, polling) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
}

static void remove_backend(const char *name) {
    StoreBatch *b = store_batch_new();

    MUST(b && store_batch_remove_backend(b, name) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
}

START_TEST(test_backends) {
    assert_backends("");
    put_backend("work", "{\"url\":\"https://example.org\"}", false);
    put_backend("home", "", true);
    assert_backends("home=+ work={\"url\":\"https://example.org\"}- ");
    put_backend("work", "{}", true);
    remove_backend("home");
    remove_backend("never"); /* what is not there is no error */
    assert_backends("work={}+ ");
}
END_TEST

static int on_backend_refused(void *userdata, const char *name, const char *settings,
                              bool polling) {
    ++*(unsigned *)userdata;
    return -ENOTEMPTY;
}

START_TEST(test_backend_refused) {
    unsigned n = 0;

    put_backend("home", "", true);
    put_backend("work", "", true);
    ck_assert_int_eq(store_load_backends(rig_store, on_backend_refused, &n), -ENOTEMPTY);
    ck_assert_uint_eq(n, 1);
}
END_TEST

/* ---- operations ---- */

static int on_operation(void *userdata, uint64_t id, const char *json) {
    size_t n = strlen(found);

    snprintf(found + n, sizeof(found) - n, "%u=%s ", (unsigned)id, json);
    return 0;
}

static void assert_operations(const char *expected) {
    found[0] = '\0';
    rig_reopen();
    ck_assert_int_eq(store_load_operations(rig_store, on_operation, NULL), 0);
    ck_assert_str_eq(found, expected);
}

static void put_operation(uint64_t id, const char *json) {
    StoreBatch *b = store_batch_new();

    MUST(b && store_batch_put_operation(b, id, json) == 0);
    ck_assert_int_eq(rig_commit(b), 0);
}

START_TEST(test_operations) {
    Task *two = unit_task_new(2), *ten = unit_task_new(10);

    assert_operations("");
    rig_put(ten);
    rig_put(two);
    put_operation(10, "{\"key\":\"a\"}");
    put_operation(2, "{}");
    put_operation(10, "{\"key\":\"b\"}");
    assert_operations("2={} 10={\"key\":\"b\"} ");
    put_operation(2, NULL);
    put_operation(3, NULL); /* it has none */
    assert_operations("10={\"key\":\"b\"} ");
    rig_remove(10); /* it goes with its task */
    ck_assert_int_eq(rig_sql("SELECT count(*) FROM operation"), 0);
    task_free(two);
    task_free(ten);
}
END_TEST

/* Nobody goes on with what is over. */
START_TEST(test_operation_of_ended) {
    Task *t = rig_ended(1, TASK_FAILED);

    rig_put(t);
    put_operation(1, "{}");
    put_operation(7, "{}"); /* nor with what never was */
    assert_operations("");
    task_free(t);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store-backends");
    TCase *t = tcase_create("store-backends");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, rig_teardown);
    tcase_add_test(t, test_backends);
    tcase_add_test(t, test_backend_refused);
    tcase_add_test(t, test_operations);
    tcase_add_test(t, test_operation_of_ended);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
