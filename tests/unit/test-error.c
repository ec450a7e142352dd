/* Errors with a name: the first one stays, and words can be put before it. */

#include <errno.h>

#include "daemon/core/error.h"
#include "tests/unit/unit.h"

START_TEST(test_set) {
    _cleanup_error_ Error e = {};

    ck_assert_int_eq(error_set(&e, ERROR_NO_SUCH_TASK, "there is no task %d", 7), -EREMOTE);
    ck_assert_int_eq(e.code, ERROR_NO_SUCH_TASK);
    ck_assert_str_eq(e.message, "there is no task 7");
    /* The first one is the cause. */
    ck_assert_int_eq(error_set(&e, ERROR_STORAGE, "disk full"), -EREMOTE);
    ck_assert_int_eq(e.code, ERROR_NO_SUCH_TASK);
    ck_assert_str_eq(e.message, "there is no task 7");
}
END_TEST

START_TEST(test_prefix) {
    _cleanup_error_ Error e = {};

    error_set(&e, ERROR_INVALID_OPTION, "cwd is not absolute");
    error_prefix(&e, "task %d: ", 3);
    ck_assert_str_eq(e.message, "task 3: cwd is not absolute");
    error_prefix(&e, "100%%: ");
    ck_assert_str_eq(e.message, "100%: task 3: cwd is not absolute");
    ck_assert_int_eq(e.code, ERROR_INVALID_OPTION);
}
END_TEST

/* Memory was short when the message was made. */
START_TEST(test_prefix_without_message) {
    _cleanup_error_ Error e = {.code = ERROR_STORAGE};

    error_prefix(&e, "task 3: ");
    ck_assert_str_eq(e.message, "task 3: ");
}
END_TEST

START_TEST(test_done) {
    Error e = {};

    error_done(&e);
    error_set(&e, ERROR_QUEUE_FULL, "full");
    error_done(&e);
    ck_assert_int_eq(e.code, ERROR_NONE);
    ck_assert_ptr_null(e.message);
    error_set(&e, ERROR_STORAGE, "again");
    ck_assert_int_eq(e.code, ERROR_STORAGE);
    error_done(&e);
}
END_TEST

/* Parts of D-Bus names, which clients match. */
static const char *const names[_ERROR_MAX] = {
    [ERROR_NO_SUCH_TASK] = "NoSuchTask",
    [ERROR_NO_SUCH_GROUP] = "NoSuchGroup",
    [ERROR_NO_SUCH_KIND] = "NoSuchKind",
    [ERROR_NO_SUCH_RESOURCE] = "NoSuchResource",
    [ERROR_NO_SUCH_BACKEND] = "NoSuchBackend",
    [ERROR_INVALID_OPTION] = "InvalidOption",
    [ERROR_UNKNOWN_OPTION] = "UnknownOption",
    [ERROR_QUEUE_FULL] = "QueueFull",
    [ERROR_NOT_RUNNING] = "NotRunning",
    [ERROR_STILL_ACTIVE] = "StillActive",
    [ERROR_NO_RESULT] = "NoResult",
    [ERROR_STDIN_CLOSED] = "StdinClosed",
    [ERROR_NOT_PERMITTED] = "NotPermitted",
    [ERROR_BACKEND_OFFLINE] = "BackendOffline",
    [ERROR_BACKEND_FAILED] = "BackendFailed",
    [ERROR_STORAGE] = "Storage",
};

START_TEST(test_names) {
    ck_assert_ptr_null(error_code_to_string(ERROR_NONE));
    for (unsigned code = ERROR_NONE + 1; code < _ERROR_MAX; code++)
        ck_assert_str_eq(error_code_to_string((ErrorCode)code), names[code]);
    ck_assert_ptr_null(error_code_to_string(_ERROR_MAX));
    ck_assert_ptr_null(error_code_to_string((ErrorCode)-1));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("error");
    TCase *t = tcase_create("error");

    tcase_add_test(t, test_set);
    tcase_add_test(t, test_prefix);
    tcase_add_test(t, test_prefix_without_message);
    tcase_add_test(t, test_done);
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
