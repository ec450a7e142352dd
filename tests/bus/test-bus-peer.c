#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bus/bus-rig.h"

/* Who may call, and that nothing overtakes a call while the bus is asked for that. The client plays
 * the bus: it names senders, and answers for them. */

#define SENDER ":1.7"
#define CALLS_MAX 3000

static BusRig rig;
static FakeDaemon fake;
static sd_bus_message *question; /* who is SENDER? */
static unsigned n_questions, n_answers;
static uint64_t order[CALLS_MAX]; /* of the calls that were answered, by number */
static bool refused[CALLS_MAX], full[CALLS_MAX];

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "GetConnectionUnixUser"))
        return 0;
    question = sd_bus_message_ref(m);
    n_questions++;
    return 1;
}

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
    n_questions = n_answers = 0;
    ck_assert_int_ge(sd_bus_add_filter(rig.client, NULL, on_call, NULL), 0);
}

static void teardown(void) {
    question = sd_bus_message_unref(question);
    bus_rig_teardown(&rig);
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name = sd_bus_message_get_error(m)->name;

    refused[n_answers] = strstr(name, "NotPermitted") != NULL;
    full[n_answers] = strcmp(name, SD_BUS_ERROR_LIMITS_EXCEEDED) == 0;
    order[n_answers++] = (uint64_t)(uintptr_t)userdata;
    return 0;
}

/* Of a method that there is not: the answer is an error, at once. */
static void send_call(uint64_t number) {
    sd_bus_message *m;

    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "Nothing"),
                     0);
    ck_assert_int_ge(sd_bus_message_set_sender(m, SENDER), 0);
    ck_assert_int_ge(
        sd_bus_call_async(rig.client, NULL, m, on_answer, (void *)(uintptr_t)number, 0), 0);
    sd_bus_message_unref(m);
}

static bool is_asked(void *userdata) {
    return question;
}

static bool are_answered(void *userdata) {
    return n_answers == *(unsigned *)userdata;
}

/* All that the client has sent is with the server, but was not handled: as it is when it asks
 * somebody and waits for the answer, which none gives here. */
static void read_ahead(void) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *m;

    ck_assert_int_ge(sd_bus_flush(rig.client), 0);
    ck_assert_int_ge(
        sd_bus_message_new_method_call(rig.server, &m, "org.example", "/", "org.example", "Wait"),
        0);
    ck_assert_int_eq(sd_bus_call(rig.server, m, 10000, &error, NULL), -ETIMEDOUT);
    sd_bus_error_free(&error);
    sd_bus_message_unref(m);
}

static void assert_order(unsigned n) {
    bus_rig_run_until(&rig, are_answered, &n);
    for (unsigned i = 0; i < n; i++)
        ck_assert_uint_eq(order[i], i + 1);
    ck_assert_uint_eq(n_questions, 1);
}

START_TEST(calls_keep_their_order) {
    for (uint64_t i = 1; i <= 3; i++)
        send_call(i);
    bus_rig_run_until(&rig, is_asked, NULL);
    ck_assert_int_ge(sd_bus_reply_method_return(question, "u", (uint32_t)geteuid()), 0);
    for (uint64_t i = 4; i <= 6; i++)
        send_call(i);
    read_ahead();
    assert_order(6);
    ck_assert(!refused[0] && !refused[5]);
    send_call(7);
    assert_order(7);
}
END_TEST

/* However many come before the answer. */
START_TEST(many_calls_keep_their_order) {
    for (uint64_t i = 1; i <= CALLS_MAX; i++)
        send_call(i);
    bus_rig_run_until(&rig, is_asked, NULL);
    ck_assert_int_ge(sd_bus_reply_method_return(question, "u", (uint32_t)geteuid()), 0);
    assert_order(CALLS_MAX);
    for (unsigned i = 0; i < CALLS_MAX; i++)
        ck_assert(!refused[i] && !full[i]);
}
END_TEST

START_TEST(another_user_is_refused) {
    send_call(1);
    send_call(2);
    bus_rig_run_until(&rig, is_asked, NULL);
    ck_assert_int_ge(sd_bus_reply_method_return(question, "u", (uint32_t)geteuid() + 1), 0);
    assert_order(2);
    ck_assert(refused[0] && refused[1]);
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-peer");
    TCase *t = tcase_create("bus-peer");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, calls_keep_their_order);
    tcase_add_test(t, many_calls_keep_their_order);
    tcase_add_test(t, another_user_is_refused);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
